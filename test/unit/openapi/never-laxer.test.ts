import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingScopes } from '../../../src/policy/scope.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { documentOf, importText, lint, showProblem } from './documents.ts';

type Requirement = Readonly<Record<string, readonly string[]>>;

interface Operation {
  readonly method: string;
  readonly security: readonly Requirement[] | undefined;
  readonly servers: readonly string[] | undefined;
}

interface Path {
  readonly path: string;
  readonly operations: readonly Operation[];
}

interface Api {
  readonly security: readonly Requirement[] | undefined;
  readonly servers: readonly string[] | undefined;
  readonly paths: readonly Path[];
}

const scopes = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 });
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  { weight: 6, arbitrary: scopes.map((list) => ({ oauth: list })) },
  { weight: 2, arbitrary: scopes.map((list) => ({ oidc: list })) },
  fc.constantFrom<Requirement>({}, { key: [] }, { oauth: ['a'], key: [] }, { oauth: ['a'], oidc: ['a'] }),
);
const security = fc.option(fc.array(requirement, { maxLength: 3 }), { nil: undefined });
const server = fc.constantFrom(
  '/',
  '/v1',
  'https://x.test',
  'https://x.test/v1',
  'https://y.test/',
  'https://{no}.test/v1',
);
const servers = fc.option(fc.uniqueArray(server, { minLength: 1, maxLength: 2 }), { nil: undefined });
const segment = fc.constantFrom('p', 'q', 'v1', '{x}', '{y}', '{x}.json', 'p{x}');
const path: fc.Arbitrary<Path> = fc.record({
  path: fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`),
  operations: fc.uniqueArray(fc.record({ method: fc.constantFrom('get', 'put'), security, servers }), {
    minLength: 1,
    selector: ({ method }) => method,
  }),
});
const api: fc.Arbitrary<Api> = fc.record({
  security,
  servers,
  paths: fc.uniqueArray(path, { minLength: 1, maxLength: 6, selector: (one) => one.path }),
});

function present<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}

const serverList = (urls: readonly string[] | undefined) =>
  present(
    'servers',
    urls?.map((url) => ({ url })),
  );

function textOf({ security: ofDocument, servers: urls, paths }: Api): string {
  const items = paths.map((one) => {
    const operations = one.operations.map((operation) => [
      operation.method,
      { ...present('security', operation.security), ...serverList(operation.servers) },
    ]);
    return [one.path, Object.fromEntries(operations)];
  });
  return documentOf({ ...present('security', ofDocument), ...serverList(urls), paths: Object.fromEntries(items) });
}

interface Request {
  readonly host: string;
  readonly path: string;
  readonly method: string;
}

interface Token {
  readonly issuer: 'oauth' | 'oidc';
  readonly scopes: readonly string[];
}

/** What a request is made of: a path of the document, and a value for its templates. */
const choice = fc.record({
  host: fc.constantFrom('x.test', 'y.test', 'z.test'),
  base: fc.constantFrom('', '', '/v1'),
  at: fc.nat(5),
  value: fc.constantFrom('p', 'q', 'v1', 'r', 'r.json', 'pr'),
  method: fc.constantFrom('GET', 'PUT'),
});

type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;

function requestOf({ paths }: Api, { host, base, at, value, method }: Choice): Request {
  const template = paths[at % paths.length]?.path ?? '/';
  return { host, path: base + template.replaceAll(/\{[^{}]*\}/g, value), method };
}

const token: fc.Arbitrary<Token | undefined> = fc.option(
  fc.record({ issuer: fc.constantFrom('oauth' as const, 'oidc' as const), scopes: fc.subarray(['a', 'b', 'c']) }),
  { nil: undefined },
);

/** What the document says of a request, read as naively as can be: the operations that it may mean. */
function meant(document: Api, { host, path: asked, method }: Request): readonly (readonly Requirement[])[] {
  const found = document.paths.flatMap((one) =>
    one.operations
      .filter((operation) => operation.method.toUpperCase() === method)
      .flatMap((operation) =>
        (operation.servers ?? document.servers ?? ['/'])
          .filter((url) => reaches(url, one.path, host, asked))
          .map((url) => ({
            isConcrete: !one.path.includes('{') && !url.includes('{'),
            security: operation.security ?? document.security ?? [],
          })),
      ),
  );
  // OpenAPI: a concrete path is matched before one with templates.
  const concrete = found.filter(({ isConcrete }) => isConcrete);
  return (concrete.length > 0 ? concrete : found).map((one) => one.security);
}

function reaches(url: string, template: string, host: string, asked: string): boolean {
  const [, name, base = ''] = /^(?:https:\/\/([^/]*))?(.*?)\/?$/.exec(url) ?? [];
  const pattern = `${base}${template}`.replaceAll('.', '\\.').replaceAll(/\{[^{}]*\}/g, '[^/]+');
  const isHost = name === undefined || name === host || name.includes('{');
  return isHost && new RegExp(`^${pattern}$`).test(asked);
}

function satisfies(requirements: readonly Requirement[], shown: Token | undefined, unsecured: string): boolean {
  if (requirements.length === 0) return unsecured === 'public';
  return requirements.some((one) => {
    const names = Object.keys(one);
    if (names.length === 0) return unsecured === 'public' || shown !== undefined;
    return names.every((name) => name === shown?.issuer && one[name]?.every((scope) => shown.scopes.includes(scope)));
  });
}

function allows(policy: PolicySnapshot, { host, path: asked, method }: Request, shown: Token | undefined): boolean {
  const rule = policy.routes.match(host, asked, method)?.rule;
  if (rule === undefined || rule.access !== 'token') return rule?.access === 'public';
  if (shown === undefined || rule.issuers?.has(shown.issuer) !== true) return false;
  return missingScopes(rule.require, shown.scopes).length === 0;
}

describe('any document', () => {
  const unsecured = fc.constantFrom('public' as const, 'deny' as const);

  it('becomes a policy that its own lint accepts, or none', () => {
    let count = 0;
    fc.assert(
      fc.property(api, unsecured, (document, open) => {
        const imported = importText(textOf(document), { unsecured: open });
        if (imported.policy === undefined) return;
        count += 1;
        const { snapshot, problems } = lint(imported);
        expect(problems.filter(({ severity }) => severity === 'error').map(showProblem)).toEqual([]);
        expect(snapshot).toBeDefined();
      }),
      { numRuns: 250 },
    );
    expect(count).toBeGreaterThan(100);
  });

  it('becomes a policy that lets nothing pass that the document does not', () => {
    let count = 0;
    const asked = fc.array(fc.tuple(choice, token), { minLength: 20, maxLength: 40 });
    fc.assert(
      fc.property(api, unsecured, asked, (document, open, requests) => {
        const imported = importText(textOf(document), { unsecured: open });
        const { snapshot } = imported.policy === undefined ? {} : lint(imported);
        if (snapshot === undefined) return;
        for (const [parts, shown] of requests) {
          const one = requestOf(document, parts);
          if (!allows(snapshot, one, shown)) continue;
          count += 1;
          const verdicts = meant(document, one).map((requirements) => satisfies(requirements, shown, open));
          expect({ one, shown, isAllowed: verdicts.some(Boolean) }).toEqual({ one, shown, isAllowed: true });
        }
      }),
      { numRuns: 700 },
    );
    expect(count).toBeGreaterThan(500);
  });

  it('becomes a policy that asks for all that is said of one path, however its templates are named', () => {
    const alike = fc.tuple(requirement, requirement).map(([first, second]): Api => {
      const operation = (one: Requirement) => [{ method: 'get', security: [one], servers: undefined }];
      const paths = [
        { path: '/p/{x}', operations: operation(first) },
        { path: '/p/{y}', operations: operation(second) },
        { path: '/q', operations: operation({ oauth: [] }) },
      ];
      return { security: undefined, servers: undefined, paths };
    });
    fc.assert(
      fc.property(alike, token, (document, shown) => {
        const { snapshot } = lint(importText(textOf(document)));
        const one = { host: 'x.test', path: '/p/r', method: 'GET' };
        if (snapshot === undefined || !allows(snapshot, one, shown)) return;
        expect(meant(document, one).map((all) => satisfies(all, shown, 'deny'))).toEqual([true, true]);
      }),
      { numRuns: 300 },
    );
  });
});
