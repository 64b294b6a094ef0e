import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTexts, type PolicyObject, show, snapshotOf, textOf } from './policy-text.ts';

interface RuleText {
  readonly name: string;
  readonly paths: readonly string[];
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  readonly mode?: 'enforce' | 'shadow';
}

const policyOf = (rules: readonly RuleText[], more: PolicyObject = {}): PolicyObject => ({
  ...more,
  rules: rules.map((rule) => ({ ...rule, access: 'deny' })),
});

function unreachable(policy: PolicyObject): readonly string[] {
  return compileTexts(textOf(policy)).problems.flatMap(({ code, message }) =>
    code === 'unreachable_rule' ? [/rule `(.*?)`/.exec(message)?.[1] ?? ''] : [],
  );
}

const all = { name: 'all', paths: ['/a/**'] };
function inMode(rule: RuleText): RuleText {
  return { ...rule, mode: 'shadow' };
}

const covering = [
  { name: 'itself', paths: ['/a', '/a/'] },
  { name: 'below', paths: ['/a/{x}/**'] },
];

describe('rules that no request can reach', () => {
  it('`/**` whose path, slash and all below are taken: told, with one of those that take them', () => {
    const { problems } = compileTexts(textOf(policyOf([all, ...covering])));
    expect(problems.map(show)).toEqual([
      '1:67 unreachable_rule: no request reaches rule `all`, rule `below` is more specific on all it covers',
    ]);
  });

  const cases: Readonly<Record<string, [rules: readonly RuleText[], found: readonly string[]]>> = {
    'taken level by level': [
      [all, { name: 'one', paths: ['/a', '/a/', '/a/{x}', '/a/{x}/'] }, { name: 'two', paths: ['/a/{x}/{y}/**'] }],
      ['all'],
    ],
    'not the path with a slash': [[all, { name: 'b', paths: ['/a', '/a/{x}/**'] }], []],
    'not the path itself': [[all, { name: 'b', paths: ['/a/', '/a/{x}/**'] }], []],
    'not all below': [[all, { name: 'b', paths: ['/a', '/a/', '/a/{x}', '/a/b/**'] }], []],
    'not every method': [[all, ...covering.map((rule) => ({ ...rule, methods: ['GET'] }))], []],
    'each of its methods, by different rules': [
      [
        { ...all, methods: ['GET', 'PUT'] },
        { name: 'get', paths: ['/a', '/a/', '/a/{x}/**'], methods: ['GET'] },
        { name: 'put', paths: ['/a', '/a/', '/a/{x}/**'], methods: ['PUT'] },
      ],
      ['all'],
    ],
    'by rules for any method': [[{ ...all, methods: ['GET'] }, ...covering], ['all']],
    'not on its host': [[{ ...all, hosts: ['a.test'] }, ...covering], []],
    'on its host': [
      [{ ...all, hosts: ['a.test'] }, ...covering.map((rule) => ({ ...rule, hosts: ['a.test'] }))],
      ['all'],
    ],
    'on one of its hosts': [
      [{ ...all, hosts: ['a.test', '*.b.test'] }, ...covering.map((rule) => ({ ...rule, hosts: ['a.test'] }))],
      [],
    ],
    'any host, by rules for some': [[all, ...covering.map((rule) => ({ ...rule, hosts: ['a.test', '*.test'] }))], []],
    'one of its paths': [[{ ...all, paths: ['/a/**', '/b'] }, ...covering], []],
    'by itself: it is reached through its other paths': [
      [{ name: 'all', paths: ['/a', '/a/', '/a/{x}/**', '/a/**'] }],
      [],
    ],
    'the root': [
      [
        { name: 'root', paths: ['/**'] },
        { name: 'rest', paths: ['/', '/{x}/**'] },
      ],
      ['root'],
    ],
    'an enforcing rule by shadow rules': [[all, ...covering.map(inMode)], []],
    'a shadow rule by shadow rules': [[all, ...covering].map(inMode), ['all']],
  };
  it.each(Object.entries(cases))('%s', (_name, [rules, found]) => {
    expect(unreachable(policyOf(rules))).toEqual(found);
  });

  const metadata = { defaults: { resourceMetadata: 'https://a.test' } };
  const wellKnown = '/.well-known/oauth-protected-resource';
  it.each<[string, RuleText, PolicyObject, readonly string[]]>([
    ['GET of the document', { name: 'm', paths: [wellKnown], methods: ['GET'] }, metadata, ['m']],
    ['GET below it', { name: 'm', paths: [`${wellKnown}/**`, `${wellKnown}/{a}`], methods: ['GET'] }, metadata, ['m']],
    ['HEAD too', { name: 'm', paths: [wellKnown], methods: ['GET', 'HEAD'] }, metadata, []],
    ['any method', { name: 'm', paths: [wellKnown] }, metadata, []],
    ['a path that only begins like it', { name: 'm', paths: [`${wellKnown}s`], methods: ['GET'] }, metadata, []],
    ['as a shadow', { name: 'm', paths: [wellKnown], methods: ['GET'], mode: 'shadow' }, metadata, []],
    ['no such document', { name: 'm', paths: [wellKnown], methods: ['GET'] }, {}, []],
  ])('PR-01 the well-known path, %s', (_name, rule, more, found) => {
    expect(unreachable(policyOf([rule], more))).toEqual(found);
  });

  it('beside errors: told all the same, but not on the word of a rule that is not whole', () => {
    const broken = { name: 'x', access: 'denied', paths: ['/x'] };
    const policy = policyOf([all, ...covering]);
    expect(unreachable({ rules: [...(policy.rules ?? []), broken] })).toEqual(['all']);
    const [first = {}, second = {}, ...others] = policy.rules ?? [];
    expect(unreachable({ rules: [first, { ...second, colour: 1 }, ...others] })).toEqual([]);
  });
});

describe('any policy', () => {
  // Mostly those that take others away.
  const often = ['/a', '/a/', '/a/**', '/a/{x}/**', '/', '/{x}/**', '/**', '/{x}', '/{x}/', '/{x}/{y}/**'];
  const seldom = [
    '/b',
    '/a/b',
    '/a/b/',
    '/a/b/**',
    '/a/{x}',
    '/a/{x}/',
    '/{x}/a',
    '/{x}/a/**',
    '/{x}/{y}',
    '/{x}/{y}/',
    '/b/{x}',
  ];
  const pathText = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...often) },
    { weight: 1, arbitrary: fc.constantFrom(...seldom) },
  );
  const ruleText = fc.record(
    {
      paths: fc.uniqueArray(pathText, { minLength: 1, maxLength: 3 }),
      methods: fc.option(fc.uniqueArray(fc.constantFrom('GET', 'PUT'), { minLength: 1 }), { nil: undefined, freq: 1 }),
      hosts: fc.option(fc.uniqueArray(fc.constantFrom('h.test', '*.test'), { minLength: 1 }), {
        nil: undefined,
        freq: 1,
      }),
    },
    { requiredKeys: ['paths'] },
  );

  // Deeper than any pattern, with a segment, a method and hosts that no rule names.
  const values = ['a', 'b', 'other'];
  const deeper = (requests: readonly string[]): readonly string[] =>
    requests.flatMap((request) => values.map((value) => `${request}/${value}`));
  const levels = [1, 2, 3].reduce<(readonly string[])[]>((found) => [...found, deeper(found.at(-1) ?? [])], [['']]);
  const requestPaths = levels.flat().flatMap((base) => (base === '' ? ['/'] : [base, `${base}/`]));

  it('a rule is told to be out of reach exactly when no request of all that tell the rules apart finds it', () => {
    let found = 0;
    fc.assert(
      fc.property(fc.array(ruleText, { minLength: 2, maxLength: 8 }), (fields) => {
        const policy = policyOf(fields.map((rule, index) => ({ ...rule, name: `r${index}` }) as RuleText));
        fc.pre(compileTexts(textOf(policy)).snapshot !== undefined);
        const { routes, rules } = snapshotOf(policy);
        const reached = new Set(
          ['h.test', 'x.test', 'other'].flatMap((host) =>
            ['GET', 'PUT', 'OTHER'].flatMap((method) =>
              requestPaths.map((path) => routes.match(host, path, method)?.rule.name),
            ),
          ),
        );
        const expected = rules.map(({ name }) => name).filter((name) => !reached.has(name));
        found += expected.length;
        expect(unreachable(policy).toSorted()).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
    // Else nothing was compared.
    expect(found).toBeGreaterThan(10);
  });
});
