import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CheckHandler, waitBudgetMs } from '../../../src/server/check-handler.ts';
import {
  createGrpcServer,
  type GrpcServer,
  type GrpcServerOptions,
  type TransportName,
} from '../../../src/server/grpc.ts';
import { ListenError } from '../../../src/server/listen.ts';
import { health, TestClient } from './grpc-client.ts';
import { rejection, unexpected } from './unexpected.ts';

const cleanUps: (() => unknown)[] = [];
let transport: TransportName;
const service = 'envoy.service.auth.v3.Authorization';

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
});

/** Answers with the request in reverse. */
function reverse(request: Uint8Array): Uint8Array {
  return request.toReversed();
}

async function serve(
  given: Partial<GrpcServerOptions> = {},
): Promise<{ server: GrpcServer; addresses: string[]; faults: unknown[] }> {
  const faults: unknown[] = [];
  const server = createGrpcServer({
    transport,
    addresses: ['127.0.0.1:0'],
    check: reverse,
    onFault: (fault) => faults.push(fault),
    ...given,
  });
  cleanUps.push(() => server.stop());
  return { server, addresses: await server.start(), faults };
}

function open(address: string): TestClient {
  const client = new TestClient(address);
  cleanUps.push(() => {
    client.close();
  });
  return client;
}

async function serveOne(check: CheckHandler): Promise<{ server: GrpcServer; client: TestClient; faults: unknown[] }> {
  const { server, addresses, faults } = await serve({ check });
  return { server, client: open(addresses[0]!), faults };
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'grpc-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  return folder;
}

describe.each(['http2', 'grpc-js'] as const)('transport %s', (chosen) => {
  beforeEach(() => {
    transport = chosen;
  });

  it('check: the handler gets the bytes and the client gets its bytes', async () => {
    const { client } = await serveOne(reverse);
    expect(await client.check(Uint8Array.of(1, 2, 0, 255))).toMatchObject({
      code: 0,
      bytes: Buffer.from([255, 0, 2, 1]),
    });
  });

  it('check without a byte: an empty message in and out', async () => {
    const { client } = await serveOne(reverse);
    expect(await client.check(new Uint8Array())).toMatchObject({ code: 0, bytes: Buffer.alloc(0) });
  });

  it('check answered later, and from a view of larger memory: the same bytes', async () => {
    const { client } = await serveOne(async () => {
      await Promise.resolve();
      return new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    });
    expect(await client.check(Uint8Array.of(7))).toMatchObject({ code: 0, bytes: Buffer.from([1, 2, 3]) });
  });

  it('several addresses: real ones in the same order, all answered', async () => {
    const path = join(await newFolder(), 'authz.sock');
    const { addresses } = await serve({ addresses: ['127.0.0.1:0', `unix:${path}`, '[::1]:0'] });
    expect(addresses).toEqual([expect.stringMatching(/^127/), `unix:${path}`, expect.stringMatching(/^\[::1\]:[1-9]/)]);
    for (const address of addresses) {
      expect(await open(address).check(Uint8Array.of(1, 2))).toMatchObject({ code: 0, bytes: Buffer.from([2, 1]) });
    }
  });

  it('one address of two is taken: none stays bound', async () => {
    const path = join(await newFolder(), 'authz.sock');
    const taken = (await serve()).addresses[0]!;
    const server = createGrpcServer({
      transport,
      addresses: [`unix:${path}`, taken],
      check: reverse,
      onFault: unexpected,
    });
    const error = await rejection(server.start());
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ address: taken, reason: 'address already in use' });
    expect(existsSync(path)).toBe(false);
  });

  it('restart on the unix path of a server that was killed: answers', async () => {
    const path = join(await newFolder(), 'authz.sock');
    const first = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { createGrpcServer } from ${JSON.stringify(new URL('../../../src/server/grpc.ts', import.meta.url).href)};
     const server = createGrpcServer({ transport: '${transport}', addresses: ['unix:${path}'], check: (bytes) => bytes, onFault: console.error });
     await server.start();
     console.log('listening');`,
    ]);
    cleanUps.push(() => first.kill('SIGKILL'));
    await once(first.stdout, 'data');
    const client = open(`unix:${path}`);
    expect((await client.check(Uint8Array.of(1, 2))).bytes).toEqual(Buffer.from([1, 2]));
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(existsSync(path)).toBe(true);
    await serve({ addresses: [`unix:${path}`] });
    // The client's first connection is gone; it makes another one by itself.
    await vi.waitFor(async () => {
      expect((await client.check(Uint8Array.of(1, 2))).bytes).toEqual(Buffer.from([2, 1]));
    }, 5000);
  });

  it('method that is not there: UNIMPLEMENTED; plain HTTP and junk on the port: the server goes on', async () => {
    const { addresses } = await serve();
    const [host, port] = addresses[0]!.split(':') as [string, string];
    for (const junk of [
      'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
      '\u0016\u0003\u0001',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u00ff\u00ff\u00ff\u00ff',
    ]) {
      const socket = connect(Number(port), host);
      socket.on('error', () => undefined);
      socket.end(junk, 'latin1');
      socket.resume();
      await once(socket, 'close');
    }
    expect(await open(addresses[0]!).check(Uint8Array.of(1))).toMatchObject({ code: 0 });
  });

  it('EA-45 message as long as the limit: answered; one byte more: RESOURCE_EXHAUSTED, and the connection goes on', async () => {
    const { addresses } = await serve({ maxMessageBytes: 1000, check: (request) => request.subarray(0, 1) });
    const client = open(addresses[0]!);
    expect(await client.check(new Uint8Array(1000))).toMatchObject({ code: 0 });
    expect(await client.check(new Uint8Array(1001))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(await client.check(new Uint8Array(1))).toMatchObject({ code: 0 });
  });

  it('EA-45 limit when none is given: 128 KiB more than 60 KiB of headers fit, and no body of 1 MiB', async () => {
    const { client } = await serveOne((request) => request.subarray(0, 1));
    expect(await client.check(new Uint8Array(131_072 + 61_440))).toMatchObject({ code: 0 });
    expect(await client.check(new Uint8Array(262_145))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  const budgets: Record<string, { leftMs: number; waitMs: number }> = {
    'no deadline: the default': { leftMs: Number.POSITIVE_INFINITY, waitMs: 1234 },
    'much time: a tenth is kept': { leftMs: 1000, waitMs: 900 },
    'Envoy’s own default of 200 ms: 180 ms': { leftMs: 200, waitMs: 180 },
    'little time: 10 ms are kept': { leftMs: 50, waitMs: 40 },
    'less than the margin: no waiting': { leftMs: 8, waitMs: 0 },
    'past: no waiting': { leftMs: -5, waitMs: 0 },
    'part of a ms: rounded down': { leftMs: 101.7, waitMs: 91 },
  };

  it.each(Object.entries(budgets))('waitMs, %s', (_name, { leftMs, waitMs }) => {
    expect(waitBudgetMs(leftMs, 1234)).toBe(waitMs);
  });

  it('waitMs of a call with a deadline: what is left of it, less a tenth', async () => {
    const waits: number[] = [];
    const { client } = await serveOne((request, waitMs) => {
      waits.push(waitMs);
      return request;
    });
    await client.check(Uint8Array.of(1), { timeoutMs: 10_000 });
    // The way here costs time too, and how much is not ours to say; but never is there more.
    expect(waits[0]).toBeGreaterThan(4000);
    expect(waits[0]).toBeLessThanOrEqual(9000);
  });

  it('waitMs of a call without a deadline: the default', async () => {
    const waits: number[] = [];
    const { client } = await serveOne((request, waitMs) => {
      waits.push(waitMs);
      return request;
    });
    await client.check(Uint8Array.of(1));
    expect(waits).toEqual([1000]);
  });

  it.each<[string, CheckHandler]>([
    ['rejects', () => Promise.reject(new Error('secret text'))],
    [
      'throws',
      () => {
        throw new Error('secret text');
      },
    ],
    ['gives no bytes', () => 'secret text' as unknown as Uint8Array],
  ])(
    'EA-02 handler that %s: INTERNAL without its text, told as a fault, and the next call is answered',
    async (_name, bad) => {
      let isBad = true;
      const { client, faults } = await serveOne((request, waitMs) => (isBad ? bad(request, waitMs) : request));
      expect(await client.check(Uint8Array.of(1))).toMatchObject({
        code: status.INTERNAL,
        details: expect.not.stringContaining('secret'),
      });
      expect(faults).toEqual([expect.any(Error)]);
      isBad = false;
      expect(await client.check(Uint8Array.of(1))).toMatchObject({ code: 0 });
    },
  );

  it('call that is cancelled while it is answered: no longer active, and its answer goes nowhere', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Uint8Array>();
    const { promise: called, resolve: tellCalled } = Promise.withResolvers<void>();
    const { server, client, faults } = await serveOne((request) => {
      tellCalled();
      return request[0] === 1 ? answer : request;
    });
    const call = client.startCheck(Uint8Array.of(1));
    await called;
    expect(server.activeChecks()).toBe(1);
    call.cancel();
    expect(await call.reply).toMatchObject({ code: status.CANCELLED });
    await vi.waitFor(() => {
      expect(server.activeChecks()).toBe(0);
    });
    resolve(Uint8Array.of(9));
    expect(await client.check(Uint8Array.of(2))).toMatchObject({ code: 0, bytes: Buffer.from([2]) });
    expect(faults).toEqual([]);
  });

  it('deadline over before the call could be looked at: it is not worked on', async () => {
    const seen: number[] = [];
    const { client } = await serveOne((request) => {
      seen.push(request[0]!);
      if (request[0] === 1) {
        // Holds the event loop, as an overload does, until the deadline of the call behind is over.
        const end = Date.now() + 150;
        while (Date.now() < end);
      }
      return request;
    });
    await client.check(Uint8Array.of(0));
    const first = client.check(Uint8Array.of(1));
    const second = client.check(Uint8Array.of(2), { timeoutMs: 20 });
    expect(await first).toMatchObject({ code: 0 });
    expect(await second).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await client.check(Uint8Array.of(3));
    expect(seen).not.toContain(2);
    expect(seen).toContain(3);
  });

  it('EA-02 thousands of calls given up by Envoy: the connection, and every other check on it, goes on', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Uint8Array>();
    const { addresses } = await serve({ check: () => answer });
    const session = connectHttp2(`http://${addresses[0]!}`);
    cleanUps.push(() => {
      session.destroy();
    });
    session.on('error', () => undefined);
    const goneAway = vi.fn();
    session.on('goaway', goneAway);
    await once(session, 'connect');
    function check(): ClientHttp2Stream {
      const stream = session.request({
        ':method': 'POST',
        ':path': `/${service}/Check`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      stream.end(Buffer.from([0, 0, 0, 0, 1, 7]));
      return stream;
    }
    const patient = check();
    for (let batch = 0; batch < 30; batch += 1) {
      const streams = Array.from({ length: 100 }, check);
      // A ping comes back after what was sent before it has been read.
      await new Promise((pong) => session.ping(pong));
      await Promise.all(
        streams.map((stream) => {
          stream.close(8);
          return once(stream, 'close');
        }),
      );
    }
    resolve(Uint8Array.of(5));
    const chunks: Buffer[] = [];
    for await (const chunk of patient) {
      chunks.push(chunk as Buffer);
    }
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0, 0, 0, 0, 1, 5]));
    expect(goneAway).not.toHaveBeenCalled();
  });

  it('health: NOT_SERVING at first, then as set, for both names alike; unknown names are not found', async () => {
    const { server, addresses } = await serve();
    const client = open(addresses[0]!);
    const both = (): Promise<number[]> => Promise.all(['', service].map((name) => client.health(name)));
    expect(await both()).toEqual([health.notServing, health.notServing]);
    server.setServing(true);
    expect(await both()).toEqual([health.serving, health.serving]);
    server.setServing(false);
    expect(await both()).toEqual([health.notServing, health.notServing]);
    expect(await client.health('other')).toBe(-status.NOT_FOUND);
  });

  it.each(['', service])('health Watch of "%s": tells each change, and ends with the drain', async (name) => {
    const { server, addresses } = await serve();
    const changes = open(addresses[0]!).watch(name);
    const next = async (): Promise<number | undefined> => (await changes.next()).value as number | undefined;
    expect(await next()).toBe(health.notServing);
    server.setServing(true);
    expect(await next()).toBe(health.serving);
    const drained = server.drain({ minMs: 20, quietMs: 10, maxMs: 10_000 });
    expect(await next()).toBe(health.notServing);
    expect(await next()).toBeUndefined();
    // A Watch that stays open is no traffic and holds nothing back.
    expect(await drained).toBe('quiet');
  });

  it('health Watch of an unknown name: SERVICE_UNKNOWN, and the stream stays open', async () => {
    const { server, addresses } = await serve();
    const changes = open(addresses[0]!).watch('other');
    expect((await changes.next()).value).toBe(health.serviceUnknown);
    const ended = changes.next();
    const first = await Promise.race([ended, open(addresses[0]!).health('')]);
    expect(first).toBe(health.notServing);
    await server.drain({ minMs: 0, quietMs: 0, maxMs: 5000 });
    expect((await ended).done).toBe(true);
  });

  it('stop: ends at once with a call under way, removes the socket file, and can be repeated', async () => {
    const path = join(await newFolder(), 'authz.sock');
    const { promise: called, resolve: tellCalled } = Promise.withResolvers<void>();
    const { server } = await serve({
      addresses: [`unix:${path}`],
      check: () => {
        tellCalled();
        return new Promise(() => undefined);
      },
    });
    const reply = open(`unix:${path}`).check(Uint8Array.of(1));
    await called;
    await server.stop();
    await server.stop();
    expect(await reply).toMatchObject({ code: status.UNAVAILABLE });
    expect(existsSync(path)).toBe(false);
  });

  it('stop before start, and stop during start: nothing stays bound', async () => {
    const path = join(await newFolder(), 'authz.sock');
    const make = (): GrpcServer =>
      createGrpcServer({ transport, addresses: [`unix:${path}`], check: reverse, onFault: unexpected });
    await make().stop();
    const server = make();
    const started = server.start();
    await server.stop();
    expect(await started).toEqual([`unix:${path}`]);
    expect(existsSync(path)).toBe(false);
  });

  it('setServing after a drain began: has no effect', async () => {
    const { server, addresses } = await serve();
    const client = open(addresses[0]!);
    server.setServing(true);
    expect(await client.health('')).toBe(health.serving);
    const drained = server.drain({ minMs: 10_000, quietMs: 0, maxMs: 20_000 });
    server.setServing(true);
    expect(await client.health('')).toBe(health.notServing);
    await server.stop();
    expect(await drained).toBe('stopped');
  });

  it('unix socket path is a file: start fails and leaves it', async () => {
    const path = join(await newFolder(), 'precious');
    await writeFile(path, 'text');
    const server = createGrpcServer({ transport, addresses: [`unix:${path}`], check: reverse, onFault: unexpected });
    await expect(server.start()).rejects.toThrow(`cannot listen on unix:${path}: the path exists and is not a socket`);
    expect(existsSync(path)).toBe(true);
  });
});
