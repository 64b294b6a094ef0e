/**
 * The Auth0 simulator: only roughly the shape of Auth0's tokens, and enough to see its issuer with a slash at the end, its private CA and an ID
 * token that has no mark of one.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { readTestPem } from '../support/jwks-server.ts';
import { type Emulator, startAuth0 } from './emulators.ts';
import { send, type TokenAnswer } from './oauth-client.ts';
import { api, Stage } from './stage.ts';
import { InteropTable } from './table.ts';
import { read } from './token.ts';

const table = new InteropTable('auth0', ['Auth0 simulator', 'result']);
let auth0: Emulator;
let stage: Stage;

beforeAll(async () => {
  auth0 = await startAuth0(api);
  const jwks = { ca: readTestPem('ca.pem') };
  const issuer = { name: 'auth0', issuer: `${auth0.url}/`, provider: 'auth0', audiences: [api], jwks };
  stage = await Stage.create({ issuers: [issuer] });
});

afterAll(async () => {
  await stage?.stop();
  await auth0?.stop();
});

async function tokensFor(form: object): Promise<TokenAnswer> {
  const { status, body } = await send(`${auth0.url}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(form),
  });
  if (status !== 200) throw new Error(`no token: ${status} ${body}`);
  return JSON.parse(body) as TokenAnswer;
}

describe('the Auth0 simulator', () => {
  const login = { grant_type: 'password', client_id: 'spa', username: 'ada@example.com', password: 'lovelace' };
  let tokens: TokenAnswer;

  table.row('discovery and keys, the CA from the policy', 'ready', async () => {
    return String((await stage.serve.readyz()).body['status']);
  });

  table.row('a login with a password: the access token, which names no client', '200 no client', async () => {
    tokens = await tokensFor({ ...login, audience: api });
    return stage.ask({ token: tokens.access_token });
  });

  table.row('its ID token: the key and `typ` of the access token', '401 audience_mismatch', async () => {
    expect(read(tokens.id_token ?? '').header).toEqual(read(tokens.access_token).header);
    return stage.ask({ token: tokens.id_token });
  });

  table.row('its refresh token: opaque', '401 token_malformed', () => stage.ask({ token: tokens.refresh_token }));

  table.row('an access token for another API', '401 audience_mismatch', async () => {
    const other = await tokensFor({ ...login, audience: 'https://billing.example.com' });
    return stage.ask({ token: other.access_token });
  });

  const client = { grant_type: 'client_credentials', client_id: 'service', client_secret: 'any' };

  table.row('client credentials: the simulator leaves out `sub`, Auth0 does not', '401 claim_invalid', async () => {
    const { access_token } = await tokensFor({ ...client, audience: api });
    expect(read(access_token).payload).not.toHaveProperty('sub');
    return stage.ask({ token: access_token });
  });
});

describe('the table', () => table.compareWithPage());
