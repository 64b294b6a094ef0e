import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Match } from '../../../src/policy/match.ts';
import { compileTexts, snapshotOf, textOf } from './policy-text.ts';

interface RuleText {
  readonly name: string;
  readonly paths: readonly string[];
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
}

const document = (rules: readonly RuleText[]) => ({ rules: rules.map((rule) => ({ ...rule, access: 'deny' })) });

/** The rule for a request `METHOD host path`, with its parameters. */
function show(found: Match | undefined): string {
  return found === undefined
    ? 'none'
    : [found.rule.name, ...[...found.parameters].map(([name, value]) => `${name}=${value}`)].join(' ');
}

describe('paths', () => {
  const routes = snapshotOf(
    document([
      { name: 'root', paths: ['/'] },
      { name: 'api', paths: ['/api'] },
      { name: 'api-all', paths: ['/api/**'] },
      { name: 'orders', paths: ['/api/orders'] },
      { name: 'order', paths: ['/api/orders/{id}'] },
      { name: 'order-new', paths: ['/api/orders/new'] },
      { name: 'items', paths: ['/api/orders/{id}/items/{item}'] },
      { name: 'any-items', paths: ['/api/{kind}/{id}/items/**'] },
      { name: 'slash', paths: ['/slash/'] },
      { name: 'tree', paths: ['/tree/**'] },
      { name: 'branch', paths: ['/tree/{a}/leaf'] },
      { name: 'escaped', paths: ['/a%20b/{x}'] },
      { name: 'dot', paths: ['/v1.0/x'] },
    ]),
  ).routes;

  const cases: Readonly<Record<string, [path: string, found: string]>> = {
    'the root: exact': ['/', 'root'],
    'nothing below the root by an exact rule': ['/other', 'none'],
    '`/api` beats `/api/**` on /api': ['/api', 'api'],
    '`/api/**` covers /api/': ['/api/', 'api-all'],
    '`/api/**` covers all below': ['/api/x/y/z', 'api-all'],
    'EA-62 a prefix ends at a segment border': ['/apiary', 'none'],
    'a literal before `/**`': ['/api/orders', 'orders'],
    'EA-62 exact `/a` is not `/a/`': ['/api/orders/', 'api-all'],
    'a template before `/**`': ['/api/orders/7', 'order id=7'],
    'a literal before a template': ['/api/orders/new', 'order-new'],
    'a template in the middle': ['/api/orders/7/items/9', 'items id=7 item=9'],
    'the first difference wins: a literal at the start beats all that follows': [
      '/api/orders/7/items',
      'any-items kind=orders id=7',
    ],
    'a way that ends nowhere: back to the template': ['/api/shops/7/items/9/x', 'any-items kind=shops id=7'],
    '`{x}` is not empty': ['/api/orders//items/9', 'api-all'],
    'EA-62 exact `/a/` is not `/a`': ['/slash', 'none'],
    'exact with a slash': ['/slash/', 'slash'],
    '`/**` covers the path itself': ['/tree', 'tree'],
    'back from a template to `/**`': ['/tree/x/twig', 'tree'],
    'through a template': ['/tree/x/leaf', 'branch a=x'],
    'not beyond the end of a template': ['/tree/x/leaf/y', 'tree'],
    'EA-62 case-sensitive': ['/API', 'none'],
    'escapes are compared as spelled, values stay escaped': ['/a%20b/c%2Bd', 'escaped x=c%2Bd'],
    'a dot is a character like any other': ['/v1x0/x', 'none'],
  };
  it.each(Object.entries(cases))('%s', (_name, [path, found]) => {
    expect(show(routes.match('a.test', path, 'GET'))).toBe(found);
  });
});

describe('hosts', () => {
  const routes = snapshotOf(
    document([
      { name: 'exact', hosts: ['orders.shop.test'], paths: ['/**'] },
      { name: 'wild', hosts: ['*.shop.test'], paths: ['/**'] },
      { name: 'longer', hosts: ['*.eu.shop.test'], paths: ['/a'] },
      { name: 'two', hosts: ['one.test', '*.two.test'], paths: ['/b'] },
      { name: 'any', paths: ['/any', '/b'] },
      { name: 'address', hosts: ['[::1]', '127.0.0.1'], paths: ['/**'] },
    ]),
  ).routes;

  const cases: Readonly<Record<string, [host: string, path: string, found: string]>> = {
    'exact before wildcard': ['orders.shop.test', '/x', 'exact'],
    'host comes before path: exact `/**` beats any host with a literal': ['orders.shop.test', '/any', 'exact'],
    'wildcard: one label': ['a.shop.test', '/x', 'wild'],
    'wildcard: several labels': ['a.b.shop.test', '/x', 'wild'],
    'wildcard: not the name itself': ['shop.test', '/x', 'none'],
    'wildcard: not the end of a label': ['ashop.test', '/x', 'none'],
    'longer suffix first': ['a.eu.shop.test', '/a', 'longer'],
    'longer suffix covers no such path: the shorter one': ['a.eu.shop.test', '/x', 'wild'],
    'one of several hosts': ['one.test', '/b', 'two'],
    'one of several hosts, by wildcard': ['x.two.test', '/b', 'two'],
    'no rule for the host: any host': ['other.test', '/b', 'any'],
    'no path for the host: any host': ['one.test', '/any', 'any'],
    IPv6: ['[::1]', '/x', 'address'],
    'a host is not a suffix of itself': ['.shop.test', '/x', 'none'],
    'names of objects are hosts like others': ['constructor', '/x', 'none'],
  };
  it.each(Object.entries(cases))('%s', (_name, [host, path, found]) => {
    expect(show(routes.match(host, path, 'GET'))).toBe(found);
  });
});

describe('methods', () => {
  const routes = snapshotOf(
    document([
      { name: 'read', paths: ['/a/{x}'], methods: ['GET', 'HEAD'] },
      { name: 'all', paths: ['/a/{y}'] },
      { name: 'write', paths: ['/a/b'], methods: ['POST'] },
      { name: 'get-only', paths: ['/c'], methods: ['GET'] },
    ]),
  ).routes;

  const cases: Readonly<Record<string, [method: string, path: string, found: string]>> = {
    'named before any': ['GET', '/a/1', 'read x=1'],
    'not named: any, with its own names of parameters': ['PUT', '/a/1', 'all y=1'],
    'more specific path: its method': ['POST', '/a/b', 'write'],
    'more specific path without the method: back to the template': ['GET', '/a/b', 'read x=b'],
    'GET does not imply HEAD': ['HEAD', '/c', 'none'],
    'EA-49 other case is another method': ['get', '/c', 'none'],
    'EA-49 unknown method: not a named one': ['FOO', '/c', 'none'],
    'EA-49 names of objects are methods like others': ['constructor', '/c', 'none'],
  };
  it.each(Object.entries(cases))('%s', (_name, [method, path, found]) => {
    expect(show(routes.match('a.test', path, method))).toBe(found);
  });
});

/**
 * The same rules of precedence once more, in the plainest way: look at every route, give each that matches a list of numbers, take
 * the greatest list.
 */
interface Candidate {
  readonly rule: string;
  readonly rank: readonly number[];
  readonly parameters: Readonly<Record<string, string>>;
}

function candidates(rules: readonly RuleText[], host: string, path: string, method: string): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const rule of rules) {
    for (const ruleHost of rule.hosts ?? ['']) {
      for (const rulePath of rule.paths) {
        const hostRank = rankHost(ruleHost, host);
        const matched = expressionOf(rulePath).exec(path);
        const methodRank = rule.methods === undefined ? 0 : rule.methods.includes(method) ? 1 : undefined;
        if (hostRank === undefined || matched === null || methodRank === undefined) continue;
        found.push({
          rule: rule.name,
          rank: [hostRank, ...rankPath(rulePath), methodRank],
          parameters: { ...matched.groups },
        });
      }
    }
  }
  return found;
}

function rankHost(pattern: string, host: string): number | undefined {
  if (pattern === '') return 0;
  if (!pattern.startsWith('*')) return pattern === host ? 1000 : undefined;
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)) ? pattern.length : undefined;
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)').replace(/\/\*\*$/, '(?:/.*)?');
  return new RegExp(`^${source}$`);
}

/** Literal 4, template 3, end 2, rest 1; the end of a list of segments is always marked, so that lists are comparable. */
function rankPath(pattern: string): readonly number[] {
  const segments = pattern.split('/').slice(1);
  const rank = segments.map((segment) => (segment === '**' ? 1 : segment.startsWith('{') ? 3 : 4));
  return segments.at(-1) === '**' ? rank : [...rank, 2];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? Number.NaN);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

describe('any policy', () => {
  const hostPattern = fc.constantFrom('a.test', 'b.a.test', '*.a.test', '*.b.a.test', '*.test');
  const segment = fc.constantFrom('a', 'b', '{p}', '{q}');
  const ending = fc.constantFrom('', '', '/', '/**');
  const pathPattern = (maxLength: number) =>
    fc
      .tuple(fc.array(segment, { maxLength }), ending)
      .map(([segments, end]) => `${segments.map((text) => `/${text}`).join('')}${end}` || '/')
      .filter((path) => new Set(path.match(/\{\w\}/g)).size === (path.match(/\{\w\}/g)?.length ?? 0));
  const shape = (path: string): string => path.replace(/\{\w\}/g, '{}');
  const rule = (depth: number) =>
    fc.record(
      {
        paths: fc.uniqueArray(pathPattern(depth), { minLength: 1, maxLength: 2, selector: shape }),
        hosts: fc.uniqueArray(hostPattern, { minLength: 1, maxLength: 2 }),
        methods: fc.uniqueArray(fc.constantFrom('GET', 'PUT'), { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: ['paths'] },
    );
  const policy = (depth: number) =>
    fc
      .array(rule(depth), { minLength: 2, maxLength: 6 })
      .map((rules) => rules.map((fields, index) => ({ ...fields, name: `r${index}` })));

  const hosts = ['a.test', 'b.a.test', 'c.a.test', 'c.b.a.test', 'test', 'other'];
  const methods = ['GET', 'PUT', 'DELETE'];
  const below = (paths: readonly string[]): string[] =>
    paths.flatMap((path) => ['a', 'b', 'c'].map((text) => `${path}/${text}`));
  const one = below(['']);
  const two = below(one);
  const three = below(two);
  const longer = ['/a/b/c/a', '/b/a/a/b', '/a/a/a/a/'];
  const paths = ['/', ...[...one, ...two, ...three].flatMap((path) => [path, `${path}/`]), ...longer];
  const requests = hosts.flatMap((host) => paths.flatMap((path) => methods.map((method) => ({ host, path, method }))));

  const request = fc.constantFrom(...requests);
  /** All that routes of one segment can tell apart. */
  const short = requests.filter(({ path }) => path.split('/').length <= 4);

  it('EA-64 the greatest of all routes by plain comparison is the one that is found', () => {
    let good = 0;
    fc.assert(
      fc.property(policy(3), fc.array(request, { minLength: 40, maxLength: 40 }), (rules, sample) => {
        const { snapshot } = compileTexts(textOf(document(rules)));
        if (snapshot === undefined) return;
        good += 1;
        for (const { host, path, method } of sample) {
          const [best] = candidates(rules, host, path, method).toSorted((a, b) => compareRanks(b.rank, a.rank));
          const found = snapshot.routes.match(host, path, method);
          expect(found?.rule.name, `${method} ${host}${path}`).toBe(best?.rule);
          expect(Object.fromEntries(found?.parameters ?? [])).toEqual(best?.parameters ?? {});
        }
      }),
      { numRuns: 2000 },
    );
    expect(good).toBeGreaterThan(1000);
  });

  it('a policy is refused exactly when two of its rules are equal on a request that both match', () => {
    const outcomes = { refused: 0, accepted: 0 };
    fc.assert(
      fc.property(policy(1), (rules) => {
        const pairs = new Set<string>();
        for (const { host, path, method } of short) {
          const found = candidates(rules, host, path, method).toSorted((a, b) => compareRanks(b.rank, a.rank));
          for (const [index, candidate] of found.entries()) {
            const next = found[index + 1];
            if (next !== undefined && compareRanks(candidate.rank, next.rank) === 0)
              pairs.add(`${candidate.rule} ${next.rule}`);
          }
        }
        const { snapshot, problems } = compileTexts(textOf(document(rules)));
        expect(snapshot === undefined, [...pairs].join()).toBe(pairs.size > 0);
        const errors = problems.filter(({ severity }) => severity === 'error');
        expect(errors.every(({ code }) => code === 'equal_rules')).toBe(true);
        outcomes[snapshot === undefined ? 'refused' : 'accepted'] += 1;
      }),
      { numRuns: 400 },
    );
    expect(outcomes.refused).toBeGreaterThan(70);
    expect(outcomes.accepted).toBeGreaterThan(70);
  });
});
