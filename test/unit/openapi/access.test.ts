import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Access,
  type Alternative,
  anyOf,
  bothOf,
  isSameAccess,
  untranslated,
} from '../../../src/openapi/access.ts';

const alternative = (issuer: string, ...scopes: string[]): Alternative => ({ issuer, scopes: new Set(scopes) });

/** `issuers: all of; any of`, and what was left out. */
function show({ access, leftOut }: ReturnType<typeof anyOf>): string {
  const said =
    access.kind === 'token'
      ? `${access.issuers.join()}: ${access.scopes.join() || '-'}; ${access.anyScope.join() || '-'}`
      : access.kind;
  return [said, ...leftOut.map((index) => `without ${index}`)].join(' ');
}

describe('alternatives as one rule', () => {
  const cases: Readonly<Record<string, [alternatives: readonly Alternative[], shown: string]>> = {
    'one: all of its scopes': [[alternative('i', 'a', 'b')], 'i: a,b; -'],
    'one without scopes: any token': [[alternative('i')], 'i: -; -'],
    'two of one scope each: any of them': [[alternative('i', 'a'), alternative('i', 'b')], 'i: -; a,b'],
    'a common scope and one each: both kinds': [[alternative('i', 'c', 'a'), alternative('i', 'b', 'c')], 'i: c; a,b'],
    'the same twice: once': [[alternative('i', 'a'), alternative('i', 'a')], 'i: a; -'],
    'one that asks for more than another: it adds nobody': [
      [alternative('i', 'a', 'b'), alternative('i', 'a')],
      'i: a; -',
    ],
    'one without scopes beside others: any token': [[alternative('i', 'a'), alternative('i')], 'i: -; -'],
    'two scopes or another: the first, since no rule says it': [
      [alternative('i', 'a', 'b'), alternative('i', 'c')],
      'i: a,b; - without 1',
    ],
    'what fits the earlier ones is kept': [
      [alternative('i', 'a'), alternative('i', 'b', 'c'), alternative('i', 'd')],
      'i: -; a,d without 1',
    ],
    'two issuers with the same scopes: either': [[alternative('i', 'a'), alternative('j', 'a')], 'i,j: a; -'],
    'two issuers with other scopes: the first': [[alternative('i', 'a'), alternative('j', 'b')], 'i: a; - without 1'],
    'two issuers with the same choice, in any order: either': [
      [alternative('i', 'a'), alternative('i', 'b'), alternative('j', 'b'), alternative('j', 'a')],
      'i,j: -; a,b',
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [alternatives, shown]) => {
    expect(show(anyOf(alternatives))).toBe(shown);
  });
});

const scopes = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 });
const issuer = fc.constantFrom('i', 'j');
const tokens = ['i', 'j'].flatMap((name) =>
  Array.from({ length: 16 }, (_, bits) => ({
    issuer: name,
    scopes: new Set(['a', 'b', 'c', 'd'].filter((_scope, at) => (bits >> at) % 2 === 1)),
  })),
);

type Token = (typeof tokens)[number];

function passes(access: Access, token: Token): boolean {
  if (access.kind !== 'token') return access.kind === 'public';
  const hasAny = access.anyScope.length === 0 || access.anyScope.some((scope) => token.scopes.has(scope));
  return access.issuers.includes(token.issuer) && access.scopes.every((scope) => token.scopes.has(scope)) && hasAny;
}

const satisfies = (one: Alternative, token: Token): boolean =>
  one.issuer === token.issuer && [...one.scopes].every((scope) => token.scopes.has(scope));

describe('every token', () => {
  const alternatives = fc.array(
    fc.record({ issuer, scopes }).map(({ issuer: name, scopes: list }) => alternative(name, ...list)),
    { minLength: 1, maxLength: 5 },
  );

  it('passes a rule exactly when it satisfies an alternative that was not left out', () => {
    fc.assert(
      fc.property(alternatives, (list) => {
        const { access, leftOut } = anyOf(list);
        const kept = list.filter((_, index) => !leftOut.includes(index));
        for (const token of tokens) {
          expect(passes(access, token)).toBe(kept.some((one) => satisfies(one, token)));
        }
      }),
    );
  });

  const access: fc.Arbitrary<Access> = fc.oneof(
    fc.record({
      kind: fc.constant('token' as const),
      issuers: fc.uniqueArray(issuer, { minLength: 1 }),
      scopes,
      anyScope: scopes,
    }),
    fc.constant<Access>({ kind: 'public' }),
    fc.constant<Access>(untranslated),
  );

  it('that passes both of two requirements at once satisfies each, and two equal ones stay what they are', () => {
    fc.assert(
      fc.property(access, access, (a, b) => {
        const both = bothOf(a, b);
        for (const token of tokens) {
          if (passes(both, token)) expect([passes(a, token), passes(b, token)]).toEqual([true, true]);
        }
        expect(isSameAccess(bothOf(a, a), a)).toBe(true);
      }),
    );
  });

  it('that passes two requirements of scopes alone passes both at once', () => {
    const plain: Access = { kind: 'token', issuers: ['i'], scopes: ['a'], anyScope: ['b', 'c'] };
    const other: Access = { kind: 'token', issuers: ['i', 'j'], scopes: ['d'], anyScope: ['b'] };
    expect(bothOf(plain, other)).toEqual({ kind: 'token', issuers: ['i'], scopes: ['a', 'd'], anyScope: ['b'] });
  });
});
