import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { claimAt, readClaims } from '../../../src/token/claims.ts';
import type { Issuer } from '../../../src/token/issuer.ts';
import { issuerOf } from '../../support/issuer.ts';

const good = { iss: 'https://idp.test', sub: 'ada', aud: 'api', exp: 1_800_000_000, iat: 1_799_999_900 };

interface Case {
  claims: object;
  issuer?: Partial<Issuer>;
  expected: object;
}

const actors = (depth: number): object => (depth === 1 ? { sub: 'a' } : { sub: 'a', act: actors(depth - 1) });

const read: Record<string, Case> = {
  'AT-05 scope a string: split': { claims: { scope: 'a b' }, expected: { scopes: ['a', 'b'] } },
  'scope with double spaces: no empty scope': { claims: { scope: ' a  b ' }, expected: { scopes: ['a', 'b'] } },
  'IDP-01 scp a list: as it is': { claims: { scp: ['a', 'b'] }, expected: { scopes: ['a', 'b'] } },
  'IDP-01 scp a string: split': { claims: { scp: 'a b' }, expected: { scopes: ['a', 'b'] } },
  'IDP-01 scope and scp: scope alone': { claims: { scope: 'a', scp: ['b'] }, expected: { scopes: ['a'] } },
  'no scope: none': { claims: {}, expected: { scopes: [] } },
  'scopeClaim a path to a list: read': {
    claims: { realm_access: { roles: ['a'] }, scope: 'b' },
    issuer: { scopeClaim: ['realm_access', 'roles'] },
    expected: { scopes: ['a'] },
  },
  'scopeClaim absent: none': { claims: { scope: 'a' }, issuer: { scopeClaim: ['roles'] }, expected: { scopes: [] } },
  'scopeClaim scope: a list is read': {
    claims: { scope: ['a', 'b'] },
    issuer: { scopeClaim: ['scope'] },
    expected: { scopes: ['a', 'b'] },
  },
  'client from client_id before azp': { claims: { client_id: 'a', azp: 'b' }, expected: { clientId: 'a' } },
  'client from azp before cid': { claims: { azp: 'b', cid: 'c' }, expected: { clientId: 'b' } },
  'client from cid': { claims: { cid: 'c' }, expected: { clientId: 'c' } },
  'aud a list: all': { claims: { aud: ['a', 'b'] }, expected: { audiences: ['a', 'b'] } },
  'aud absent: none': { claims: { aud: undefined }, expected: { audiences: [] } },
  'JWT-04 fractional times: kept': { claims: { exp: 1.5 }, expected: { expiresAt: 1.5 } },
  'JWT-09 sub absent where it need not be': {
    claims: { sub: undefined },
    issuer: { requireSub: false },
    expected: { subject: undefined },
  },
  'TX-01 eight actors': { claims: { act: actors(8) }, expected: { subject: 'ada' } },
  'MT-03 cnf of no shape that can be checked': { claims: { cnf: 'x' }, expected: { confirmation: 'uncheckable' } },
  'cnf with a DPoP key, beside a member of the provider': {
    claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', 'kc-jkt-type': 'DPoP' } },
    expected: { confirmation: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', x5tS256: undefined } },
  },
};

const refused: Record<string, Case['claims']> = {
  'JWT-03 exp absent': { exp: undefined },
  'JWT-04 exp a string': { exp: '1800000000' },
  'JWT-04 exp null': { exp: null },
  'JWT-04 exp infinite': { exp: Number.POSITIVE_INFINITY },
  'JWT-04 exp in milliseconds': { exp: 1_795_465_489_000 },
  'exp 0': { exp: 0 },
  'exp negative': { exp: -1 },
  'JWT-05 nbf a string': { nbf: '1' },
  'JWT-06 iat a boolean': { iat: true },
  'JWT-09 sub absent': { sub: undefined },
  'JWT-09 sub a number': { sub: 5 },
  'JWT-09 sub empty': { sub: '' },
  'JWT-09 sub of 1025 bytes': { sub: 'a'.repeat(1025) },
  'JWT-09 sub with a control character': { sub: 'a\nb' },
  'JWT-09 sub with a C1 control character': { sub: 'a\u0085b' },
  'JWT-15 sub with a lone surrogate': { sub: '\ud800' },
  'JWT-07 aud a number': { aud: 5 },
  'JWT-07 aud with a number in it': { aud: ['api', 5] },
  'JWT-12 jti a number': { jti: 1 },
  'EA-19 jti of 1025 bytes': { jti: 'j'.repeat(1025) },
  'EA-19 client_id of 1025 bytes': { client_id: 'c'.repeat(1025) },
  'EA-19 azp of 1025 bytes': { azp: 'c'.repeat(1025) },
  'client_id a list': { client_id: ['a'] },
  'azp a number': { azp: 5 },
  'scope a list': { scope: ['a'] },
  'scope a number': { scope: 5 },
  'scp with a number in it': { scp: ['a', 5] },
  'acr a number': { acr: 1 },
  'auth_time a string': { auth_time: '1' },
  'TX-01 act a string': { act: 'a' },
  'TX-01 nine actors': { act: actors(9) },
  'RA-01 authorization_details an object': { authorization_details: {} },
  'RA-01 a detail without type': { authorization_details: [{ actions: ['read'] }] },
};

const withoutUndefined = (claims: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));

describe('readClaims', () => {
  it.each(Object.entries(read))('%s', (_name, { claims, issuer = {}, expected }) => {
    expect(readClaims(withoutUndefined({ ...good, ...claims }), issuerOf(issuer))).toMatchObject(expected);
  });

  it.each(Object.entries(refused))('%s: claim_invalid', (_name, claims) => {
    expect(readClaims(withoutUndefined({ ...good, ...claims }), issuerOf())).toMatchObject({ reason: 'claim_invalid' });
  });

  it.each(['sub', 'client_id', 'iat', 'jti', 'exp'])('AT-02 rfc9068 without %s: claim_invalid', (name) => {
    const complete = { ...good, client_id: 'web', jti: 'j', scope: 'a' };
    const issuer = issuerOf({ provider: 'rfc9068' });
    expect(readClaims(complete, issuer)).not.toBeInstanceOf(Stop);
    expect(readClaims(withoutUndefined({ ...complete, [name]: undefined }), issuer)).toMatchObject({
      reason: 'claim_invalid',
    });
  });

  it('JWT-14 a claim __proto__ in the payload: gives no claims', () => {
    const claims = JSON.parse('{"__proto__":{"scope":"admin","client_id":"root"}}') as Record<string, unknown>;
    expect(readClaims({ ...good, ...claims }, issuerOf())).toMatchObject({ scopes: [], clientId: undefined });
  });
});

describe('claimAt', () => {
  it.each<[string, object, string[], unknown]>([
    ['a nested member', { a: { b: 1 } }, ['a', 'b'], 1],
    ['a member with dots', { 'a.b': 1 }, ['a.b'], 1],
    ['JWT-14 an inherited member', {}, ['toString'], undefined],
    ['JWT-14 an inherited path', {}, ['constructor', 'name'], undefined],
    ['a list is no object', { a: [1] }, ['a', '0'], undefined],
    ['a string is no object', { a: 'x' }, ['a', 'length'], undefined],
  ])('%s', (_name, claims, path, expected) => {
    expect(claimAt({ ...claims }, path)).toBe(expected);
  });
});
