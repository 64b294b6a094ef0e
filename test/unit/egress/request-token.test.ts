/** Requests for tokens over real sockets, to a server that tells what it was asked and to a real oidc-provider. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { decodeJwt, decodeProtectedHeader, exportJWK } from 'jose';
import { Provider } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RequestFailure } from '../../../src/egress/failure.ts';
import { systemRequestPorts } from '../../../src/egress/ports.ts';
import { createRequestToken } from '../../../src/egress/request-token.ts';
import type { ClientAuthentication } from '../../../src/token/client-authentication.ts';
import type { OAuthClient } from '../../../src/token/oauth-client.ts';
import { issuerOf } from '../../support/issuer.ts';

const tls = (name: string): string => new URL(`../../support/tls/${name}`, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'scopegate-egress-'));
const secretFile = join(folder, 'secret');
const rsaFile = join(folder, 'rsa.pem');
const ecFile = join(folder, 'ec.jwk');
const linkToEnvironment = join(folder, 'environment');
const pipe = join(folder, 'pipe');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const servers: Server[] = [];
const requestToken = createRequestToken(systemRequestPorts());

beforeAll(async () => {
  writeFileSync(secretFile, 'wörd: of+many%parts\n');
  symlinkSync('/proc/self/environ', linkToEnvironment);
  execFileSync('mkfifo', [pipe]);
  writeFileSync(rsaFile, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(ecFile, JSON.stringify({ ...(await exportJWK(ec.privateKey)), kid: 'e1', alg: 'ES256' }));
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function clientOf(url: string, over: Partial<OAuthClient> = {}, ca?: string): OAuthClient {
  return {
    name: 'billing',
    issuer: issuerOf({ issuer: url, ca, insecure: { allowHttp: true, anyHost: false } }),
    clientId: 'orders-svc',
    authentication: { kind: 'secret', file: secretFile },
    scopes: ['a', 'b'],
    resource: 'https://billing.example.com/',
    ...over,
  };
}

interface Asked {
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
  /** Common name of the client's certificate. */
  readonly certificate: string | undefined;
}

const good = { access_token: 'a-token', token_type: 'bearer', expires_in: 120 };

/** An issuer with more in its metadata, and what its token endpoint was asked. */
async function issuer(metadata: object = {}, answer: readonly [status: number, body: unknown] = [200, good]) {
  const asked: Asked[] = [];
  let url = '';
  const listen = async (...[request, response]: Parameters<RequestListener>): Promise<void> => {
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') {
      response.end(JSON.stringify({ issuer: url, token_endpoint: `${url}/token`, ...metadata }));
      return;
    }
    const form = new URLSearchParams(await readAll(request));
    const certificate = (request.socket as Partial<TLSSocket>).getPeerCertificate?.().subject?.CN;
    asked.push({ headers: request.headers, form, certificate: [certificate].flat()[0] });
    if (answer[0] === 401) response.setHeader('www-authenticate', 'Basic realm="as"');
    if (answer[0] === 302) response.setHeader('location', `${url}/elsewhere`);
    response.writeHead(answer[0]).end(typeof answer[1] === 'string' ? answer[1] : JSON.stringify(answer[1]));
  };
  const listener: RequestListener = (request, response) => void listen(request, response);
  url = `http://127.0.0.1:${await listening(createServer(listener))}`;
  return { url, asked, listener, rename: (other: string) => void (url = other) };
}

function ask(client: OAuthClient): ReturnType<typeof requestToken> {
  return requestToken(client, new AbortController().signal);
}

describe('what is asked', () => {
  it('client credentials by Basic, both parts form-encoded, with scopes and resource', async () => {
    const { url, asked } = await issuer();
    expect(await ask(clientOf(url))).toEqual({ accessToken: 'a-token', lifetimeMs: 120_000 });
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      resource: 'https://billing.example.com/',
    });
    const pair = Buffer.from((asked[0]?.headers.authorization ?? '').slice('Basic '.length), 'base64').toString();
    expect(pair).toBe('orders-svc:w%C3%B6rd%3A+of%2Bmany%25parts');
  });

  it('the secret in the form, where the issuer names only that', async () => {
    const { url, asked } = await issuer({ token_endpoint_auth_methods_supported: ['client_secret_post', 'none'] });
    await ask(clientOf(url, { scopes: [], resource: undefined }));
    expect(asked[0]?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      client_id: 'orders-svc',
      client_secret: 'wörd: of+many%parts',
    });
  });

  it('a secret that is exchanged: the new one, without a restart', async () => {
    const { url, asked } = await issuer();
    const file = join(folder, 'rotated');
    for (const secret of ['one', 'two']) {
      writeFileSync(file, secret);
      await ask(clientOf(url, { authentication: { kind: 'secret', file } }));
    }
    const sent = asked.map(({ headers }) => Buffer.from((headers.authorization ?? '').slice(6), 'base64').toString());
    expect(sent).toEqual(['orders-svc:one', 'orders-svc:two']);
  });

  const assertions: Record<string, [file: string, metadata: object, header: object]> = {
    'PEM of RSA': [rsaFile, {}, { alg: 'RS256' }],
    'PEM of RSA at an issuer without RS256': [
      rsaFile,
      { token_endpoint_auth_signing_alg_values_supported: ['PS256'] },
      { alg: 'PS256' },
    ],
    'JWK of EC, with its kid': [ecFile, {}, { alg: 'ES256', kid: 'e1' }],
  };
  it.each(Object.entries(assertions))('private_key_jwt, %s', async (_name, [file, metadata, header]) => {
    const { url, asked } = await issuer(metadata);
    await ask(clientOf(url, { authentication: { kind: 'private_key', file } }));
    const form = asked[0]?.form;
    const assertion = form?.get('client_assertion') ?? '';
    expect(form?.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    expect(decodeProtectedHeader(assertion)).toEqual({ ...header, typ: undefined } satisfies object);
    expect(decodeJwt(assertion)).toMatchObject({ iss: 'orders-svc', sub: 'orders-svc', aud: url });
  });

  it('mutual TLS: the certificate is shown, at the endpoint for it, under the CA of the issuer', async () => {
    const pem = (name: string): string => readFileSync(tls(name), 'utf8');
    const identity = { cert: pem('server.pem'), key: pem('server-key.pem') };
    const aliases = { token_endpoint: '' };
    const { listener, asked, rename } = await issuer({ mtls_endpoint_aliases: aliases });
    // What asks everybody for a certificate is a server of its own.
    const guarded = createTlsServer({ ...identity, ca: pem('client-ca.pem'), requestCert: true }, listener);
    aliases.token_endpoint = `https://localhost:${await listening(guarded)}/token`;
    const url = `https://localhost:${await listening(createTlsServer(identity, listener))}`;
    rename(url);
    const authentication = {
      kind: 'certificate',
      certFile: tls('client.pem'),
      keyFile: tls('client-key.pem'),
    } as const;
    expect(await ask(clientOf(url, { authentication }, pem('ca.pem')))).toMatchObject({ accessToken: 'a-token' });
    expect(await ask(clientOf(url, { authentication }, pem('other-ca.pem')))).toEqual(new RequestFailure('tls'));
    expect(asked[0]?.certificate).toEqual(expect.any(String));
    expect(asked[0]?.form.get('client_id')).toBe('orders-svc');
    expect(asked).toHaveLength(1);
  });
});

describe('what is not taken', () => {
  const answers: Record<string, [answer: readonly [number, unknown], kind: string]> = {
    'a wrong secret, with a challenge': [[401, { error: 'invalid_client' }], 'oauth_invalid_client'],
    'a scope that the client may not have': [[400, { error: 'invalid_scope' }], 'oauth_invalid_scope'],
    'RI-01 a resource that is unknown': [[400, { error: 'invalid_target' }], 'oauth_invalid_target'],
    'an error that nobody knows': [[400, { error: 'secret-leak' }], 'oauth_other'],
    'a 500': [[500, 'no'], 'status_500'],
    'a redirect': [[302, ''], 'redirect'],
    'no JSON': [[200, 'no'], 'answer_malformed'],
    'no token': [[200, { token_type: 'bearer' }], 'answer_malformed'],
    'a token for DPoP': [[200, { ...good, token_type: 'DPoP' }], 'token_unusable'],
    'a token that is no token68': [[200, { ...good, access_token: 'a b' }], 'token_unusable'],
    'a token as long as a book': [[200, { ...good, access_token: 'a'.repeat(16_385) }], 'token_unusable'],
    'a token that has ended when it comes': [[200, { ...good, expires_in: 0 }], 'token_short_lived'],
    'a token for half a second': [[200, { ...good, expires_in: '0.5' }], 'token_short_lived'],
    'more than a MiB': [[200, { ...good, more: 'a'.repeat(1_100_000) }], 'too_large'],
  };
  it.each(Object.entries(answers))('%s', async (_name, [answer, kind]) => {
    const { url } = await issuer({}, answer);
    expect(await ask(clientOf(url))).toMatchObject({ kind });
  });

  it('`expires_in` of a second: the shortest that counts', async () => {
    const { url } = await issuer({}, [200, { ...good, expires_in: 1 }]);
    expect(await ask(clientOf(url))).toMatchObject({ lifetimeMs: 1000 });
  });

  it('no `expires_in`: a minute; a longer one than a day: a day', async () => {
    const { url } = await issuer({}, [200, { ...good, expires_in: undefined }]);
    expect(await ask(clientOf(url))).toMatchObject({ lifetimeMs: 60_000 });
    const other = await issuer({}, [200, { ...good, expires_in: 1e9 }]);
    expect(await ask(clientOf(other.url))).toMatchObject({ lifetimeMs: 86_400_000 });
  });

  const metadata: Record<string, [more: object, kind: string]> = {
    'DI-02 metadata of another issuer': [{ issuer: 'https://evil.test' }, 'issuer_mismatch'],
    'no token endpoint': [{ token_endpoint: undefined }, 'endpoint_missing'],
    'an endpoint with http off loopback': [{ token_endpoint: 'http://idp.test/token' }, 'url_refused'],
  };
  it.each(Object.entries(metadata))('%s', async (_name, [more, kind]) => {
    const { url, asked } = await issuer(more);
    expect(await ask(clientOf(url))).toMatchObject({ kind });
    expect(asked).toEqual([]);
  });

  const files: Record<string, [authentication: ClientAuthentication, kind: string]> = {
    'no file of the secret': [{ kind: 'secret', file: '/no/such' }, 'secret_unreadable'],
    'a folder': [{ kind: 'secret', file: folder }, 'secret_unreadable'],
    'what the system tells of this process': [{ kind: 'secret', file: '/proc/self/cmdline' }, 'secret_unreadable'],
    'the same by a link': [{ kind: 'secret', file: linkToEnvironment }, 'secret_unreadable'],
    'a device without end': [{ kind: 'secret', file: '/dev/zero' }, 'secret_unreadable'],
    'a pipe that nobody writes to': [{ kind: 'secret', file: pipe }, 'secret_unreadable'],
    'a key that is none': [{ kind: 'private_key', file: secretFile }, 'key_unreadable'],
    'a certificate as key': [{ kind: 'private_key', file: tls('client.pem') }, 'key_unreadable'],
    'a certificate with the key of another': [
      { kind: 'certificate', certFile: tls('client.pem'), keyFile: tls('other-client-key.pem') },
      'certificate_unreadable',
    ],
  };
  it.each(Object.entries(files))('%s', async (_name, [authentication, kind]) => {
    const { url, asked } = await issuer();
    expect(await ask(clientOf(url, { authentication }))).toEqual(new RequestFailure(kind as RequestFailure['kind']));
    expect(asked).toEqual([]);
  });

  it('a server that never answers, given up', async () => {
    const url = `http://127.0.0.1:${await listening(createServer(() => {}))}`;
    const abort = new AbortController();
    const waiting = requestToken(clientOf(url), abort.signal);
    abort.abort();
    expect(await waiting).toEqual(new RequestFailure('stopped'));
  });
});

it('a real oidc-provider: client credentials with a secret and with a signed assertion', async () => {
  let handle: RequestListener = (_request, response) => void response.end();
  const url = `http://127.0.0.1:${await listening(createServer((request, response) => handle(request, response)))}`;
  const common = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'a b' };
  const provider = new Provider(url, {
    features: { clientCredentials: { enabled: true } },
    scopes: ['a', 'b'],
    clients: [
      { ...common, client_id: 'orders-svc', client_secret: 'a: of+many%parts' },
      {
        ...common,
        client_id: 'signing-svc',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...(await exportJWK(ec.publicKey)), kid: 'e1', alg: 'ES256' }] },
      },
    ],
  });
  handle = provider.callback();
  const file = join(folder, 'provider-secret');
  writeFileSync(file, 'a: of+many%parts');
  const plain = { resource: undefined };
  const bySecret = await ask(clientOf(url, { ...plain, authentication: { kind: 'secret', file } }));
  const byKey = await ask(
    clientOf(url, { ...plain, clientId: 'signing-svc', authentication: { kind: 'private_key', file: ecFile } }),
  );
  for (const token of [bySecret, byKey]) {
    expect(token).toEqual({ accessToken: expect.stringMatching(/^[\w-]{20,}$/), lifetimeMs: 600_000 });
  }
});
