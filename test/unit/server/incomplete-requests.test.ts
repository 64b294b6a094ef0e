import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkPath } from '../../../src/server/check-handler.ts';
import { createGrpcServer, type GrpcServerOptions, type TransportName } from '../../../src/server/grpc.ts';
import { completeWithinMs } from '../../../src/server/incomplete-calls.ts';
import { health, TestClient } from './grpc-client.ts';
import { ManualClock } from './manual-clock.ts';
import { unexpected } from './unexpected.ts';

const cleanUps: (() => unknown)[] = [];
let transport: TransportName;
/** HTTP/2 error codes. */
const [cancel, enhanceYourCalm] = [8, 11];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
});

async function serve(given: Partial<GrpcServerOptions> = {}): Promise<{ clock: ManualClock; address: string }> {
  const clock = new ManualClock();
  const options = { addresses: ['127.0.0.1:0'], check: (bytes: Uint8Array) => bytes, onFault: unexpected, clock };
  const server = createGrpcServer({ transport, ...options, ...given });
  cleanUps.push(() => server.stop());
  return { clock, address: (await server.start())[0]! };
}

function open(address: string): TestClient {
  const client = new TestClient(address);
  cleanUps.push(() => {
    client.close();
  });
  return client;
}

async function openSession(address: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://${address}`);
  cleanUps.push(() => {
    session.destroy();
  });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
}

/** A ping comes back after what was sent before it has been read. */
async function settled(session: ClientHttp2Session): Promise<void> {
  await new Promise((pong) => session.ping(pong));
}

/** A request of which `bytes` of a declared message of `declared` are sent. */
function begin(session: ClientHttp2Session, bytes: number, declared: number, path = checkPath): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  stream.on('error', () => undefined);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(declared, 1);
  stream.write(Buffer.concat([head, Buffer.alloc(bytes)]));
  return stream;
}

describe.each(['http2', 'grpc-js'] as const)('transport %s', (chosen) => {
  beforeEach(() => {
    transport = chosen;
  });

  it.each([
    ['part of a message', checkPath, 1000, 2000],
    ['a whole message whose stream stays open', checkPath, 2000, 2000],
    ['part of a health request', '/grpc.health.v1.Health/Check', 10, 20],
  ])('%s: its stream ends after 5 s and not before, the connection goes on', async (_name, path, bytes, declared) => {
    const { clock, address } = await serve();
    const session = await openSession(address);
    const stream = begin(session, bytes, declared, path);
    const closed = once(stream, 'close');
    const onClose = vi.fn();
    stream.on('close', onClose);
    await settled(session);
    clock.advance(completeWithinMs - 1);
    await settled(session);
    expect(onClose).not.toHaveBeenCalled();
    clock.advance(1);
    await closed;
    expect(stream.rstCode).toBe(cancel);
    const next = begin(session, 10, 10);
    next.end();
    expect((await once(next, 'response'))[0]).toMatchObject({ ':status': 200 });
  });

  it('request that becomes complete in time: answered, however long the answer takes', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Uint8Array>();
    const { promise: called, resolve: tellCalled } = Promise.withResolvers<void>();
    const { clock, address } = await serve({
      check: () => {
        tellCalled();
        return answer;
      },
    });
    const session = await openSession(address);
    const stream = begin(session, 10, 20);
    await settled(session);
    clock.advance(completeWithinMs - 1);
    stream.end(Buffer.alloc(10));
    await called;
    expect(clock.pending()).toBe(0);
    resolve(Uint8Array.of(7));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
    }
    expect(Buffer.concat(chunks).at(-1)).toBe(7);
  });

  it('watch of health: its request is complete, and it stays open', async () => {
    const { clock, address } = await serve();
    const changes = open(address).watch('');
    expect((await changes.next()).value).toBe(health.notServing);
    expect(clock.pending()).toBe(0);
  });

  it('more than 64 MiB of incomplete requests over several connections: the oldest end, and checks are answered', async () => {
    const { address } = await serve();
    const closed: number[] = [];
    const codes = new Set<number>();
    let sent = 0;
    for (let connection = 0; connection < 3; connection += 1) {
      const session = await openSession(address);
      for (let count = 0; count < 100; count += 1) {
        const index = sent;
        sent += 1;
        const stream = begin(session, 252_000, 262_144);
        stream.on('close', () => {
          closed.push(index);
          codes.add(stream.rstCode);
        });
        await new Promise((resolve) => stream.write('', resolve));
      }
      await settled(session);
    }
    expect(await open(address).check(Uint8Array.of(1))).toMatchObject({ code: 0 });
    const all = 64 * 1024 * 1024;
    // Each holds what was sent of its message, and something for itself.
    const fit = Math.floor(all / (252_000 + 5 + 8192));
    await vi.waitFor(() => {
      expect(closed.length).toBeGreaterThanOrEqual(sent - fit);
    }, 5000);
    // Or the space that was made for all of it.
    const fitWhole = Math.floor(all / (262_144 + 5 + 8192));
    expect(closed.length).toBeLessThanOrEqual(sent - fitWhole + 2);
    expect(Math.max(...closed)).toBeLessThan(100);
    expect([...codes]).toEqual([enhanceYourCalm]);
  });

  it('connections at the limit: a further one is closed at once, one that ends makes room, the others go on', async () => {
    const { address } = await serve({ maxConnections: 2 });
    const client = open(address);
    expect(await client.check(Uint8Array.of(1))).toMatchObject({ code: 0 });
    const second = await openSession(address);
    await settled(second);
    const [host, port] = address.split(':') as [string, string];
    const refused = connect(Number(port), host);
    refused.on('error', () => undefined);
    await once(refused, 'close');
    expect(refused.bytesRead).toBe(0);
    expect(await client.check(Uint8Array.of(2))).toMatchObject({ code: 0 });
    second.destroy();
    await vi.waitFor(async () => {
      const third = connectHttp2(`http://${address}`);
      third.on('error', () => undefined);
      cleanUps.push(() => third.destroy());
      expect(
        await Promise.race([once(third, 'remoteSettings').then(() => true), once(third, 'close').then(() => false)]),
      ).toBe(true);
    });
  });
});
