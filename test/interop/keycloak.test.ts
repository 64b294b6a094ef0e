/**
 * A real Keycloak: the tokens that it gives, of every kind and algorithm, and what Scopegate makes of them.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../deploy/envoy/config.ts';
import { type Keycloak, startKeycloak } from './keycloak.ts';
import {
  algorithmClient,
  clients,
  createRealm,
  keycloakAlgorithms,
  redirectUri,
  SigningKeys,
  user,
} from './keycloak-realm.ts';
import {
  type ClientOptions,
  DpopKey,
  type Login,
  logIn,
  requestToken,
  type TokenAnswer,
  tokenRequest,
} from './oauth-client.ts';
import { api, ordersUrl, Stage } from './stage.ts';
import { type Answered, SteadyLoad } from './steady-load.ts';
import { InteropTable } from './table.ts';
import { read } from './token.ts';

const table = new InteropTable('keycloak', ['Keycloak', 'result']);
const realm = 'orders';
let keycloak: Keycloak;
let issuer: string;
let stage: Stage;
let key: DpopKey;
let logoutListener: Server;
let logoutToken: Promise<string>;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  keycloak = await startKeycloak();
  cleanUp.push(() => keycloak.stop());
  logoutListener = createServer();
  logoutListener.listen(0, '127.0.0.1');
  await once(logoutListener, 'listening');
  cleanUp.push(() => new Promise((closed) => logoutListener.close(closed)));
  logoutToken = receiveLogoutToken(logoutListener);
  const { port } = logoutListener.address() as AddressInfo;
  issuer = await createRealm(keycloak, realm, { logoutUrl: `http://127.0.0.1:${port}/logout` });
  key = await DpopKey.create();
  stage = await Stage.create({
    // Tokens that last a second are to be seen expiring.
    issuers: [{ ...policyIssuer(), clockSkew: '1s' }],
  });
  cleanUp.push(() => stage.stop());
});

afterAll(async () => {
  for (const end of cleanUp.toReversed()) await end();
});

function policyIssuer(): JsonObject {
  return { name: 'keycloak', issuer, provider: 'keycloak', audiences: [api], insecure: { allowHttp: true } };
}

async function receiveLogoutToken(server: Server): Promise<string> {
  const [request, response] = (await once(server, 'request')) as Parameters<Parameters<Server['on']>[1]>;
  const token = new URLSearchParams(await readAll(request)).get('logout_token');
  response.end();
  return token ?? 'none';
}

function endpoint(name: 'auth' | 'token' | 'logout', base = issuer): string {
  return `${base}/protocol/openid-connect/${name}`;
}

/** Over TLS, where a certificate is asked for. */
function tlsEndpoint(): string {
  return endpoint('token', issuer.replace(keycloak.url, keycloak.tlsUrl));
}

const clientCredentials = { grant_type: 'client_credentials' };

async function serviceToken(client: string, options: ClientOptions = {}): Promise<string> {
  const { access_token } = await requestToken(endpoint('token'), client, clientCredentials, {
    secret: `${client}-secret`,
    ...options,
  });
  return access_token;
}

function login(client: string, options: ClientOptions = {}, scope = 'openid orders:read'): Promise<Login> {
  return logIn({
    authorizationEndpoint: endpoint('auth'),
    tokenEndpoint: endpoint('token'),
    client,
    redirectUri,
    scope,
    typed: { username: user.name, password: user.password },
    ...options,
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The different answers of several. */
function joined(...answers: readonly string[]): string {
  return [...new Set(answers.flatMap((answer) => answer.split(', ')))].join(', ');
}

describe('Keycloak: who may and who may not', () => {
  table.row('discovery and keys, among them one for encryption', 'ready', async () => {
    const { body } = await stage.serve.readyz();
    return String(body['status']);
  });

  table.row('client credentials: `typ: JWT`', '200 service', async () => {
    const token = await serviceToken(clients.service);
    expect(read(token).header['typ']).toBe('JWT');
    return stage.ask({ token });
  });

  table.row('client credentials: `typ: at+jwt`', '200 rfc9068', async () => {
    const token = await serviceToken(clients.rfc9068);
    expect(read(token).header['typ']).toBe('at+jwt');
    return stage.ask({ token });
  });

  table.row('no token', '401 token_missing', () => stage.ask({}));

  table.row('a client without the scope', '403 insufficient_scope', async () => {
    return stage.ask({ token: await serviceToken(clients.scopeless) });
  });

  table.row('a token for another API', '401 audience_mismatch', async () => {
    return stage.ask({ token: await serviceToken(clients.elsewhere) });
  });

  table.row('a lightweight token: no `aud`', '401 audience_mismatch', async () => {
    const token = await serviceToken(clients.lightweight);
    expect(read(token).payload).not.toHaveProperty('aud');
    return stage.ask({ token });
  });

  table.row('a token of another realm, `master`', '401 issuer_untrusted', async () => {
    return stage.ask({ token: await keycloak.adminToken() });
  });

  table.row('a token that expired', '200 short, then 401 token_expired', async () => {
    const token = await serviceToken(clients.short);
    const first = await stage.ask({ token });
    await expect.poll(() => stage.ask({ token }), { timeout: 20_000 }).not.toMatch(/^200/);
    return `${first}, then ${await stage.ask({ token })}`;
  });
});

describe('Keycloak: algorithms', () => {
  for (const algorithm of keycloakAlgorithms) {
    const client = algorithmClient(algorithm);
    table.row(`signed with ${algorithm}`, `200 ${client}`, async () => {
      const token = await serviceToken(client);
      expect(read(token).header['alg']).toBe(algorithm);
      return stage.ask({ token });
    });
  }
});

describe('Keycloak: a login, and all that comes with it', () => {
  let tokens: TokenAnswer;

  table.row('code + PKCE at the login page: the access token', '200 spa', async () => {
    const { tokens: given, landing } = await login(clients.spa);
    tokens = given;
    expect(landing.searchParams.get('iss')).toBe(issuer);
    return stage.ask({ token: tokens.access_token });
  });

  table.row('its ID token', '401 token_type_refused', async () => {
    expect(read(tokens.id_token ?? '').header).toEqual(read(tokens.access_token).header);
    return stage.ask({ token: tokens.id_token });
  });

  table.row('its refresh token: HS512, a key that is not published', '401 token_type_refused', async () => {
    expect(read(tokens.refresh_token ?? '').header['alg']).toBe('HS512');
    return stage.ask({ token: tokens.refresh_token });
  });

  table.row('a refreshed access token', '200 spa', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    tokens = await requestToken(endpoint('token'), clients.spa, form);
    return stage.ask({ token: tokens.access_token });
  });

  table.row('its offline token, which is a refresh token', '401 token_type_refused', async () => {
    const { tokens: offline } = await login(clients.spa, {}, 'openid orders:read offline_access');
    expect(read(offline.refresh_token ?? '').payload['typ']).toBe('Offline');
    return stage.ask({ token: offline.refresh_token });
  });
});

describe('Keycloak: logout', () => {
  const secret = `${clients.web}-secret`;
  let ended: Login;

  table.row('after the logout: the access token until it expires', '200 web', async () => {
    ended = await login(clients.web, { secret });
    const url = `${endpoint('logout')}?${new URLSearchParams({ id_token_hint: ended.tokens.id_token ?? '' }).toString()}`;
    await ended.browser.open(new URL(url));
    const form = { grant_type: 'refresh_token', refresh_token: ended.tokens.refresh_token ?? '' };
    expect(await tokenRequest(endpoint('token'), clients.web, form, { secret })).toMatchObject({ status: 400 });
    return stage.ask({ token: ended.tokens.access_token });
  });

  table.row('the logout token (back channel)', '401 token_type_refused', async () => {
    const token = await logoutToken;
    expect(read(token).payload).toHaveProperty('events');
    return stage.ask({ token });
  });

  table.row('the access token, its session under `revocations`', '401 token_revoked', async () => {
    await stage.revoke([{ issuer: 'keycloak', sid: String(read(ended.tokens.access_token).payload['sid']) }]);
    return stage.ask({ token: ended.tokens.access_token });
  });
});

describe('Keycloak: DPoP', () => {
  let bound: string;
  let spent: string;

  table.row('client credentials bound to a DPoP key: with a proof', '200 dpop', async () => {
    bound = await serviceToken(clients.dpop, { dpop: key });
    expect(read(bound).payload).toMatchObject({ typ: 'DPoP', cnf: { jkt: expect.any(String) } });
    spent = await key.proof({ method: 'GET', url: ordersUrl, token: bound });
    return stage.ask({ token: bound, scheme: 'DPoP', proof: spent });
  });

  table.row('the same proof again', '401 dpop_proof_invalid', () =>
    stage.ask({ token: bound, scheme: 'DPoP', proof: spent }),
  );

  table.row('a proof by another key', '401 sender_constraint_failed', async () => {
    return stage.askWithProof(await DpopKey.create(), bound);
  });

  table.row('a proof for another URL', '401 dpop_proof_invalid', async () => {
    const proof = await key.proof({ method: 'GET', url: `${api}/orders/8`, token: bound });
    return stage.ask({ token: bound, scheme: 'DPoP', proof });
  });

  table.row('a proof of ten minutes ago', '401 dpop_proof_invalid', async () => {
    const issuedAt = Math.floor(Date.now() / 1000) - 600;
    const proof = await key.proof({ method: 'GET', url: ordersUrl, token: bound, issuedAt });
    return stage.ask({ token: bound, scheme: 'DPoP', proof });
  });

  table.row('no proof', '401 dpop_proof_invalid', () => stage.ask({ token: bound, scheme: 'DPoP' }));

  table.row('the scheme Bearer, no proof', '401 sender_constraint_failed', () => stage.ask({ token: bound }));

  table.row('the scheme Bearer, and a proof', '401 sender_constraint_failed', async () => {
    return stage.askWithProof(key, bound, { scheme: 'Bearer' });
  });

  table.row('code + PKCE bound to a DPoP key: with a proof', '200 spa-dpop', async () => {
    const { tokens } = await login(clients.spaDpop, { dpop: key });
    return stage.askWithProof(key, tokens.access_token);
  });
});

describe('Keycloak: client certificates', () => {
  let bound: string;

  table.row('bound to a certificate: over TLS with that certificate', '200 certificate-bound', async () => {
    const secret = `${clients.certificateBound}-secret`;
    const options = { secret, certificate: 'client' } as const;
    ({ access_token: bound } = await requestToken(tlsEndpoint(), clients.certificateBound, clientCredentials, options));
    expect(read(bound).payload['cnf']).toMatchObject({ 'x5t#S256': expect.any(String) });
    return stage.ask({ token: bound, tls: 'client' });
  });

  table.row('with another certificate', '401 sender_constraint_failed', () =>
    stage.ask({ token: bound, tls: 'other-client' }),
  );
  table.row('over TLS without a certificate', '401 sender_constraint_failed', () =>
    stage.ask({ token: bound, tls: 'no certificate' }),
  );
  table.row('without TLS', '401 sender_constraint_failed', () => stage.ask({ token: bound }));

  table.row('no secret, `tls_client_auth`: over TLS with that certificate', '200 certificate', async () => {
    const options = { certificate: 'client' } as const;
    const given = await requestToken(tlsEndpoint(), clients.certificate, clientCredentials, options);
    return stage.ask({ token: given.access_token, tls: 'client' });
  });
});

describe('Keycloak: rotation of its key, at 50 requests a second', () => {
  /** Keycloak says `no-cache`: its keys get as old as the first of these, and a tenth, lets them. */
  const options = ['--jwks-min-refresh', '2s', '--jwks-refresh', '2s', '--jwks-cooldown', '1s'];
  const allowedMs = 2200;
  /** For fetching metadata and keys on a machine where all of this runs at once. */
  const fetchMs = 1500;
  let watched: Stage;
  let keys: SigningKeys;
  let firstKey: string;
  let newest: string;
  let old: SteadyLoad;
  let current: SteadyLoad;
  let startedMs: number;
  let disabling: { readonly fromMs: number; readonly doneMs: number };
  let stoppedMs: number;
  /** While the client still has a token of a key that is disabled. */
  let gap: { readonly fromMs: number; readonly toMs: number };

  beforeAll(async () => {
    watched = await Stage.create({ issuers: [policyIssuer()], serve: options });
    cleanUp.push(() => watched.stop());
    keys = new SigningKeys(keycloak, realm);
    firstKey = await keys.current();
    const before = await serviceToken(clients.service);
    newest = before;
    startedMs = performance.now();
    old = new SteadyLoad(25, () => watched.ask({ token: before }));
    current = new SteadyLoad(25, () => watched.ask({ token: newest }));
    cleanUp.push(
      () => old.stop(),
      () => current.stop(),
    );
    await current.next(50);
  });

  /** A client that asks for a token again; its kid has to be another one. */
  async function renew(): Promise<void> {
    const token = await serviceToken(clients.service);
    expect(read(token).header['kid']).not.toBe(read(newest).header['kid']);
    newest = token;
  }

  table.row('rotation: a new key signs, the old one is kept: tokens of both', '200 service', async () => {
    await keys.add();
    await renew();
    await Promise.all([old.next(75), current.next(75)]);
    return joined(old.between(startedMs), current.between(startedMs));
  });

  table.row('rotation: the old one is passive: tokens of both', '200 service', async () => {
    await keys.set(firstKey, 'passive');
    // Longer than keys are kept without asking.
    await Promise.all([old.next(100), current.next(100)]);
    return joined(old.between(startedMs), current.between(startedMs));
  });

  table.row(
    'rotation: the old one is disabled: its tokens',
    `200 service, after at most ${seconds(allowedMs)} and one fetch 401 key_unknown`,
    async () => {
      const fromMs = performance.now();
      const refused = old.seen(/^401/);
      await keys.set(firstKey, 'disabled');
      disabling = { fromMs, doneMs: performance.now() };
      stoppedMs = (await refused).sentMs;
      await Promise.all([old.next(75), current.next(75)]);
      expect(old.between(startedMs, fromMs)).toBe('200 service');
      expect(stoppedMs - disabling.doneMs).toBeLessThan(allowedMs + fetchMs);
      const later = old.between(stoppedMs + 200);
      return `${old.between(startedMs, stoppedMs)}, after at most ${seconds(allowedMs)} and one fetch ${later}`;
    },
  );

  table.row('rotation: meanwhile, the tokens of the new one', '200 service', async () => current.between(startedMs));

  table.row(
    'rotation: a new key signs, and the old one is disabled at once: tokens of the new one',
    '200 service',
    async () => {
      const second = newest;
      // The kid of no key, seen by a client that goes on with it, is looked for once a cool-down.
      await old.stop();
      await current.next(50);
      const replaced = await keys.current();
      await keys.add();
      gap = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
      await keys.set(replaced, 'disabled');
      await renew();
      const fromMs = performance.now();
      gap = { ...gap, toMs: fromMs };
      await current.next(50);
      expect(await watched.ask({ token: second })).toBe('401 key_unknown');
      return current.between(fromMs);
    },
  );

  it('what was measured', async () => {
    await Promise.all([old.stop(), current.stop()]);
    const isValid = ({ sentMs }: Answered): boolean => sentMs < gap.fromMs || sentMs >= gap.toMs;
    const valid = [
      ...current.answered.filter(isValid),
      ...old.answered.filter(({ sentMs }) => sentMs < disabling.fromMs),
    ];
    const refused = valid.filter(({ answer }) => answer !== '200 service').length;
    expect(refused).toBe(0);
    await table.writeFigures([
      `Requests with a valid token, over three changes of the key: ${valid.length}. Of them refused: ${refused}.`,
      `Tokens of the disabled key were refused ${seconds(stoppedMs - disabling.doneMs)} after Keycloak said it was done.`,
    ]);
  });
});

describe('the table', () => table.compareWithPage());
