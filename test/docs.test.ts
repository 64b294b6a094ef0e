import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { compileCondition } from '../src/condition/compile-condition.ts';
import { membersOf, variables } from '../src/condition/member.ts';
import { functionNames } from '../src/condition/signature.ts';
import { type Type, typeName } from '../src/condition/type.ts';
import { denyReasons } from '../src/decision/deny-reason.ts';
import { schemaPath } from '../src/openapi/write-policy.ts';
import { maxTotalBytes, maxValueBytes } from '../src/policy/claim-header.ts';
import { compile } from '../src/policy/compile.ts';
import { parseDocuments } from '../src/policy/document.ts';
import { formatProblem } from '../src/policy/problem.ts';
import { lint } from '../src/rehearsal/lint.ts';
import { failedTests } from '../src/rehearsal/test-check.ts';
import { providers } from '../src/token/providers.ts';
import { mappings, referenceTable } from './support/policy-reference.ts';

const root = join(import.meta.dirname, '..');
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()];
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
const reference = textOf('docs/policy.md');

interface Block {
  readonly page: string;
  /** Of the page, from 1: the first line of the block. */
  readonly line: number;
  readonly text: string;
  /** Codes that its lint may warn with, from `<!-- warns: … -->` before the block. */
  readonly warns: readonly string[];
}

function blocksOf(page: string): readonly Block[] {
  const text = textOf(page);
  return [...text.matchAll(/(?:<!-- warns: ([\w ]+) -->\n)?```ya?ml\n([^]*?)```/g)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + (match[1] === undefined ? 1 : 2),
    text: match[2] ?? '',
    warns: match[1]?.split(' ') ?? [],
  }));
}

/** Of the others all is said in the reference. */
const withPage = Object.keys(providers).filter((name) => name !== 'generic' && name !== 'rfc9068');

const blocks = pages.flatMap(blocksOf);
const isPolicy = ({ text }: Block): boolean => /^kind: Policy$/m.test(text);
const policies = blocks
  .filter(isPolicy)
  .map((block): [name: string, block: Block] => [`${block.page}:${block.line}`, block]);

describe('policies in the documentation', () => {
  it('are there, in the reference and in the recipes', () => {
    const counted = Map.groupBy(policies, ([, { page }]) => page);
    expect(counted.get('docs/policy.md')?.length).toBeGreaterThan(5);
    expect(counted.get('docs/recipes/README.md')?.length).toBeGreaterThan(8);
    const ofProviders = [...counted.keys()].filter((page) => page.startsWith('docs/providers/'));
    expect(ofProviders.map((page) => page.replace(/.*\/(.*)\.md/, '$1'))).toEqual(withPage.toSorted());
  });

  it.each(policies)('%s: lints clean, and its tests pass', async (name, { text, warns }) => {
    const { problems, snapshot, rehearsals } = await lint([{ name, text }], Date.parse('2026-11-01T12:00:00Z'));
    // readme.test.ts holds the README's own to more.
    const isExpected = (code: string): boolean => warns.includes(code) || name.startsWith('README.md');
    const unexpected = problems.filter(({ severity, code }) => severity === 'error' || !isExpected(code));
    expect([...unexpected, ...failedTests(rehearsals)].map(formatProblem)).toEqual([]);
    expect(snapshot).toBeDefined();
    expect(warns.filter((code) => !problems.some((problem) => problem.code === code))).toEqual([]);
  });

  it.each(policies.filter(([, { page }]) => /^docs\/(?:recipes|providers)\//.test(page)))(
    '%s, a recipe: its tests show what it allows and what it refuses',
    async (name, { text }) => {
      const { rehearsals } = await lint([{ name, text }], Date.parse('2026-11-01T12:00:00Z'));
      const decisions = new Set(rehearsals.map(({ actual }) => actual.decision));
      expect([...decisions].toSorted()).toEqual(['allow', 'deny']);
    },
  );

  it('no other block looks like a part of one, which nothing would check', () => {
    const others = blocks.filter((block) => block.page.startsWith('docs/') && !isPolicy(block));
    // What begins as values of the Helm chart is rendered by test/kubernetes/chart.test.ts.
    const foreign = others.filter(({ text }) =>
      /^apiVersion: (?!scopegate)|^- name: envoy\.|@type|^# values\.yaml/m.test(text),
    );
    expect(others.filter((block) => !foreign.includes(block)).map(({ page, line }) => `${page}:${line}`)).toEqual([]);
    expect(foreign.flatMap(({ text }) => [...parseAllDocuments(text)].flatMap(({ errors }) => errors))).toEqual([]);
  });
});

/** The rows between `<!-- name -->` and its end, as cells. */
function tableOf(name: string): readonly (readonly string[])[] {
  const [, inner] = new RegExp(`<!-- ${name} -->\\n([^]*?)<!-- /`).exec(reference) ?? [];
  if (inner === undefined) throw new Error(`docs/policy.md has no table ${name}`);
  const rows = inner.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const documentOf = (content: object): string =>
  JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', ...content });

function problemsOf(content: object): readonly string[] {
  const { documents, problems } = parseDocuments({ name: 'policy.yaml', text: documentOf(content) });
  return [...problems, ...compile(documents).problems]
    .filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);
}

const issuer = { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'] };
const rule = { name: 'a', paths: ['/a'] };

describe('fields', () => {
  const all = [...mappings()];

  it('every mapping of the schema has its table, and no other', () => {
    const named = [...reference.matchAll(/<!-- fields: ([\w.]+) -->/g)].map(([, name = '']) => name);
    expect(named.toSorted()).toEqual(all.map(([path]) => path).toSorted());
  });

  it.each(all)('%s: the table is what the schema says, or policy-reference.ts has to write it anew', (path, schema) => {
    const [, inner] = new RegExp(`<!-- fields: ${path} -->\\n([^]*?)\\n<!-- /fields -->`).exec(reference) ?? [];
    expect(inner).toBe(referenceTable(path, schema));
  });

  it('every provider has its row, with its claims', () => {
    const words = (names: readonly string[], by: string): string => names.map((name) => `\`${name}\``).join(by);
    const known = Object.entries(providers).map(([name, { scopeClaims, clientClaims, requiredClaims }]) => {
      const required = words(['iss', 'exp', ...requiredClaims], ', ');
      const typ = name === 'rfc9068' ? ', and `typ: at+jwt` in the header' : '';
      return [`\`${name}\``, words(scopeClaims, ', else '), words(clientClaims, ', else '), `${required}${typ}`];
    });
    expect(tableOf('providers')).toEqual(known);
  });
});

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}

describe('defaults of fields', () => {
  const { documents } = parseDocuments({
    name: 'policy.yaml',
    text: documentOf({ issuers: [issuer], rules: [{ ...rule, headers: { x: 'sub' } }] }),
  });
  const snapshot = there(compile(documents).snapshot);
  const bareIssuer = there([...snapshot.issuers.values()][0]);
  const bareRule = there(snapshot.rules[0]);
  const bareHeader = there(bareRule.headers[0]);
  /** What the compiler makes of an absent field; `undefined` is what the tables have words for. */
  const compiled: Readonly<Record<string, string | boolean | undefined>> = {
    'issuers provider': bareIssuer.provider,
    'issuers clockSkew': `${bareIssuer.clockSkewSeconds}s`,
    'issuers maxLifetime': bareIssuer.maxLifetimeSeconds?.toString(),
    'issuers requireSub': bareIssuer.requireSub,
    'issuers jwks': bareIssuer.jwks.kind,
    'issuers clientIds': bareIssuer.clientIds && 'some',
    'rules access': bareRule.access,
    'rules issuers': bareRule.issuers && 'some',
    'rules forwardToken': bareRule.forwardToken,
    'rules inject': bareRule.inject?.name,
    'rules mode': bareRule.mode,
    'rules.require when': bareRule.require.condition?.source,
    'rules.require maxAuthAge': bareRule.require.maxAuthAgeSeconds?.toString(),
    'rules.headers format': bareHeader.format,
    'rules.headers required': bareHeader.required,
    'defaults realm': snapshot.realm,
    'defaults pathParameters': snapshot.pathParameters,
    'defaults resourceMetadata': snapshot.resourceMetadata,
  };
  const wordsForNone: Readonly<Record<string, unknown>> = {
    'no limit': undefined,
    any: undefined,
    all: undefined,
    'found by discovery on issuer': 'discovery',
    'csv, which lists and single values can be': 'csv',
    none: undefined,
    'a token is wanted': 'token',
  };

  it.each(Object.entries(compiled))('%s: its default is what a policy without it has', (key, value) => {
    const [path = '', field] = key.split(' ');
    const documented =
      tableOf(`fields: ${path}`)
        .find(([name]) => name === `\`${field}\``)?.[2]
        ?.replaceAll('`', '') ?? '';
    expect(Object.hasOwn(wordsForNone, documented) ? wordsForNone[documented] : documented).toBe(
      value === undefined ? undefined : String(value),
    );
  });
});

describe('values of fields', () => {
  it('clock skew: up to what the table says', () => {
    const skew = (clockSkew: string) => problemsOf({ issuers: [{ ...issuer, clockSkew }], rules: [rule] });
    expect([skew('5m'), skew('5m1s')]).toEqual([[], ['wrong_value']]);
  });

  it.each(['issuers', 'require', 'headers'])('%s beside access: an error', (field) => {
    const value = { issuers: ['corp'], require: { scopes: ['a'] }, headers: { x: 'sub' } }[field];
    expect(problemsOf({ issuers: [issuer], rules: [{ ...rule, access: 'public', [field]: value }] })).toEqual([
      'access_conflict',
    ]);
  });
});

describe('order of checks', () => {
  it('names every reason once', () => {
    const named = tableOf('order-of-checks').flatMap(([, reasons = '']) =>
      [...reasons.matchAll(/`(\w+)`/g)].map(([, reason = '']) => reason),
    );
    expect(named.filter((name) => name !== 'public').toSorted()).toEqual(Object.keys(denyReasons).toSorted());
  });
});

describe('conditions', () => {
  it('the variables are those that conditions have, with their types', () => {
    const members = (['request', 'token'] as const).flatMap((holder) =>
      [...membersOf(holder)].map(([name, type]): [string, Type] => [`${holder}.${name}`, type]),
    );
    const plain = [...variables].filter(([name]) => name === 'claims');
    const known = [...plain, ...members].map(([name, type]) => [`\`${name}\``, typeName(type)]);
    expect(tableOf('condition-variables').map(([name, type]) => [name, type])).toEqual(known);
  });

  it('the functions are those that conditions have', () => {
    const [, named = ''] = /<!-- condition-functions -->([^]*?)<!-- \/condition-functions -->/.exec(reference) ?? [];
    expect([...named.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(functionNames.toSorted());
  });

  it.each(['has', 'all', 'exists', 'exists_one', 'map', 'filter'])('the macro %s exists', (name) => {
    const written: Readonly<Record<string, string>> = {
      has: 'has(claims.a)',
      map: 'claims.a.map(x, x) == []',
      filter: 'claims.a.filter(x, x == 1) == []',
    };
    expect(compileCondition(written[name] ?? `claims.a.${name}(x, x == 1)`)).toHaveProperty('evaluate');
  });

  it('the limits: 2,000 nodes, and no macro inside a macro', () => {
    const list = (count: number): string => `claims.a == [${Array.from({ length: count }, () => '1').join()}]`;
    expect(compileCondition(list(1990))).toHaveProperty('evaluate');
    expect(compileCondition(list(2000))).toEqual([expect.objectContaining({ offset: 0 })]);
    expect(compileCondition('claims.a.all(x, claims.b.all(y, x == y))')).toBeInstanceOf(Array);
  });
});

describe('claim headers', () => {
  it('the size caps are those of the code', () => {
    expect(reference).toContain(`More than ${maxValueBytes} bytes in one value or ${maxTotalBytes} in all`);
  });

  it.each(['host', 'authorization', 'cookie', 'x-envoy-x'])('%s cannot be set', (name) => {
    expect(problemsOf({ issuers: [issuer], rules: [{ ...rule, headers: { [name]: 'sub' } }] })).toEqual([
      'header_forbidden',
    ]);
  });
});

describe('links', () => {
  const anchorsOf = (page: string): ReadonlySet<string> => {
    const headings = textOf(page)
      .replaceAll(/```[^]*?```/g, '')
      .matchAll(/^#+ (.+)$/gm);
    return new Set(
      [...headings].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
  };

  it.each(pages.filter((page) => page.startsWith('docs/')))('%s: what it links to exists', (page) => {
    const links = [...textOf(page).matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      if (link.startsWith('https://')) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('the schema that policies name for editors is that of the package', () => {
    const [, named] = /\$schema=node_modules\/scopegate\/(\S+)/.exec(reference) ?? [];
    expect(`node_modules/scopegate/${named}`).toBe(schemaPath);
    expect(existsSync(join(root, named ?? ''))).toBe(true);
  });

  it('the README links to the reference', () => {
    expect(textOf('README.md').includes('](docs/policy.md)')).toBe(true);
  });
});
