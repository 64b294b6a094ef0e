/**
 * A real oidc-provider, whose access tokens are what RFC 9068 says: what Scopegate makes of them and of what else it gives.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { DpopKey, type Login, logIn, requestToken, type TokenAnswer } from './oauth-client.ts';
import {
  algorithmClient,
  clients,
  type OidcIssuer,
  oidcAlgorithms,
  redirectUri,
  startOidcIssuer,
} from './oidc-issuer.ts';
import { api, ordersUrl, Stage } from './stage.ts';
import { InteropTable } from './table.ts';
import { read } from './token.ts';

const table = new InteropTable('oidc-provider', ['oidc-provider', 'result']);
let issuer: OidcIssuer;
let stage: Stage;
let key: DpopKey;

beforeAll(async () => {
  issuer = await startOidcIssuer();
  key = await DpopKey.create();
  const entry = {
    name: 'oidc',
    issuer: issuer.url,
    provider: 'rfc9068',
    audiences: [api],
    insecure: { allowHttp: true },
  };
  // A key that is published later is to be seen at once, more than once.
  stage = await Stage.create({ issuers: [entry], serve: ['--jwks-cooldown', '1s'] });
});

afterAll(async () => {
  await stage?.stop();
  await issuer.stop();
});

const form = { grant_type: 'client_credentials', scope: 'orders:read' };

async function serviceToken(client: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const options = { secret: `${client}-secret` };
  const { access_token } = await requestToken(`${issuer.url}/token`, client, { ...form, ...more }, options);
  return access_token;
}

function login(): Promise<Login> {
  return logIn({
    authorizationEndpoint: `${issuer.url}/auth`,
    tokenEndpoint: `${issuer.url}/token`,
    client: clients.spa,
    redirectUri,
    scope: 'openid offline_access orders:read',
    typed: { login: 'ada', password: 'lovelace' },
    more: { prompt: 'consent' },
  });
}

describe('oidc-provider: who may and who may not', () => {
  table.row('discovery and keys', 'ready', async () => String((await stage.serve.readyz()).body['status']));

  table.row('client credentials: `typ: at+jwt`', '200 service', async () => {
    const token = await serviceToken(clients.service);
    expect(read(token).header['typ']).toBe('at+jwt');
    return stage.ask({ token });
  });

  for (const algorithm of oidcAlgorithms) {
    const client = algorithmClient(algorithm);
    table.row(`signed with ${algorithm}`, `200 ${client}`, async () => {
      const token = await serviceToken(client);
      expect(read(token).header['alg']).toBe(algorithm);
      return stage.ask({ token });
    });
  }

  table.row('a client without the scope', '403 insufficient_scope', async () => {
    return stage.ask({ token: await serviceToken(clients.service, { scope: '' }) });
  });

  table.row('a token for another resource (RFC 8707)', '401 audience_mismatch', async () => {
    return stage.ask({ token: await serviceToken(clients.service, { resource: 'https://billing.example.com' }) });
  });
});

describe('oidc-provider: a login, and all that comes with it', () => {
  let tokens: TokenAnswer;

  table.row('code + PKCE at the login and consent pages: the access token', '200 spa', async () => {
    ({ tokens } = await login());
    return stage.ask({ token: tokens.access_token });
  });

  table.row('its ID token: no `typ`, the same key', '401 token_type_refused', async () => {
    const { header } = read(tokens.id_token ?? '');
    expect([header['typ'], header['kid']]).toEqual([undefined, read(tokens.access_token).header['kid']]);
    return stage.ask({ token: tokens.id_token });
  });

  table.row('its refresh token: opaque', '401 token_malformed', () => stage.ask({ token: tokens.refresh_token }));

  table.row('a refreshed access token', '200 spa', async () => {
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    const refreshed = await requestToken(`${issuer.url}/token`, clients.spa, refresh);
    return stage.ask({ token: refreshed.access_token });
  });
});

describe('oidc-provider: bound tokens', () => {
  let bound: string;
  let spent: string;

  table.row('bound to a DPoP key: with a proof', '200 dpop', async () => {
    const options = { secret: `${clients.dpop}-secret`, dpop: key };
    ({ access_token: bound } = await requestToken(`${issuer.url}/token`, clients.dpop, form, options));
    spent = await key.proof({ method: 'GET', url: ordersUrl, token: bound });
    return stage.ask({ token: bound, scheme: 'DPoP', proof: spent });
  });
  table.row('the same proof again', '401 dpop_proof_invalid', () =>
    stage.ask({ token: bound, scheme: 'DPoP', proof: spent }),
  );
  table.row('a proof by another key', '401 sender_constraint_failed', async () =>
    stage.askWithProof(await DpopKey.create(), bound),
  );
  table.row('the scheme Bearer', '401 sender_constraint_failed', () => stage.ask({ token: bound }));

  table.row('bound to a certificate: over TLS with that certificate', '200 certificate-bound', async () => {
    const client = clients.certificateBound;
    const options = { secret: `${client}-secret`, certificate: 'client' } as const;
    ({ access_token: bound } = await requestToken(`${issuer.tlsUrl}/token`, client, form, options));
    return stage.ask({ token: bound, tls: 'client' });
  });
  table.row('with another certificate', '401 sender_constraint_failed', () =>
    stage.ask({ token: bound, tls: 'other-client' }),
  );
  table.row('without TLS', '401 sender_constraint_failed', () => stage.ask({ token: bound }));
});

describe('oidc-provider: rotation of its key', () => {
  let before: string;

  table.row('a new key signs, the old one is kept: tokens of both', '200 service, 200 service', async () => {
    before = await serviceToken(clients.service);
    await issuer.rotate('kept');
    const token = await serviceToken(clients.service);
    expect(read(token).header['kid']).not.toBe(read(before).header['kid']);
    return `${await stage.ask({ token })}, ${await stage.ask({ token: before })}`;
  });

  table.row('a new key signs, the old ones are gone: tokens of both', '200 service, 401 key_unknown', async () => {
    before = await serviceToken(clients.service);
    await issuer.rotate('dropped');
    const token = await serviceToken(clients.service);
    // The cool-down after the fetch before.
    await expect.poll(() => stage.ask({ token }), { timeout: 10_000 }).toBe('200 service');
    return `${await stage.ask({ token })}, ${await stage.ask({ token: before })}`;
  });
});

describe('the table', () => table.compareWithPage());
