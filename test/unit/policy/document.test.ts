import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import { byPlace } from '../../../src/policy/problem.ts';
import { badDocuments, head } from './bad-documents.ts';
import { compileTexts, show, textOf } from './policy-text.ts';

describe('documents with mistakes', () => {
  it.each(Object.entries(badDocuments))('%s: every problem at its place', (_name, { text, problems, isWhole }) => {
    const { documents, problems: parsed } = parseDocuments({ name: 'f', text: isWhole ? text : head + text });
    const { snapshot, problems: compiled } = compile(documents);
    const all = [...parsed, ...compiled].toSorted(byPlace);
    expect(all.filter(({ severity }) => severity === 'error').map(show)).toEqual(problems);
    expect(snapshot).toBeUndefined();
    expect(all.every(({ file }) => file === 'f')).toBe(true);
  });

  it('an incomplete document: never a snapshot, whatever is left of it', () => {
    const text = `${head}rules: [{ name: a, paths: [/a], access: deny, colour: red }]\n`;
    const { documents } = parseDocuments({ name: 'f', text });
    expect(documents[0]?.content.rules).toHaveLength(1);
    expect(compile(documents)).toEqual({ snapshot: undefined, problems: [] });
  });

  it('a broken document beside good ones: never a snapshot', () => {
    const good = `${head}rules: [{ name: a, paths: [/a], access: deny }]\n`;
    const { documents } = parseDocuments({ name: 'f', text: `${good}---\nrules: [\n` });
    expect(compile(documents).snapshot).toBeUndefined();
  });

  it('an issuer that has a mistake: its name is still known to rules', () => {
    const { problems } = compileTexts(
      `${head}issuers: [{ name: corp, issuer: 5, audiences: [shop] }]\n`,
      `${head}rules: [{ name: a, paths: [/a], issuers: [corp], require: { scopes: [a] } }]\n`,
    );
    expect(problems.map(show)).toEqual(['3:33 wrong_type: expected text (put it in quotes)']);
  });

  it('a rule that lost its methods to a mistake: not taken for equal to another', () => {
    const rules =
      'rules:\n  - { name: a, paths: [/a], access: deny }\n  - { name: b, paths: [/a], access: deny, method: [GET] }\n';
    expect(compileTexts(head + rules).problems.map(show)).toEqual([
      '5:43 unknown_field: unknown field `method` (did you mean `methods`?)',
    ]);
  });

  it('rules after some that are left out: their problems stay at their own places', () => {
    const rules =
      'rules:\n  - { paths: [/a] }\n  - { paths: [/b] }\n  - { name: b, paths: [b], access: deny }\n  - { name: c, paths: [/c, //], access: deny }\n';
    expect(compileTexts(head + rules).problems.map(show)).toEqual([
      '4:5 missing_field: `name` is required',
      '5:5 missing_field: `name` is required',
      '6:24 path: the path does not begin with a slash',
      '7:28 path: the path holds an empty segment',
    ]);
  });

  it('an issuer after one that is left out: what it lacks is reported at its own place', () => {
    const issuers =
      'issuers:\n  - { issuer: https://a.test, audiences: [a] }\n  - { name: b, issuer: https://b.test }\n';
    expect(compileTexts(head + issuers).problems.map(show)).toEqual([
      '4:5 missing_field: `name` is required',
      '5:5 missing_field: `audiences` is required',
      '5:13 unused_issuer: no rule uses issuer `b`',
    ]);
  });

  it('a field after one that is left out: its problem stays at its own place', () => {
    const text = `${head}rules:\n  - { name: a, colour: 1, paths: [/a], access: deny, require: {} }\n`;
    expect(compileTexts(text).problems.map(show)).toEqual([
      '4:16 unknown_field: unknown field `colour`',
      '4:54 access_conflict: `require` cannot stand beside `access: deny`, where no token is looked at',
    ]);
  });

  it('a huge value: named, not dumped', () => {
    const long = 'x'.repeat(1000);
    const { problems } = compileTexts(
      `${head}"${long}": 1\nrules: [{ name: a, access: ${long}, paths: ["/${long}{", "/%61${long}"], issuers: ["${long}"] }]\n`,
    );
    expect(problems.length).toBeGreaterThan(3);
    for (const problem of problems) expect(show(problem).length).toBeLessThan(250);
  });

  it('nesting that overflows the stack of the parser: a problem', () => {
    const { snapshot, problems } = compileTexts(`${head}rules: ${'['.repeat(100_000)}`);
    expect(snapshot).toBeUndefined();
    // The parser gives up where its stack ends, which may be at several brackets.
    expect(new Set(problems.map(({ code, message }) => `${code}: ${message}`))).toEqual(
      new Set(['yaml: the document is nested too deeply']),
    );
  });

  it('ten thousand mistakes: all are reported', () => {
    const rules = Array.from({ length: 5000 }, (_, index) => ({
      name: `r${index}`,
      paths: ['/a'],
      color: 1,
      access: 'denied',
    }));
    expect(compileTexts(textOf({ rules })).problems).toHaveLength(10_000);
  });
});

describe('documents without mistakes', () => {
  const good: Readonly<Record<string, string>> = {
    'a document mark before and after': `---\n${head}rules: [{ name: a, paths: [/a], access: deny }]\n---\n`,
    'CRLF line ends': `${head}rules: [{ name: a, paths: [/a], access: deny }]\n`.replaceAll('\n', '\r\n'),
    'a byte order mark': `\ufeff${head}rules: [{ name: a, paths: [/a], access: deny }]\n`,
    'anchors and aliases': `${head}rules:\n  - { name: a, paths: &p [/a], access: deny, methods: [GET] }\n  - { name: b, paths: *p, access: deny, methods: [PUT] }\n`,
    'empty lists of later features': `${head}rules: [{ name: a, paths: [/a], access: deny, mode: enforce }]\nclients: []\nrevocations: []\ntests: []\n`,
    'a key set with unknown members': `${head}issuers: [{ name: a, issuer: https://a.test, audiences: [b], senderConstraint: none, jwks: { inline: { keys: [{ kty: RSA, n: a, e: AQAB, x: 1 }], more: 1 } } }]\nrules: [{ name: a, paths: [/a], access: deny }]\n`,
  };
  it.each(Object.entries(good))('%s: accepted', (_name, text) => {
    const { snapshot, problems } = compileTexts(text);
    expect(problems.filter(({ severity }) => severity === 'error').map(show)).toEqual([]);
    expect(snapshot?.rules.length).toBeGreaterThan(0);
  });

  it('several documents in one text: one after the other', () => {
    const document = (name: string): string => `${head}rules: [{ name: ${name}, paths: [/${name}], access: deny }]\n`;
    const { documents, problems } = parseDocuments({
      name: 'f',
      text: [document('a'), document('b'), document('c')].join('---\n'),
    });
    expect(problems).toEqual([]);
    expect(documents.map(({ content }) => content.rules?.[0]?.name)).toEqual(['a', 'b', 'c']);
  });
});

describe('any text', () => {
  const fragment = fc.constantFrom(
    'rules',
    'issuers',
    'name',
    'paths',
    'defaults',
    'headers',
    'tests',
    '- ',
    ': ',
    ':',
    '\n',
    '\n  ',
    '\n    ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '&a ',
    '*a',
    '!t ',
    '"',
    "'",
    '| ',
    '> ',
    '#',
    '%',
    '---\n',
    '...\n',
    '/a',
    '/**',
    '*',
    'null',
    '5',
    'true',
    '\t',
    '? ',
    '<<',
    '__proto__',
    'apiVersion: scopegate.dev/v1\nkind: Policy\n',
  );

  it('fragments of YAML: problems with places and no exception, or a snapshot', () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 25 }), (fragments) => {
        const text = fragments.join('');
        const { snapshot, problems } = compileTexts(text);
        const errors = problems.filter(({ severity }) => severity === 'error');
        expect(snapshot === undefined).toBe(errors.length > 0);
        for (const { line, column, message } of problems) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(text.split('\n').length);
          expect(column).toBeGreaterThan(0);
          expect(message).toMatch(/^[^A-Z\n].*[^.\n]$/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
