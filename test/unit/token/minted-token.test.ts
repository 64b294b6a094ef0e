import { expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import type { Issuer } from '../../../src/token/issuer.ts';
import { parseJws } from '../../../src/token/jws.ts';
import { mintToken } from '../../../src/token/minted-token.ts';
import { admitToken, readToken } from '../../../src/token/verify.ts';
import { issuerOf } from '../../support/issuer.ts';

const now = 1_800_000_000;
const filled = { iss: 'https://idp.test', aud: 'api', iat: now, exp: now + 300 };

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

type Case = readonly [issuer: Partial<Issuer>, claims: Record<string, unknown>, expected: Record<string, unknown>];
const cases: Record<string, Case> = {
  'no claims: issuer, first audience and times': [{ audiences: ['api', 'other'] }, {}, filled],
  'claims that are given: win': [{}, { aud: ['x'], sub: 'ada' }, { ...filled, aud: ['x'], sub: 'ada' }],
  'a claim that is null: taken out': [{}, { exp: null, iat: null }, { iss: filled.iss, aud: 'api' }],
  'null deeper down: stays': [{}, { realm: { roles: null } }, { ...filled, realm: { roles: null } }],
  'an allow-list of clients: the first is the client': [
    { clientIds: new Set(['web', 'batch']) },
    {},
    { ...filled, client_id: 'web' },
  ],
  'a client under another name: no second one beside it': [
    { clientIds: new Set(['web']) },
    { azp: 'batch' },
    { ...filled, azp: 'batch' },
  ],
  'AT-02 a provider that requires jti: has one': [{ provider: 'rfc9068' }, {}, { ...filled, jti: 'minted' }],
  'JWT-14 a member named __proto__: a claim like others': [
    {},
    JSON.parse('{"__proto__":{"scope":"admin"}}') as Record<string, unknown>,
    JSON.parse(JSON.stringify(filled).replace('{', '{"__proto__":{"scope":"admin"},')) as Record<string, unknown>,
  ],
};

it.each(Object.entries(cases))('%s', (_name, [issuer, claims, expected]) => {
  expect(claimsOf(mintToken(issuerOf(issuer), claims, now))).toStrictEqual(expected);
});

it.each<Issuer['provider']>(['generic', 'rfc9068'])(
  '%s: form, class and claims of the token are accepted',
  (provider) => {
    const issuer = issuerOf({ provider, algorithms: new Set(['ES384']) });
    const jws = parseJws(mintToken(issuer, { sub: 'ada', client_id: 'web' }, now));
    if (jws instanceof Stop) throw new Error(jws.detail);
    expect(admitToken(jws, issuer)).toStrictEqual({ algorithm: 'ES384', kid: undefined });
    expect(readToken(jws, issuer, undefined)).not.toBeInstanceOf(Stop);
  },
);
