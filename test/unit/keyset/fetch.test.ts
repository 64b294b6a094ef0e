import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure, type FailureKind } from '../../../src/keyset/failure.ts';
import { createGet, type Fetched } from '../../../src/keyset/fetch.ts';
import { type Answer, type JwksServer, readTestPem, startJwksServer } from '../../support/jwks-server.ts';

const ca = readTestPem('ca.pem');
const maxBytes = 1024 * 1024;
/** Long enough for every answer that comes; the tests of the limit itself use a short one. */
const get = createGet({ timeoutMs: 10_000, maxBytes });
const getBriefly = createGet({ timeoutMs: 100, maxBytes });
const never = new AbortController().signal;
const plain = { ca: undefined, signal: never };

let server: JwksServer;

beforeEach(async () => {
  server = await startJwksServer();
});

afterEach(async () => {
  await server.close();
});

async function fetchAnswer(answer: Answer): Promise<Fetched | Failure> {
  server.serve('/jwks', answer);
  return get(new URL(server.jwksUri), plain);
}

function objectOf(bytes: number): string {
  return `{"a":"${'x'.repeat(bytes - 8)}"}`;
}

describe('answers', () => {
  const good: Record<string, readonly [Answer, Partial<Fetched>]> = {
    'JWK-07 an object under another content type: taken': [
      { headers: { 'content-type': 'text/html' }, body: '{"keys":[]}' },
      { document: { keys: [] }, maxAgeSeconds: undefined },
    ],
    'JWK-08 cache-control: its max-age': [
      { headers: { 'cache-control': 'public, max-age=300', age: '100' }, body: {} },
      { maxAgeSeconds: 200 },
    ],
    'JWK-07 exactly 1 MiB: taken': [{ body: objectOf(maxBytes) }, { maxAgeSeconds: undefined }],
  };

  it.each(Object.entries(good))('%s', async (_name, [answer, expected]) => {
    expect(await fetchAnswer(answer)).toMatchObject(expected);
  });

  const bad: Record<string, readonly [Answer, FailureKind]> = {
    'JWK-07 404: status_404': [{ status: 404 }, 'status_404'],
    'JWK-07 500 with a key set: status_500': [{ status: 500, body: { keys: [] } }, 'status_500'],
    'JWK-07 204: status_204': [{ status: 204 }, 'status_204'],
    'JWK-07 a byte over 1 MiB: too_large': [{ body: objectOf(maxBytes + 1) }, 'too_large'],
    'JWK-07 junk: not_json': [{ body: '<html>' }, 'not_json'],
    'JWK-07 nothing: not_json': [{ body: '' }, 'not_json'],
    'JWK-07 a list: not_json': [{ body: '[]' }, 'not_json'],
    'JWK-07 text in JSON: not_json': [{ body: '"keys"' }, 'not_json'],
    'JWK-07 null: not_json': [{ body: 'null' }, 'not_json'],
    'JWK-07 bytes that are no UTF-8: not_json': [
      { body: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]) },
      'not_json',
    ],
    'JWK-07 compressed although not asked for: not_json': [
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync('{"keys":[]}') },
      'not_json',
    ],
    'JWK-07 the connection breaks in the body: connect': [{ fault: 'reset' }, 'connect'],
    'JWK-07 headers beyond all measure: protocol': [{ headers: { big: 'x'.repeat(20_000) } }, 'protocol'],
  };

  it.each(Object.entries(bad))('%s', async (_name, [answer, kind]) => {
    expect(await fetchAnswer(answer)).toEqual(new Failure(kind));
  });

  it.each([301, 302, 303, 307, 308])('JWK-07 %i to the same origin: redirect, and not followed', async (status) => {
    server.serve('/other', { body: { keys: [] } });
    expect(await fetchAnswer({ status, headers: { location: '/other' } })).toEqual(new Failure('redirect'));
    expect(server.requests).toEqual(['GET /jwks']);
  });

  it('asks with GET, the query kept', async () => {
    server.serve('/jwks', { body: {} });
    await get(new URL(`${server.jwksUri}?tenant=a`), plain);
    expect(server.requests).toEqual(['GET /jwks?tenant=a']);
  });
});

describe('time', () => {
  it('JWK-07 no answer: timeout', async () => {
    server.serve('/jwks', { fault: 'hang' });
    expect(await getBriefly(new URL(server.jwksUri), plain)).toEqual(new Failure('timeout'));
  });

  it('JWK-07 a body that never ends, byte by byte: timeout', async () => {
    server.serve('/jwks', { fault: 'drip' });
    expect(await getBriefly(new URL(server.jwksUri), plain)).toEqual(new Failure('timeout'));
  });

  it('given up while waiting: stopped', async () => {
    server.serve('/jwks', { fault: 'hang' });
    const abort = new AbortController();
    const fetched = get(new URL(server.jwksUri), { ca: undefined, signal: abort.signal });
    await server.asked('/jwks', 1);
    abort.abort();
    expect(await fetched).toEqual(new Failure('stopped'));
  });

  it('given up before: stopped, and nothing is asked', async () => {
    const fetched = await get(new URL(server.jwksUri), { ca: undefined, signal: AbortSignal.abort() });
    expect(fetched).toEqual(new Failure('stopped'));
    expect(server.requests).toEqual([]);
  });
});

describe('connections', () => {
  it('nobody listens: connect', async () => {
    await server.close();
    expect(await get(new URL(server.jwksUri), plain)).toEqual(new Failure('connect'));
    server = await startJwksServer();
  });

  it('a name that no resolver can have: dns', async () => {
    expect(await get(new URL(`http://${'a'.repeat(64)}.invalid/jwks`), plain)).toEqual(new Failure('dns'));
  });

  const raw: Record<string, readonly [text: string, FailureKind]> = {
    'something else than HTTP: protocol': ['220 smtp ready\r\n', 'protocol'],
    'a switch to another protocol: connect': [
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'connect',
    ],
    'closed without a word: connect': ['', 'connect'],
    'a body shorter than it was said to be: connect': ['HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}', 'connect'],
  };

  it.each(Object.entries(raw))('JWK-07 %s', async (_name, [text, kind]) => {
    const odd = await listenRaw((socket) => socket.once('data', () => socket.end(text)));
    const { port } = odd.address() as AddressInfo;
    expect(await get(new URL(`http://127.0.0.1:${port}/jwks`), plain)).toEqual(new Failure(kind));
    odd.close();
  });
});

function listenRaw(onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const listening = createServer((socket) => {
      socket.on('error', () => {});
      onConnection(socket);
    }).listen(0, '127.0.0.1', () => resolve(listening));
  });
}

describe('TLS', () => {
  beforeEach(async () => {
    await server.close();
    server = await startJwksServer({ tls: true });
    server.publish([]);
  });

  it('JWK-07 a certificate of the private CA: taken', async () => {
    expect(await get(new URL(server.jwksUri), { ca, signal: never })).toMatchObject({ document: { keys: [] } });
  });

  const refused: Record<string, string | undefined> = {
    'without the private CA': undefined,
    'with another CA': readTestPem('other-ca.pem'),
    'with a CA that is no PEM': 'not a certificate',
    'with a broken PEM': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  };

  it.each(Object.entries(refused))('JWK-07 %s: tls', async (_name, otherCa) => {
    const fetched = await get(new URL(server.jwksUri), { ca: otherCa, signal: never });
    expect(fetched).toEqual(new Failure('tls'));
    expect(server.requests).toEqual([]);
  });

  it('JWK-07 a host that the certificate does not name: tls', async () => {
    const url = new URL(server.jwksUri.replace('localhost', '127.0.0.2'));
    const elsewhere = await startJwksServerOn127002();
    url.port = String(elsewhere.port);
    expect(await get(url, { ca, signal: never })).toEqual(new Failure('tls'));
    elsewhere.close();
  });

  it('JWK-07 checks turned off for the whole process: still tls', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const fetched = await get(new URL(server.jwksUri), plain);
    vi.unstubAllEnvs();
    expect(fetched).toEqual(new Failure('tls'));
  });

  it('plain HTTP where TLS is wanted: tls', async () => {
    const http = await startJwksServer();
    const fetched = await get(new URL(http.jwksUri.replace('http:', 'https:')), plain);
    await http.close();
    expect(fetched).toEqual(new Failure('tls'));
  });
});

/** The same certificate on an address that it does not name. */
async function startJwksServerOn127002(): Promise<{ readonly port: number; close(): void }> {
  const { createServer: createTlsServer } = await import('node:https');
  const other = createTlsServer({ cert: readTestPem('server.pem'), key: readTestPem('server-key.pem') });
  other.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.2', resolve);
  });
  return { port: (other.address() as AddressInfo).port, close: () => other.close() };
}
