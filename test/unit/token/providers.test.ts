import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import type { Issuer, ProviderName } from '../../../src/token/issuer.ts';
import { parseJws } from '../../../src/token/jws.ts';
import { issuerFor, mintToken } from '../../../src/token/minted-token.ts';
import { providers } from '../../../src/token/providers.ts';
import { findInvalidity } from '../../../src/token/validity.ts';
import { admitToken, readToken } from '../../../src/token/verify.ts';
import { issuerOf } from '../../support/issuer.ts';

const now = 1_800_000_000;
const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const names = Object.keys(providers) as ProviderName[];

function minted(issuer: Issuer, claims: Record<string, unknown>): { header: unknown; payload: unknown } {
  const [header = '', payload = ''] = mintToken(issuer, claims, now).split('.');
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), payload: read(payload) };
}

/** The reason why the token that is made of the claims is refused; undefined: it is good. */
function refusal(issuer: Issuer, claims: Record<string, unknown>): string | undefined {
  const jws = parseJws(mintToken(issuer, claims, now));
  if (jws instanceof Stop) return jws.reason;
  const admitted = admitToken(jws, issuer);
  if (admitted instanceof Stop) return admitted.reason;
  const token = readToken(jws, issuer, undefined);
  return token instanceof Stop ? token.reason : findInvalidity(token, now * 1000)?.reason;
}

describe('a token that is made up for a test', () => {
  const over = (provider: ProviderName): Partial<Issuer> => ({
    provider,
    clientIds: new Set(['web']),
    ...(provider === 'cognito' ? { audiences: [] } : {}),
    ...(provider === 'entra' ? { tenant } : {}),
  });
  const filled = { iss: 'https://idp.test', aud: 'api', iat: now, exp: now + 300, sub: 'ada' };
  const { aud: _aud, ...withoutAudience } = filled;
  const expected: Record<ProviderName, { typ?: string; payload: object }> = {
    generic: { typ: 'at+jwt', payload: { ...filled, client_id: 'web' } },
    rfc9068: { typ: 'at+jwt', payload: { ...filled, client_id: 'web', jti: 'minted' } },
    keycloak: { typ: 'JWT', payload: { ...filled, azp: 'web', typ: 'Bearer' } },
    auth0: { typ: 'JWT', payload: { ...filled, azp: 'web' } },
    okta: { payload: { ...filled, cid: 'web', ver: 1 } },
    cognito: { payload: { ...withoutAudience, client_id: 'web', token_use: 'access' } },
    entra: { typ: 'JWT', payload: { ...filled, azp: 'web', tid: tenant } },
  };

  it.each(names)('%s: has what its tokens have', (name) => {
    const { header, payload } = minted(issuerOf(over(name)), { sub: 'ada' });
    const { typ } = expected[name];
    expect(header).toStrictEqual(typ === undefined ? { alg: 'RS256' } : { alg: 'RS256', typ });
    expect(payload).toStrictEqual(expected[name].payload);
  });

  it.each(names)('%s: is accepted', (name) => {
    expect(refusal(issuerOf(over(name)), { sub: 'ada' })).toBeUndefined();
  });

  it.each(names)('%s: is refused for another client', (name) => {
    const [clientClaim] = providers[name].clientClaims;
    expect(refusal(issuerOf(over(name)), { sub: 'ada', [clientClaim]: 'other' })).toBe('client_not_allowed');
  });

  it.each(names)('%s: is refused as an ID token, which names its client, without aud', (name) => {
    const marks = { sub: 'ada', aud: 'web', typ: 'ID', token_use: 'id', at_hash: 'x' };
    expect(refusal(issuerOf(over(name)), marks)).toBe('token_type_refused');
  });
});

describe('IDP-04 tenants that share a name', () => {
  const a = issuerOf({ issuer: 'https://idp.test/a/', tenant: 'a' });
  const b = issuerOf({ issuer: 'https://idp.test/b/', tenant: 'b' });

  it.each<[string, Record<string, unknown>, Issuer]>([
    ['no tid: the first', {}, a],
    ['tid: its tenant', { tid: 'b' }, b],
    ['iss: the issuer of that name', { iss: b.issuer }, b],
    ['iss and another tid: that of iss, so that tid is found wrong', { iss: b.issuer, tid: 'a' }, b],
    ['an unknown tid: the first', { tid: 'c' }, a],
  ])('%s', (_name, claims, issuer) => {
    expect(issuerFor(claims, [a, b])).toBe(issuer);
  });

  it('none: none', () => {
    expect(issuerFor({ tid: 'a' }, [])).toBeUndefined();
  });

  it('an issuer without tenant: tid is not looked at', () => {
    expect(refusal(issuerOf({ provider: 'entra' }), { sub: 'ada', tid: 'anything' })).toBeUndefined();
    expect(refusal(issuerOf({ provider: 'entra' }), { sub: 'ada' })).toBe('claim_invalid');
  });
});
