/**
 * Our own transport on a real socket: clients that break the rules, go slow, go away or ask for something else, and that the server
 * goes on serving others.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from '../../src/server/grpc.ts';
import {
  check,
  endHeaders,
  endStream,
  frame,
  greeting,
  message,
  number,
  preface,
  request,
  settings,
  types,
} from '../support/http2-bytes.ts';
import { RawClient } from '../support/raw-client.ts';
import { TestClient } from '../unit/server/grpc-client.ts';
import { ManualClock } from '../unit/server/manual-clock.ts';

const support = new URL('../support/', import.meta.url);
const ends: (() => unknown)[] = [];
const pong = frame(types.ping, 0, 0, 'are you?');

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function serve(given: Partial<GrpcServerOptions> = {}): Promise<{ server: GrpcServer; address: string }> {
  const server = createGrpcServer({
    addresses: ['127.0.0.1:0'],
    check: async (bytes) => bytes,
    onFault: (fault) => expect.fail(String(fault)),
    ...given,
  });
  ends.push(() => server.stop());
  const [address = ''] = await server.start();
  return { server, address };
}

async function open(address: string): Promise<RawClient> {
  const client = await RawClient.open(address);
  ends.push(() => client.socket.destroy());
  return client;
}

/** Another client, which does nothing wrong. */
async function serves(address: string): Promise<void> {
  const client = new TestClient(address);
  expect(await client.check(Uint8Array.of(7))).toMatchObject({ code: 0, bytes: Buffer.of(7) });
  client.close();
}

const grpc = ':status=200 content-type=application/grpc grpc-status';

/** What is no check: the whole answer, and then the connection goes on. */
const answers: Record<string, { bytes: Buffer; said: string }> = {
  'GET: 405': { bytes: request(1, { ':method': 'GET' }, endStream), said: 'headers 1 :status=405 allow=POST end' },
  'no content type: 415': {
    bytes: request(1, { 'content-type': undefined }, endStream),
    said: 'headers 1 :status=415 end',
  },
  'content type application/grpcx: 415': {
    bytes: request(1, { 'content-type': 'application/grpcx' }, endStream),
    said: 'headers 1 :status=415 end',
  },
  'content type application/grpc+proto: answered': {
    bytes: Buffer.concat([
      request(1, { 'content-type': 'application/grpc+proto' }),
      frame(types.data, endStream, 1, message('x')),
    ]),
    said: 'headers 1 grpc-status=0 end',
  },
  'method that is not there: UNIMPLEMENTED': {
    bytes: request(1, { ':path': '/envoy.service.auth.v3.Authorization/Other' }, endStream),
    said: `headers 1 ${grpc}=12 grpc-message=no such method end`,
  },
  'path in another case: UNIMPLEMENTED': {
    bytes: request(1, { ':path': '/envoy.service.auth.v3.Authorization/check' }, endStream),
    said: `headers 1 ${grpc}=12 grpc-message=no such method end`,
  },
  'compression of the call: UNIMPLEMENTED, and what would be read': {
    bytes: request(1, { 'grpc-encoding': 'gzip' }, endStream),
    said: `headers 1 ${grpc}=12 grpc-message=compressed messages are not read grpc-accept-encoding=identity end`,
  },
  'compressed message: UNIMPLEMENTED': {
    bytes: Buffer.concat([request(1), frame(types.data, endStream, 1, Buffer.of(1, 0, 0, 0, 1, 7))]),
    said: `headers 1 ${grpc}=12 grpc-message=compressed messages are not read grpc-accept-encoding=identity end`,
  },
  'flag of a message that nobody knows: INTERNAL': {
    bytes: Buffer.concat([request(1), frame(types.data, endStream, 1, Buffer.of(2, 0, 0, 0, 1, 7))]),
    said: `headers 1 ${grpc}=13 grpc-message=expected exactly one message end`,
  },
  'no message: INTERNAL': {
    bytes: request(1, {}, endStream),
    said: `headers 1 ${grpc}=13 grpc-message=expected exactly one message end`,
  },
  'half a prefix: INTERNAL': {
    bytes: Buffer.concat([request(1), frame(types.data, endStream, 1, Buffer.of(0, 0, 0))]),
    said: `headers 1 ${grpc}=13 grpc-message=expected exactly one message end`,
  },
  'half a message: INTERNAL': {
    bytes: Buffer.concat([request(1), frame(types.data, endStream, 1, message('xyz').subarray(0, 6))]),
    said: `headers 1 ${grpc}=13 grpc-message=expected exactly one message end`,
  },
  'two messages: INTERNAL': {
    bytes: Buffer.concat([request(1), frame(types.data, endStream, 1, Buffer.concat([message('x'), message('y')]))]),
    said: `headers 1 ${grpc}=13 grpc-message=expected exactly one message end`,
  },
  'message of 4 GiB by its prefix: RESOURCE_EXHAUSTED, unread': {
    bytes: Buffer.concat([request(1), frame(types.data, 0, 1, Buffer.of(0, 255, 255, 255, 255))]),
    said: `headers 1 ${grpc}=8 grpc-message=the message is too large end`,
  },
  'timeout without a unit: INTERNAL': {
    bytes: request(1, { 'grpc-timeout': '5' }, endStream),
    said: `headers 1 ${grpc}=13 grpc-message=the timeout is not well-formed end`,
  },
  'timeout of nine digits: INTERNAL': {
    bytes: request(1, { 'grpc-timeout': '123456789S' }, endStream),
    said: `headers 1 ${grpc}=13 grpc-message=the timeout is not well-formed end`,
  },
  'timeout of 0: DEADLINE_EXCEEDED': {
    bytes: request(1, { 'grpc-timeout': '0m' }, endStream),
    said: `headers 1 ${grpc}=4 grpc-message=the deadline has passed end`,
  },
  'health of a service by junk: NOT_FOUND': {
    bytes: Buffer.concat([
      request(1, { ':path': '/grpc.health.v1.Health/Check' }),
      frame(types.data, endStream, 1, message(Buffer.of(0x0a, 200, 1))),
    ]),
    said: 'headers 1 :status=200 content-type=application/grpc grpc-status=5 grpc-message=no such service end',
  },
};

it.each(Object.entries(answers))('%s', async (_name, { bytes, said }) => {
  const { address } = await serve();
  const client = await open(address);
  client.say(greeting, bytes, pong, check(3, 'z'));
  const lines = await client.until('headers 3 grpc-status=0');
  const own = lines.filter((line) => line.startsWith('headers 1') && line.endsWith('end'));
  expect(own).toEqual([said]);
  expect(lines).toContain(`data 3 ${message('z').toString('hex')}`);
  expect(client.isClosed).toBe(false);
});

it.each([
  ['1H', 1000],
  ['99999999H', 1000],
  ['100m', 90],
  ['50000u', 40],
  ['99n', 0],
])('timeout %s: the handler may wait at most %i ms', async (timeout, most) => {
  const waits: number[] = [];
  const { address } = await serve({
    check: (bytes, waitMs) => {
      waits.push(waitMs);
      return bytes;
    },
  });
  const client = await open(address);
  client.say(greeting, request(1, { 'grpc-timeout': timeout }), frame(types.data, endStream, 1, message('x')));
  await client.until('headers 1');
  client.say(check(3));
  await client.until('headers 3 grpc-status');
  // One whose time is over is not worked on.
  expect(waits.length).toBe(timeout === '99n' ? waits.length : 2);
  if (timeout.endsWith('H')) expect(waits[0]).toBeGreaterThanOrEqual(1000);
  else if (waits.length === 2) expect(waits[0]).toBeLessThanOrEqual(most);
});

describe('a client that breaks the rules: it is told, and others are served', () => {
  const broken: Record<string, { bytes: readonly Uint8Array[]; code: string }> = {
    'HTTP/1.1 on the port': { bytes: [Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')], code: 'PROTOCOL_ERROR' },
    'TLS on a port without': { bytes: [Buffer.of(0x16, 3, 1, 0, 5, 1)], code: 'PROTOCOL_ERROR' },
    'frame of 16 MiB': { bytes: [greeting, Buffer.of(255, 255, 255, 0, 0, 0, 0, 0, 1)], code: 'FRAME_SIZE_ERROR' },
    'header block that is none': {
      bytes: [greeting, frame(types.headers, endHeaders, 1, Buffer.alloc(20, 0xff))],
      code: 'COMPRESSION_ERROR',
    },
    'header block without end (CVE-2024-27316)': {
      bytes: [
        greeting,
        frame(types.headers, 0, 1),
        ...Array.from({ length: 1000 }, () => frame(types.continuation, 0, 1, Buffer.alloc(100))),
      ],
      code: 'ENHANCE_YOUR_CALM',
    },
    'pings without end': {
      bytes: [greeting, ...Array.from({ length: 10_001 }, () => pong)],
      code: 'ENHANCE_YOUR_CALM',
    },
    'settings without end': {
      bytes: [greeting, ...Array.from({ length: 10_001 }, () => settings([4, 5]))],
      code: 'ENHANCE_YOUR_CALM',
    },
    'empty data without end': {
      bytes: [greeting, request(1), ...Array.from({ length: 10_001 }, () => frame(types.data, 0, 1))],
      code: 'ENHANCE_YOUR_CALM',
    },
    'streams opened and reset without end (CVE-2023-44487)': {
      bytes: [
        greeting,
        ...Array.from({ length: 20_002 }, (_, index) =>
          Buffer.concat([request(2 * index + 1), frame(types.reset, 0, 2 * index + 1, number(8))]),
        ),
      ],
      code: 'ENHANCE_YOUR_CALM',
    },
  };

  it.each(Object.entries(broken))('%s', async (_name, { bytes, code }) => {
    // The second in which they may be many does not pass.
    const { server, address } = await serve({ clock: new ManualClock() });
    const client = await open(address);
    client.say(...bytes);
    const lines = await client.closed();
    expect(lines.at(-1)).toMatch(new RegExp(`^goaway \\d+ ${code}$`));
    await serves(address);
    expect(server.activeChecks()).toBe(0);
  });

  it.each([1, 5, 9, 30, 33, 40, 60, 200])('gone after %i bytes of a check: nothing is left of it', async (count) => {
    const seen = vi.fn();
    const { server, address } = await serve({
      check: (bytes) => {
        if (bytes.length > 1) seen();
        return bytes;
      },
    });
    const client = await open(address);
    const all = Buffer.concat([greeting, check(1, Buffer.alloc(300))]);
    client.say(all.subarray(0, count));
    client.socket.end();
    await client.closed();
    expect(server.activeChecks()).toBe(0);
    expect(seen).not.toHaveBeenCalled();
    await serves(address);
  });

  it('gone while its check waits: the check ends, and the answer goes nowhere', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Uint8Array>();
    const { promise: called, resolve: tell } = Promise.withResolvers<void>();
    const { server, address } = await serve({
      check: (bytes) => {
        if (bytes[0] === 7) return bytes;
        tell();
        return answer;
      },
    });
    const client = await open(address);
    client.say(greeting, check(1, 'x'));
    await called;
    expect(server.activeChecks()).toBe(1);
    client.socket.resetAndDestroy();
    await vi.waitFor(() => expect(server.activeChecks()).toBe(0));
    resolve(Uint8Array.of(1));
    await serves(address);
  });
});

describe('a client that is slow', () => {
  it('reads nothing: is not read from either, and what waits for it is bounded', async () => {
    let answered = 0;
    const { address } = await serve({
      check: (bytes) => {
        if (bytes[0] === 7) return bytes;
        answered += 1;
        return new Uint8Array(32_000);
      },
    });
    const client = await open(address);
    client.socket.pause();
    client.say(preface, settings([4, 2 ** 31 - 1]), frame(types.windowUpdate, 0, 0, number(2 ** 31 - 65_536)));
    const checks = Array.from({ length: 1800 }, (_, index) => check(2 * index + 1));
    // Their answers are 29 MB.
    client.say(...checks.slice(0, 900));
    let before = 0;
    await vi.waitFor(
      () => {
        const isStill = answered === before && answered > 0;
        before = answered;
        expect(isStill).toBe(true);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(answered).toBeLessThanOrEqual(900);
    client.say(...checks.slice(900));
    for (let count = 0; count < 5; count += 1) await serves(address);
    expect(answered).toBe(before);
    await serves(address);
    // When it reads again, it gets all.
    client.socket.resume();
    await client.until('headers 3599 grpc-status=0');
    expect(answered).toBe(1800);
  });

  it('gives no window for its answers: they are given up after 5 s, all at once where they are too many', async () => {
    const clock = new ManualClock();
    const { server, address } = await serve({ clock });
    const client = await open(address);
    client.say(preface, settings([4, 0]), check(1), check(3));
    await client.until('headers 3');
    client.say(pong);
    await client.until('ping ack');
    expect(server.activeChecks()).toBe(2);
    clock.advance(4999);
    expect(server.activeChecks()).toBe(2);
    clock.advance(1);
    expect(server.activeChecks()).toBe(0);
    expect(await client.until('reset 3')).toEqual(expect.arrayContaining(['reset 1 CANCEL', 'reset 3 CANCEL']));
    expect(clock.pending()).toBe(0);
    await serves(address);
  });

  it('takes its answer late, but in time: gets it', async () => {
    const clock = new ManualClock();
    const { address } = await serve({ clock });
    const client = await open(address);
    client.say(preface, settings([4, 0]), check(1, 'abc'));
    await client.until('headers 1');
    client.say(frame(types.windowUpdate, 0, 1, number(100)));
    const lines = await client.until('headers 1 grpc-status');
    expect(lines.slice(-2)).toEqual([`data 1 ${message('abc').toString('hex')}`, 'headers 1 grpc-status=0 end']);
    expect(clock.pending()).toBe(0);
  });
});

/** What is really held: garbage is collected first. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

it('one byte of a message in a packet of 48 KB, from a thousand streams: what is kept is the bytes', async () => {
  const { address } = await serve();
  const client = await open(address);
  client.say(greeting);
  await client.until('settings ack');
  const packet = Buffer.concat(Array.from({ length: 3 }, () => frame(0x77, 0, 0, Buffer.alloc(16_000))));
  const before = heldBytes();
  for (let id = 1; id < 2000; id += 2) {
    client.say(request(id), frame(types.data, 0, id, Buffer.of(0)), packet);
    if (id % 50 === 1) {
      const many = id;
      client.say(frame(types.ping, 0, 0, number(many).toString('hex')));
      await client.until(`ping ack ${Buffer.from(number(many).toString('hex')).toString('hex')}`);
    }
  }
  client.say(pong);
  await client.until(`ping ack ${Buffer.from('are you?').toString('hex')}`);
  // What was sent is garbage too, and freed when the collector gets to it; what is kept would be 48 MB for as long as we look.
  await vi.waitFor(() => expect(heldBytes() - before).toBeLessThan(8_000_000), { timeout: 4000, interval: 100 });
  await serves(address);
});

it('8,192 watches of health, over many connections: told of changes; one more: RESOURCE_EXHAUSTED, until one ends', async () => {
  const { server, address } = await serve();
  const watch = (id: number): Buffer =>
    Buffer.concat([
      request(id, { ':path': '/grpc.health.v1.Health/Watch' }),
      frame(types.data, endStream, id, message('')),
    ]);
  const ids = Array.from({ length: 1024 }, (_, index) => 2 * index + 1);
  const clients = await Promise.all(Array.from({ length: 8 }, () => open(address)));
  for (const client of clients) client.say(greeting, frame(types.windowUpdate, 0, 0, number(1e6)), ...ids.map(watch));
  await Promise.all(clients.map((client) => client.until('data 2047')));
  const more = await open(address);
  more.say(greeting, watch(1));
  expect((await more.until('headers 1')).at(-1)).toBe(`headers 1 ${grpc}=8 grpc-message=too many watches end`);
  server.setServing(true);
  await Promise.all(clients.map((client) => client.until('data 2047 00000000020801')));
  clients[0]?.say(frame(types.reset, 0, 1, number(8)), pong);
  await clients[0]?.until('ping ack');
  more.say(watch(3));
  expect((await more.until('data 3')).at(-1)).toBe('data 3 00000000020801');
});

describe('farewell', () => {
  it('client that does not answer the ping of a farewell: is let go after a second', async () => {
    const clock = new ManualClock();
    const { server, address } = await serve({ clock });
    const client = await open(address);
    client.say(greeting, check(1));
    await client.until('headers 1 grpc-status');
    const drained = server.drain({ minMs: 0, quietMs: 0, maxMs: 20_000 });
    await client.until('goaway');
    expect(client.isClosed).toBe(false);
    clock.advance(999);
    client.say(pong);
    await client.until('ping ack');
    clock.advance(1);
    expect((await client.closed()).slice(-1)).toEqual(['goaway 1 NO_ERROR']);
    expect(await drained).toBe('quiet');
  });

  it('check that is on its way when the farewell is said: answered', async () => {
    const { server, address } = await serve();
    const client = await open(address);
    client.say(greeting, check(1));
    await client.until('headers 1 grpc-status');
    const drained = server.drain({ minMs: 0, quietMs: 0, maxMs: 20_000 });
    await client.until('goaway');
    client.say(check(3), frame(types.ping, 1, 0, 'scopegat'));
    const lines = await client.closed();
    expect(lines).toContain('headers 3 grpc-status=0 end');
    expect(lines).toContain('goaway 3 NO_ERROR');
    await drained;
  });
});

describe('TLS', () => {
  async function serveTls(): Promise<{ address: string; ca: Buffer }> {
    const file = (name: string): string => new URL(name, support).pathname;
    const { address } = await serve({ tls: { cert: file('tls/server.pem'), key: file('tls/server-key.pem') } });
    return { address, ca: await readFile(new URL('tls/ca.pem', support)) };
  }

  it.each<[string, string[] | undefined, boolean]>([
    ['h2', ['h2'], true],
    ['h2 among others', ['http/1.1', 'h2'], true],
    ['HTTP/1.1 alone', ['http/1.1'], false],
    ['nothing', undefined, false],
  ])('client that names %s as its protocol (ALPN)', async (_name, protocols, isServed) => {
    const { address, ca } = await serveTls();
    const { hostname, port } = new URL(`https://${address}`);
    const options = protocols === undefined ? {} : { ALPNProtocols: protocols };
    const client = RawClient.of(
      connectTls({ host: hostname, port: Number(port), ca, servername: 'localhost', ...options }),
    );
    ends.push(() => client.socket.destroy());
    client.say(greeting, check(1));
    expect((await client.until('headers 1 grpc-status')).includes('headers 1 grpc-status=0 end')).toBe(isServed);
    if (!isServed) expect(await client.closed()).toEqual([]);
  });
});

it('node:http2 as a client with a header table of 0: answered on one connection, again and again', async () => {
  const { address } = await serve();
  const session = connectHttp2(`http://${address}`, { settings: { headerTableSize: 0 } });
  ends.push(() => session.destroy());
  for (let count = 0; count < 3; count += 1) {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/envoy.service.auth.v3.Authorization/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(message('x'));
    const trailers = once(stream, 'trailers');
    stream.resume();
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' });
  }
});
