import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ListenError } from '../../../src/server/listen.ts';
import { TlsFileError } from '../../../src/server/tls-files.ts';
import { tlsPollMs } from '../../../src/server/tls-watch.ts';
import { createWebhookServer, type WebhookServerOptions } from '../../../src/server/webhook.ts';
import { ManualClock } from './manual-clock.ts';
import { rejection, unexpected } from './unexpected.ts';

const support = new URL('../../support/', import.meta.url);
const cleanUps: (() => unknown)[] = [];
const maxBodyBytes = 1000;
let folder: string;
let clock: ManualClock;
let ca: readonly Buffer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webhook-'));
  clock = new ManualClock();
  ca = await Promise.all(['tls/ca.pem', 'tls-server/renewed.pem'].map((name) => readFile(new URL(name, support))));
  await put('tls/server');
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
  await rm(folder, { recursive: true });
});

async function put(from: 'tls/server' | 'tls-server/renewed'): Promise<void> {
  await copyFile(new URL(`${from}.pem`, support), join(folder, 'tls.crt'));
  await copyFile(new URL(`${from}-key.pem`, support), join(folder, 'tls.key'));
}

interface Served {
  readonly address: string;
  readonly faults: unknown[];
  readonly told: string[];
  readonly stop: () => Promise<void>;
}

async function serve(more: Partial<WebhookServerOptions> = {}): Promise<Served> {
  const faults: unknown[] = [];
  const told: string[] = [];
  const server = createWebhookServer({
    address: '127.0.0.1:0',
    tls: { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') },
    path: '/validate',
    maxBodyBytes,
    answer: async (body) => ({ status: 200, body: JSON.stringify({ got: Buffer.from(body).toString() }) }),
    onFault: (fault) => faults.push(fault),
    onTlsProblem: ({ reason }) => told.push(reason),
    onTlsReload: () => told.push('reloaded'),
    clock,
    ...more,
  });
  cleanUps.push(() => server.stop());
  return { address: await server.start(), faults, told, stop: () => server.stop() };
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: NodeJS.Dict<string>;
  readonly body?: string;
  readonly agent?: Agent;
}

interface Received {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

const json = { 'content-type': 'application/json' };

async function send(address: string, { path = '/validate', method = 'POST', ...sent }: Sent = {}): Promise<Received> {
  const { headers = json, body = '{}', agent } = sent;
  const [host, port] = address.split(':') as [string, string];
  const asked = request({ host, port, path, method, headers, ca: [...ca], agent: agent ?? false });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

const notFound = { status: 404, body: '{"error":"not_found"}\n' };
const notAllowed = { status: 405, body: '{"error":"method_not_allowed"}\n' };
const unsupported = { status: 415, body: '{"error":"unsupported_media_type"}\n' };
const tooLarge = { status: 413, body: '{"error":"body_too_large"}\n' };

const requests: Record<string, { sent: Sent; expected: Partial<Received> }> = {
  'a review: what the answer says': { sent: { body: 'é' }, expected: { status: 200, body: '{"got":"é"}' } },
  'timeout of the API server in the query: served': {
    sent: { path: '/validate?timeout=10s' },
    expected: { status: 200 },
  },
  'charset in the type: served': {
    sent: { headers: { 'content-type': 'application/json; charset=utf-8' } },
    expected: { status: 200 },
  },
  'no body: an empty one': { sent: { body: '' }, expected: { status: 200, body: '{"got":""}' } },
  'as long as allowed: served': { sent: { body: 'x'.repeat(maxBodyBytes) }, expected: { status: 200 } },
  'longer than allowed: 413': { sent: { body: 'x'.repeat(maxBodyBytes + 1) }, expected: tooLarge },
  'longer than allowed, its length not told: 413': {
    sent: { body: 'x'.repeat(maxBodyBytes + 1), headers: { ...json, 'transfer-encoding': 'chunked' } },
    expected: tooLarge,
  },
  'another path: 404': { sent: { path: '/validate/' }, expected: notFound },
  'the path escaped: 404': { sent: { path: '/%76alidate' }, expected: notFound },
  'GET: 405': { sent: { method: 'GET', body: '' }, expected: notAllowed },
  'PUT: 405': { sent: { method: 'PUT' }, expected: notAllowed },
  'no type: 415': { sent: { headers: {} }, expected: unsupported },
  'a form: 415': { sent: { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, expected: unsupported },
  'a type that begins like JSON: 415': {
    sent: { headers: { 'content-type': 'application/json-patch+json' } },
    expected: unsupported,
  },
  'compressed: 415': { sent: { headers: { ...json, 'content-encoding': 'gzip' } }, expected: unsupported },
};

it.each(Object.entries(requests))('%s', async (_name, { sent, expected }) => {
  const { address, faults } = await serve();
  const received = await send(address, sent);
  expect(received).toMatchObject(expected);
  expect(received.headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect(faults).toEqual([]);
});

it('405: says what is allowed', async () => {
  const { address } = await serve();
  expect((await send(address, { method: 'GET', body: '' })).headers['allow']).toBe('POST');
});

it('an answer that throws: 500 without its text, which is told, and the server goes on', async () => {
  const { address, faults } = await serve({ answer: () => Promise.reject(new Error('secret text')) });
  expect(await send(address)).toMatchObject({ status: 500, body: '{"error":"internal_error"}\n' });
  expect(faults).toEqual([new Error('secret text')]);
  expect(await send(address, { path: '/' })).toMatchObject(notFound);
});

it('two reviews of one client: one connection', async () => {
  const { address } = await serve();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanUps.push(() => {
    agent.destroy();
  });
  await send(address, { agent });
  const [before] = Object.values(agent.freeSockets).flat();
  await send(address, { agent });
  expect(before).toBeDefined();
  expect(Object.values(agent.freeSockets).flat()).toEqual([before]);
});

async function open(address: string): Promise<TLSSocket> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect({ host, port: Number(port), ca: [...ca] });
  cleanUps.push(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

async function openTcp(address: string): Promise<Socket> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connectTcp(Number(port), host);
  cleanUps.push(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

it('plain HTTP: no answer, and the server goes on', async () => {
  const { address } = await serve();
  const socket = await openTcp(address);
  socket.resume().write('POST /validate HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'close');
  expect(await send(address)).toMatchObject({ status: 200 });
});

it('a handshake that never ends: cut off when its time is over', async () => {
  const { address } = await serve({ requestTimeoutMs: 50 });
  await once((await openTcp(address)).resume(), 'close');
  expect(await send(address)).toMatchObject({ status: 200 });
});

it('a body that never ends: 408 when the time for a request is over, no fault', async () => {
  const { address, faults } = await serve({ requestTimeoutMs: 50 });
  const socket = await open(address);
  const ended = once(socket, 'close');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  socket.write(`POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`);
  await ended;
  expect(received).toMatch(/^HTTP\/1.1 408 /);
  expect(faults).toEqual([]);
  expect(await send(address)).toMatchObject({ status: 200 });
});

it('a client that leaves in the middle of its body: no fault, and the server goes on', async () => {
  const { address, faults } = await serve();
  const socket = await open(address);
  socket.write(`POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`);
  socket.destroy();
  expect(await send(address)).toMatchObject({ status: 200 });
  expect(faults).toEqual([]);
});

it('16 connections without a handshake: a review is served, and the oldest of them is dropped', async () => {
  const { address } = await serve();
  const idle: Socket[] = [];
  for (let count = 0; count < 16; count += 1) {
    idle.push(await openTcp(address));
  }
  const dropped = once(idle[0]!.resume(), 'close');
  expect(await send(address)).toMatchObject({ status: 200 });
  await dropped;
  expect(idle.slice(1).some(({ closed }) => closed)).toBe(false);
});

it('16 connections after their handshake, one of an API server among them: dropped is one that asked nothing', async () => {
  const { address } = await serve();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanUps.push(() => {
    agent.destroy();
  });
  await send(address, { agent });
  const [used] = Object.values(agent.freeSockets).flat();
  const idle: TLSSocket[] = [];
  for (let count = 0; count < 15; count += 1) {
    idle.push(await open(address));
  }
  const dropped = once(idle[0]!.resume(), 'close');
  expect(await send(address)).toMatchObject({ status: 200 });
  await dropped;
  expect(used?.destroyed).toBe(false);
});

it('connections that came and went: do not count', async () => {
  const { address } = await serve();
  const kept = await open(address);
  for (let count = 0; count < 20; count += 1) {
    await send(address);
  }
  expect(kept.destroyed).toBe(false);
});

async function subject(address: string): Promise<string | undefined> {
  const socket = await open(address);
  const { CN } = socket.getPeerCertificate().subject;
  return String(CN);
}

async function look(): Promise<void> {
  const done = clock.nextSchedule();
  clock.advance(tlsPollMs);
  await done;
}

it('new TLS files: new connections get them, one that exists goes on', async () => {
  const { address, told } = await serve();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanUps.push(() => {
    agent.destroy();
  });
  await send(address, { agent });
  await put('tls-server/renewed');
  expect(await subject(address)).toBe('localhost');
  await look();
  expect(told).toEqual(['reloaded']);
  expect(await subject(address)).toBe('renewed');
  expect(await send(address, { agent })).toMatchObject({ status: 200 });
});

it('bad TLS files while it runs: told once, the old ones stay', async () => {
  const { address, told } = await serve();
  await writeFile(join(folder, 'tls.crt'), 'broken');
  await look();
  await look();
  await look();
  expect(told).toEqual(['holds no PEM certificate']);
  expect(await subject(address)).toBe('localhost');
});

it('bad TLS files at the start: typed error, nothing is bound', async () => {
  await writeFile(join(folder, 'tls.key'), '');
  expect(await rejection(serve())).toBeInstanceOf(TlsFileError);
  expect(clock.pending()).toBe(0);
});

it('address in use: typed error, and the files are not looked at any more', async () => {
  const { address, stop } = await serve();
  expect(await rejection(serve({ address }))).toBeInstanceOf(ListenError);
  await stop();
  expect(clock.pending()).toBe(0);
});

it('unix socket: refused', async () => {
  expect(await rejection(serve({ address: `unix:${join(folder, 'x.sock')}` }))).toBeInstanceOf(ListenError);
});

it('stop: ends handshakes, idle connections and an answer that is never made, and can be repeated', async () => {
  const asked = Promise.withResolvers<undefined>();
  const { address, stop } = await serve({
    answer: () => {
      asked.resolve(undefined);
      return new Promise(() => {});
    },
  });
  const sockets = [await open(address), await openTcp(address)];
  const closed = sockets.map((socket) => once(socket.resume(), 'close'));
  const failed = rejection(send(address).then(unexpected));
  await asked.promise;
  await stop();
  await stop();
  await Promise.all(closed);
  expect(await failed).toMatchObject({ code: 'ECONNRESET' });
});
