import { describe, expect, it } from 'vitest';
import { headersToRemove } from '../../../src/authorizer/identity-headers.ts';
import type { Header } from '../../../src/decision/decision.ts';
import type { PolicySnapshot, Rule } from '../../../src/policy/snapshot.ts';

const always = ['x-envoy-auth-failure-mode-allowed', 'x-envoy-auth-partial-body'];

function removed(
  identity: string[],
  { set = [], sent = [], forwardToken = true }: { set?: Header[]; sent?: string[]; forwardToken?: boolean } = {},
) {
  const snapshot = { identityHeaders: new Set(identity) } as unknown as PolicySnapshot;
  const rule = { forwardToken } as Rule;
  const names = headersToRemove(snapshot, rule, { values: () => [], underscoreNames: sent }, set);
  expect(new Set(names).size).toBe(names.length);
  return names.filter((name) => !always.includes(name)).toSorted();
}

describe('headersToRemove', () => {
  it('EA-14 whatever the policy says: the marks of Envoy', () => {
    const snapshot = { identityHeaders: new Set() } as unknown as PolicySnapshot;
    const headers = { values: () => [], underscoreNames: [] };
    expect(headersToRemove(snapshot, { forwardToken: true } as Rule, headers, [])).toEqual(always);
  });

  it('EA-13 an identity header: every mix of hyphens and underscores', () => {
    expect(removed(['x-user-id'])).toEqual(['x-user-id', 'x-user_id', 'x_user-id', 'x_user_id']);
  });

  it('EA-12 one that is set: not removed, its other spellings are', () => {
    expect(removed(['x-user'], { set: [['x-user', 'ada']] })).toEqual(['x_user']);
  });

  it('EA-13 an identity header named with underscores: the spelling with hyphens too', () => {
    expect(removed(['x_user'], { set: [['x_user', 'ada']] })).toEqual(['x-user']);
  });

  it('EA-13 a name of many parts: both pure spellings, and each mixed one that came', () => {
    const sent = ['a_b-c-d-e-f', 'x_other'];
    expect(removed(['a-b-c-d-e-f'], { sent })).toEqual(['a-b-c-d-e-f', 'a_b-c-d-e-f', 'a_b_c_d_e_f']);
  });

  it('EA-16 forwardToken false: the credentials', () => {
    expect(removed([], { forwardToken: false })).toEqual(['authorization', 'dpop']);
  });
});
