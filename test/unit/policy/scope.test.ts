import { describe, expect, it } from 'vitest';
import { missingScopes } from '../../../src/policy/scope.ts';

interface Case {
  readonly scopes?: readonly string[];
  readonly anyScope?: readonly string[];
  readonly token: readonly string[];
  readonly missing: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'nothing required: nothing missing': { token: [], missing: [] },
  'all there, in another order: nothing missing': { scopes: ['a', 'b'], token: ['b', 'c', 'a'], missing: [] },
  'one of two there: the other': { scopes: ['a', 'b'], token: ['a'], missing: ['b'] },
  'no scopes in the token: all': { scopes: ['a', 'b'], token: [], missing: ['a', 'b'] },
  'O21-01 longer scope: not the required one': {
    scopes: ['orders:read'],
    token: ['orders:read-all'],
    missing: ['orders:read'],
  },
  'O21-01 other case: not the required one': {
    scopes: ['orders:read'],
    token: ['Orders:Read'],
    missing: ['orders:read'],
  },
  'one of anyScope there: nothing missing': { anyScope: ['a', 'b'], token: ['b'], missing: [] },
  'none of anyScope there: all of them': { anyScope: ['a', 'b'], token: ['c'], missing: ['a', 'b'] },
  'scopes there, none of anyScope: anyScope': {
    scopes: ['a'],
    anyScope: ['b', 'c'],
    token: ['a'],
    missing: ['b', 'c'],
  },
  'anyScope there, scopes not: scopes': { scopes: ['a'], anyScope: ['b'], token: ['b'], missing: ['a'] },
  'neither: scopes first': { scopes: ['a'], anyScope: ['b'], token: [], missing: ['a', 'b'] },
};

describe('missingScopes', () => {
  it.each(Object.entries(cases))('%s', (_name, { scopes = [], anyScope = [], token, missing }) => {
    expect(missingScopes({ scopes, anyScope }, token)).toEqual(missing);
  });
});
