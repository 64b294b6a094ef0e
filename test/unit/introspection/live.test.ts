/** A real oidc-provider is asked about its opaque tokens, plainly and with signed answers (RFC 7662, RFC 9701). */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestFailure } from '../../../src/egress/failure.ts';
import { systemRequestPorts } from '../../../src/egress/ports.ts';
import { createRequestToken } from '../../../src/egress/request-token.ts';
import { type AskIssuer, createAskIssuer } from '../../../src/introspection/ask-issuer.ts';
import { createKeySets, type KeySets } from '../../../src/keyset/key-sets.ts';
import { systemPorts } from '../../../src/keyset/ports.ts';
import { defaultRefreshOptions } from '../../../src/keyset/refresh.ts';
import { readIntrospection } from '../../../src/token/introspected.ts';
import type { Introspection, Issuer } from '../../../src/token/issuer.ts';
import { issuerOf } from '../../support/issuer.ts';

const folder = mkdtempSync(join(tmpdir(), 'scopegate-introspection-'));
const secret = (name: string): string => join(folder, name);
const signal = new AbortController().signal;
let server: Server;
let url: string;
let keySets: KeySets;
let ask: AskIssuer;

beforeAll(async () => {
  let handle: RequestListener = (_request, response) => void response.end();
  server = createServer((request, response) => handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const common = {
    redirect_uris: [],
    response_types: [],
    scope: 'orders:read',
    id_token_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
  } as const;
  const provider = new Provider(url, {
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'orders:read', audience: 'api', accessTokenFormat: 'opaque' }),
      },
    },
    scopes: ['orders:read'],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] },
    ttl: { ClientCredentials: 600 },
    clients: [
      { ...common, client_id: 'web', client_secret: 'of web', grant_types: ['client_credentials'] },
      {
        ...common,
        client_id: 'scopegate',
        client_secret: 'of scopegate',
        grant_types: [],
      },
    ],
  });
  handle = provider.callback();
  writeFileSync(secret('web'), 'of web');
  writeFileSync(secret('scopegate'), 'of scopegate\n');
  writeFileSync(secret('wrong'), 'of nobody');
  const ignore = (): void => {};
  keySets = createKeySets(
    defaultRefreshOptions,
    systemPorts({ fetched: ignore, ignored: ignore, changed: ignore, fault: () => expect.unreachable() }),
  );
  ask = createAskIssuer({ ...systemRequestPorts(), resolveKeys: keySets.resolve, now: Date.now });
});

afterAll(() => {
  keySets.stop();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function issuerWith(over: Partial<Introspection> = {}): Issuer {
  const authentication = { kind: 'secret', file: secret('scopegate') } as const;
  const introspection = {
    clientId: 'scopegate',
    authentication,
    uri: undefined,
    signed: false,
    cacheSeconds: 30,
    ...over,
  };
  const insecure = { allowHttp: true, anyHost: false };
  const issuer = issuerOf({ issuer: url, insecure, jwks: { kind: 'discovery' }, requireSub: false, introspection });
  keySets.update([issuer]);
  return issuer;
}

async function opaqueToken(issuer: Issuer): Promise<string> {
  const client = {
    name: 'web',
    issuer,
    clientId: 'web',
    authentication: { kind: 'secret', file: secret('web') },
    scopes: ['orders:read'],
    resource: 'https://orders.example.com',
  } as const;
  const given = await createRequestToken(systemRequestPorts())(client, signal);
  if (given instanceof RequestFailure) throw new Error(given.kind);
  expect(given.accessToken).not.toContain('.');
  return given.accessToken;
}

describe.each([false, true])('signed: %s', (signed) => {
  it('IN-01 IN-03 IN-06 an active token, with its scopes, client and audience', async () => {
    const issuer = issuerWith({ signed });
    const answer = await ask(issuer, await opaqueToken(issuer), signal);
    if (answer instanceof RequestFailure) throw new Error(answer.kind);
    expect(readIntrospection(answer, issuer)).toMatchObject({
      claims: { clientId: 'web', scopes: ['orders:read'], audiences: ['api'], expiresAt: expect.any(Number) },
    });
  });

  it('IN-02 a token that was never given', async () => {
    const issuer = issuerWith({ signed });
    const answer = await ask(issuer, 'a'.repeat(43), signal);
    if (answer instanceof RequestFailure) throw new Error(answer.kind);
    expect(readIntrospection(answer, issuer)).toMatchObject({ reason: 'token_inactive' });
  });

  it('IN-01 IN-05 a wrong secret of ours', async () => {
    const issuer = issuerWith({ signed, authentication: { kind: 'secret', file: secret('wrong') } });
    expect(await ask(issuer, 'a'.repeat(43), signal)).toEqual(new RequestFailure('oauth_invalid_client'));
  });
});
