import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createGrpcServer,
  type GrpcServer,
  type GrpcServerOptions,
  type TransportName,
} from '../../../src/server/grpc.ts';
import { health, type Reply, TestClient } from './grpc-client.ts';
import { ManualClock } from './manual-clock.ts';
import { unexpected } from './unexpected.ts';

const limits = { minMs: 2000, quietMs: 1000, maxMs: 20_000 };
const cleanUps: (() => unknown)[] = [];
let transport: TransportName;

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
});

async function serve(given: Partial<GrpcServerOptions> = {}): Promise<{ server: GrpcServer; address: string }> {
  const server = createGrpcServer({
    transport,
    addresses: ['127.0.0.1:0'],
    check: (bytes) => bytes,
    onFault: unexpected,
    ...given,
  });
  cleanUps.push(() => server.stop());
  const [address] = await server.start();
  server.setServing(true);
  return { server, address: address! };
}

function open(target: string): TestClient {
  const client = new TestClient(target);
  cleanUps.push(() => {
    client.close();
  });
  return client;
}

async function isRefused(address: string): Promise<boolean> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect(Number(port), host);
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => false),
    once(socket, 'error').then(() => true),
  ]).catch(() => true);
  socket.destroy();
  return outcome;
}

/** A handler whose answers a test gives. */
function heldCheck(): { check: () => Promise<Uint8Array>; called: Promise<void>; release: () => void } {
  const { promise: called, resolve: tellCalled } = Promise.withResolvers<void>();
  const { promise: answer, resolve } = Promise.withResolvers<Uint8Array>();
  return {
    check: () => {
      tellCalled();
      return answer;
    },
    called,
    release: () => {
      resolve(Uint8Array.of(5));
    },
  };
}

describe.each(['http2', 'grpc-js'] as const)('transport %s', (chosen) => {
  beforeEach(() => {
    transport = chosen;
  });

  it('drain without traffic: health turns at once, checks are answered, ends after 2 s with GOAWAY', async () => {
    const clock = new ManualClock();
    const { server, address } = await serve({ clock });
    const client = open(address);
    const idle = connectHttp2(`http://${address}`);
    await once(idle, 'connect');
    const goneAway = once(idle, 'goaway');
    const ended = vi.fn();
    const drained = server.drain(limits).finally(ended);
    expect(await client.health('')).toBe(health.notServing);
    clock.advance(900);
    // New connections too.
    expect(await open(address).check(Uint8Array.of(1))).toMatchObject({ code: 0 });
    clock.advance(1099);
    expect(await client.health('')).toBe(health.notServing);
    expect(ended).not.toHaveBeenCalled();
    clock.advance(1);
    expect(await drained).toBe('quiet');
    expect((await goneAway)[0]).toBe(0);
    expect(await isRefused(address)).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  it('drain with checks: waits until there was none for 1 s; health checks do not count', async () => {
    const clock = new ManualClock();
    const { server, address } = await serve({ clock });
    const client = open(address);
    const drained = server.drain(limits);
    clock.advance(1900);
    expect(await client.check(Uint8Array.of(1))).toMatchObject({ code: 0 });
    await vi.waitFor(() => {
      expect(server.activeChecks()).toBe(0);
    });
    clock.advance(999);
    expect(await client.health('')).toBe(health.notServing);
    clock.advance(1);
    expect(await drained).toBe('quiet');
  });

  it('drain asked for twice: one drain', async () => {
    const clock = new ManualClock();
    const { server } = await serve({ clock });
    const first = server.drain(limits);
    const second = server.drain({ ...limits, maxMs: 1 });
    clock.advance(2000);
    expect(await first).toBe('quiet');
    expect(await second).toBe('quiet');
  });

  it('limit near, check under way: no new connections, the check is answered', async () => {
    const clock = new ManualClock();
    const held = heldCheck();
    const { server, address } = await serve({ clock, check: held.check });
    const reply = open(address).check(Uint8Array.of(1));
    await held.called;
    const drained = server.drain(limits);
    clock.advance(19_499);
    expect(await isRefused(address)).toBe(false);
    clock.advance(1);
    await vi.waitFor(async () => {
      expect(await isRefused(address)).toBe(true);
    });
    held.release();
    expect(await reply).toMatchObject({ code: 0, bytes: Buffer.from([5]) });
    expect(await drained).toBe('limit');
    expect(clock.pending()).toBe(0);
  });

  it('limit reached, check not answered: cut off', async () => {
    const clock = new ManualClock();
    const held = heldCheck();
    const { server, address } = await serve({ clock, check: held.check });
    const reply = open(address).check(Uint8Array.of(1));
    await held.called;
    const drained = server.drain(limits);
    clock.advance(19_999);
    expect(server.activeChecks()).toBe(1);
    clock.advance(1);
    expect(await drained).toBe('limit');
    expect((await reply).code).toBe(status.UNAVAILABLE);
  });

  it('limit below 2 s: wins over the 2 s', async () => {
    const clock = new ManualClock();
    const { server, address } = await serve({ clock });
    const drained = server.drain({ ...limits, maxMs: 1000 });
    clock.advance(1000);
    expect(await drained).toBe('limit');
    expect(await isRefused(address)).toBe(true);
  });

  it('stop while draining: ends at once', async () => {
    const clock = new ManualClock();
    const held = heldCheck();
    const { server, address } = await serve({ clock, check: held.check });
    const reply = open(address).check(Uint8Array.of(1));
    await held.called;
    const drained = server.drain(limits);
    await server.stop();
    expect(await drained).toBe('stopped');
    expect((await reply).code).toBe(status.UNAVAILABLE);
    expect(clock.pending()).toBe(0);
  });

  /** Sends check after check until told to stop, and then `more`, as a mesh does that notices late. */
  async function sendUntil(client: TestClient, hasTurned: () => boolean, more: number): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let left = more; left > 0; left -= hasTurned() ? 1 : 0) {
      replies.push(await client.check(Uint8Array.of(1), { timeoutMs: 5000 }));
    }
    return replies;
  }

  function failures(replies: readonly Reply[]): string[] {
    return replies.filter(({ code }) => code !== 0).map(({ code, details }) => `${code} ${details}`);
  }

  it('drain under load of a mesh that watches health: no check is lost', async () => {
    const { server, address } = await serve({
      check: async (bytes) => {
        await new Promise((answer) => setTimeout(answer, 5));
        return bytes;
      },
    });
    let hasTurned = false;
    const watching = (async () => {
      for await (const serving of open(address).watch('')) {
        hasTurned ||= serving === health.notServing;
      }
    })();
    const clients = Array.from({ length: 16 }, (_, index) => (index % 4 === 0 ? open(address) : undefined));
    const load = clients.map((_, index) => sendUntil(clients[index - (index % 4)]!, () => hasTurned, 20));
    await vi.waitFor(() => {
      expect(server.activeChecks()).toBeGreaterThan(0);
    });
    const outcome = await server.drain({ minMs: 100, quietMs: 200, maxMs: 10_000 });
    const replies = (await Promise.all(load)).flat();
    await watching;
    expect(outcome).toBe('quiet');
    expect(replies.length).toBeGreaterThanOrEqual(16 * 20);
    expect(failures(replies)).toEqual([]);
  });

  it('drain under load of clients that ignore health: GOAWAY sends them to another replica, and no check is lost', async () => {
    const seen = { leaving: 0, staying: 0 };
    const slowly = async (bytes: Uint8Array): Promise<Uint8Array> => {
      await new Promise((answer) => setTimeout(answer, 5));
      return bytes;
    };
    const leaving = await serve({
      check: (bytes) => {
        seen.leaving += 1;
        return slowly(bytes);
      },
    });
    const staying = await serve({
      check: (bytes) => {
        seen.staying += 1;
        return slowly(bytes);
      },
    });
    const client = open(`ipv4:${leaving.address},${staying.address}`);
    let hasDrained = false;
    const load = Array.from({ length: 16 }, () => sendUntil(client, () => hasDrained, 20));
    await vi.waitFor(() => {
      expect(seen.leaving).toBeGreaterThan(50);
    });
    // Quiet for longer than a busy machine pauses.
    const outcome = await leaving.server.drain({ minMs: 50, quietMs: 400, maxMs: 1000 });
    hasDrained = true;
    expect(failures((await Promise.all(load)).flat())).toEqual([]);
    expect(outcome).toBe('limit');
    expect(seen.staying).toBeGreaterThanOrEqual(16 * 19);
  });
});
