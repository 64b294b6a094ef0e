import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type AdminRoute, createAdminServer } from '../../../src/server/admin.ts';
import { ListenError } from '../../../src/server/listen.ts';
import { rejection, unexpected } from './unexpected.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
});

const routes: Record<string, AdminRoute> = {
  '/livez': () => ({ status: 200, contentType: 'application/json', body: '{"live":true}\n' }),
  '/readyz': async () => {
    await Promise.resolve();
    return { status: 503, contentType: 'application/json', body: '{"missing":["policy"]}\n' };
  },
  '/metrics': () => ({ status: 200, contentType: 'text/plain; version=0.0.4', body: 'métrique 1\n' }),
  '/broken': () => {
    throw new Error('secret text');
  },
  '/rejecting': () => Promise.reject(new Error('secret text')),
};

async function serve(
  address = '127.0.0.1:0',
  requestTimeoutMs?: number,
): Promise<{ address: string; faults: unknown[] }> {
  const faults: unknown[] = [];
  const server = createAdminServer({
    address,
    routes: new Map(Object.entries(routes)),
    onFault: (fault) => faults.push(fault),
    requestTimeoutMs,
  });
  cleanUps.push(() => server.stop());
  return { address: await server.start(), faults };
}

interface Page {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

async function get(address: string, path: string, method = 'GET'): Promise<Page> {
  const [host, port] = address.split(':') as [string, string];
  const sent = request({ host, port, path, method, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

/** Sends raw bytes and reads until the server ends the connection. */
async function raw(address: string, text: string): Promise<string> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect(Number(port), host);
  cleanUps.push(() => socket.destroy());
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('latin1');
}

const pages: Record<string, { path: string; method?: string; status: number; body: string; type: string }> = {
  'a page': { path: '/livez', status: 200, body: '{"live":true}\n', type: 'application/json' },
  'a page that is made later, with its own status': {
    path: '/readyz',
    status: 503,
    body: '{"missing":["policy"]}\n',
    type: 'application/json',
  },
  'a page with a query': { path: '/livez?verbose', status: 200, body: '{"live":true}\n', type: 'application/json' },
  'a page with its own type': {
    path: '/metrics',
    status: 200,
    body: 'métrique 1\n',
    type: 'text/plain; version=0.0.4',
  },
  'HEAD: no body': { path: '/livez', method: 'HEAD', status: 200, body: '', type: 'application/json' },
  'no such page': { path: '/', status: 404, body: '{"error":"not_found"}\n', type: 'application/json' },
  'below a page': { path: '/livez/x', status: 404, body: '{"error":"not_found"}\n', type: 'application/json' },
  'a name of every object': {
    path: '/__proto__',
    status: 404,
    body: '{"error":"not_found"}\n',
    type: 'application/json',
  },
  'POST: not allowed': {
    path: '/livez',
    method: 'POST',
    status: 405,
    body: '{"error":"method_not_allowed"}\n',
    type: 'application/json',
  },
  'DELETE of no page: not found': {
    path: '/x',
    method: 'DELETE',
    status: 404,
    body: '{"error":"not_found"}\n',
    type: 'application/json',
  },
};

it.each(Object.entries(pages))('%s', async (_name, { path, method, status, body, type }) => {
  const { address } = await serve();
  const page = await get(address, path, method);
  expect(page).toMatchObject({
    status,
    body,
    headers: { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  });
});

it('HEAD: the length of the body that GET has', async () => {
  const { address } = await serve();
  const [head, full] = [await get(address, '/metrics', 'HEAD'), await get(address, '/metrics')];
  expect(head.headers['content-length']).toBe(String(Buffer.byteLength(full.body)));
  expect(full.headers['content-length']).toBe(head.headers['content-length']);
});

it('405: says what is allowed', async () => {
  const { address } = await serve();
  expect((await get(address, '/livez', 'PUT')).headers['allow']).toBe('GET, HEAD');
});

it.each(['/broken', '/rejecting'])('%s: 500 without the text of the fault, which is told', async (path) => {
  const { address, faults } = await serve();
  expect(await get(address, path)).toMatchObject({ status: 500, body: '{"error":"internal_error"}\n' });
  expect(faults).toEqual([new Error('secret text')]);
  expect(await get(address, '/livez')).toMatchObject({ status: 200 });
});

it('more headers than 8 KiB: 431', async () => {
  const { address } = await serve();
  expect(await raw(address, `GET /livez HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(9000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  );
});

it('no HTTP: 400, and the server goes on', async () => {
  const { address } = await serve();
  expect(await raw(address, '\u0016\u0003\u0001\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await get(address, '/livez')).toMatchObject({ status: 200 });
});

it('headers that never end: 408 when the time for a request is over', async () => {
  const { address } = await serve('127.0.0.1:0', 100);
  expect(await raw(address, 'GET /livez HTTP/1.1\r\nhost: a\r\n')).toMatch(/^HTTP\/1.1 408 /);
});

/** A connection that the server has accepted; `closed` ends with it. */
async function hold(address: string, sent = ''): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect(Number(port), host);
  cleanUps.push(() => socket.destroy());
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(sent);
  socket.resume();
  return { socket, closed };
}

it('256 connections that send nothing: the page is served, and the oldest of them is dropped', async () => {
  const { address } = await serve('127.0.0.1:0', 60_000);
  const first = await hold(address);
  const others = await Promise.all(Array.from({ length: 255 }, () => hold(address, 'GET /livez HTTP/1.1\r\n')));
  expect(await get(address, '/livez')).toMatchObject({ status: 200 });
  await first.closed;
  expect(others.filter(({ socket }) => !socket.closed)).toHaveLength(255);
});

it('256 connections, one of a scraper among them: dropped is one that asked nothing', async () => {
  const { address } = await serve('127.0.0.1:0', 60_000);
  const scraper = await hold(address, 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n');
  await once(scraper.socket, 'data');
  await Promise.all(Array.from({ length: 300 }, () => hold(address)));
  scraper.socket.write('GET /livez HTTP/1.1\r\nhost: a\r\n\r\n');
  expect(String(await once(scraper.socket, 'data'))).toContain('200 OK');
});

it('256 connections that were answered and stay open: the page is served', async () => {
  const { address } = await serve();
  const ask = 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n';
  const held = await Promise.all(Array.from({ length: 256 }, () => hold(address, ask)));
  expect(await get(address, '/livez')).toMatchObject({ status: 200 });
  await Promise.race(held.map(({ closed }) => closed));
});

it('address in use: typed error', async () => {
  const { address } = await serve();
  const error = await rejection(serve(address));
  expect(error).toBeInstanceOf(ListenError);
  expect(error).toMatchObject({ address, reason: 'address already in use' });
});

it('unix socket: refused', async () => {
  await expect(serve('unix:/run/admin.sock')).rejects.toThrow('a unix socket is not supported here');
});

it('stop: ends a page that is never made, and can be repeated', async () => {
  const { promise: asked, resolve: tellAsked } = Promise.withResolvers<void>();
  const server = createAdminServer({
    address: '127.0.0.1:0',
    routes: new Map([
      [
        '/slow',
        () => {
          tellAsked();
          return new Promise<never>(() => undefined);
        },
      ],
    ]),
    onFault: unexpected,
  });
  const address = await server.start();
  const page = rejection(get(address, '/slow'));
  await asked;
  await server.stop();
  expect(await page).toMatchObject({ code: 'ECONNRESET' });
  await server.stop();
});
