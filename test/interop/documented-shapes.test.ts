/**
 * Okta and Microsoft Entra cannot be started here: these are not their tokens. They are made here in the shapes that the two document, under
 * their real issuer names, with a key that the policy holds.
 */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe } from 'vitest';
import type { JsonObject } from '../../deploy/envoy/config.ts';
import { Stage } from './stage.ts';
import { InteropTable } from './table.ts';

const table = new InteropTable('documented-shapes', ['provider', 'made here in the documented shape', 'result']);
const kid = 'k1';
const org = 'https://acme.okta.com';
const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const otherTenant = '5a4a0d4c-7a3b-4e0e-9f3e-6d2a54e0d7b9';
const entraApi = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
let stage: Stage;
let privateKey: Parameters<SignJWT['sign']>[0];

beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  privateKey = pair.privateKey;
  const key = { ...(await exportJWK(pair.publicKey)), kid, use: 'sig' };
  const jwks = { inline: { keys: [key as JsonObject] } };
  const entra = { provider: 'entra', jwks };
  stage = await Stage.create({
    issuers: [
      { name: 'okta', provider: 'okta', issuer: `${org}/oauth2/default`, audiences: ['api://default'], jwks },
      { ...entra, name: 'entra', issuer: v2(tenant), audiences: [entraApi] },
      { ...entra, name: 'entra-v1', issuer: v1(tenant), audiences: [`api://${entraApi}`] },
    ],
  });
});

afterAll(() => stage?.stop());

function v2(id: string): string {
  return `https://login.microsoftonline.com/${id}/v2.0`;
}

function v1(id: string): string {
  return `https://sts.windows.net/${id}/`;
}

async function ask(header: Readonly<Record<string, string>>, claims: JWTPayload): Promise<string> {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid, ...header })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  return stage.ask({ token });
}

describe('Okta', () => {
  const seconds = Math.floor(Date.now() / 1000);
  const access = {
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    iss: `${org}/oauth2/default`,
    aud: 'api://default',
    cid: '0oabv6kx4qq6h1U5l0h7',
    scp: ['openid', 'orders:read'],
  };
  const ofUser = { ...access, uid: '00ujmkLgagxeRrAg20g3', sub: 'ada@example.com', auth_time: seconds };
  const ofMachine = { ...access, sub: access.cid, scp: ['orders:read'] };
  const org_ = { ...ofUser, iss: org, aud: org };
  const { cid, uid, scp, ...rest } = ofUser;
  const id = { ...rest, jti: 'ID.4eAWJOCMB3SX8XewDfVR', sub: uid, aud: cid, amr: ['pwd'], idp: '00o1', name: 'Ada' };

  table.row(['Okta', 'access token of a user: no `typ`, `scp` a list, `cid`'], `200 ${cid}`, () => ask({}, ofUser));
  table.row(['Okta', 'access token of a machine'], `200 ${cid}`, () => ask({}, ofMachine));
  table.row(['Okta', 'access token without the scope'], '403 insufficient_scope', () =>
    ask({}, { ...ofUser, scp: scp.slice(0, 1) }),
  );
  table.row(['Okta', 'access token of the org server'], '401 issuer_untrusted', () =>
    ask({ typ: 'application/okta-internal-at+jwt' }, org_),
  );
  table.row(['Okta', 'ID token'], '401 audience_mismatch', () => ask({}, id));
  table.row(['Okta', 'ID token with `at_hash`'], '401 token_type_refused', () =>
    ask({}, { ...id, at_hash: 'n7xh0naRXgdkzqTU9QiHKA' }),
  );
});

describe('Entra', () => {
  const client = '11f5fa52-4b52-4a6b-9c63-6a4a9e4d4c6e';
  const typ = { typ: 'JWT' };
  const common = { tid: tenant, oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474', sub: 'HKZpfaHyWadeOouYlitjrI' };
  const user = { ...common, ver: '2.0', iss: v2(tenant), aud: entraApi, azp: client, azpacr: '1', scp: 'orders:read' };
  const { scp, ...noScopes } = user;
  const id = { ...common, ver: '2.0', iss: v2(tenant), aud: client, nonce: 'n', preferred_username: 'ada@example.com' };
  const first = { ...common, ver: '1.0', iss: v1(tenant), aud: `api://${entraApi}`, appid: client, appidacr: '1', scp };

  table.row(['Entra', 'access token of version 2, of a user'], `200 ${client}`, () => ask(typ, user));
  table.row(['Entra', 'access token of version 1, of a user'], `200 ${client}`, () => ask(typ, first));
  table.row(['Entra', 'access token of an application: `roles` are no scopes'], '403 insufficient_scope', () =>
    ask(typ, { ...noScopes, roles: ['orders:read'] }),
  );
  table.row(['Entra', 'access token of another tenant'], '401 issuer_untrusted', () =>
    ask(typ, { ...user, tid: otherTenant, iss: v2(otherTenant) }),
  );
  table.row(['Entra', '`tid` and `iss` disagree'], '401 claim_invalid', () => ask(typ, { ...user, tid: otherTenant }));
  table.row(['Entra', 'access token for Microsoft Graph'], '401 audience_mismatch', () =>
    ask(typ, { ...first, aud: 'https://graph.microsoft.com' }),
  );
  table.row(['Entra', 'ID token'], '401 token_type_refused', () => ask(typ, id));
});

describe('the table', () => table.compareWithPage());
