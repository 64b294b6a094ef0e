import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { encodeFields } from '../../../src/http2/hpack-encode.ts';
import { speakHttp2 } from '../../../src/server/http2-socket.ts';
import { ack, check, describe, frame, greeting, message, parse, types } from '../../support/http2-bytes.ts';
import { ManualClock } from './manual-clock.ts';

/** The parts of a socket that are asked for; its time is the test's. */
class FakeSocket extends Duplex {
  timeout: number | undefined;
  /** Each piece as it was written. */
  readonly written: Buffer[] = [];
  isFull = false;
  #release: (() => void) | undefined;

  constructor() {
    super({ writableHighWaterMark: 16_384 });
  }

  setNoDelay(): void {}

  setTimeout(ms: number): void {
    this.timeout = ms;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    if (this.isFull) this.#release = done;
    else done();
  }

  override _final(done: () => void): void {
    done();
  }

  release(): void {
    this.isFull = false;
    this.#release?.();
  }

  /** As if it had come over the wire. */
  arrive(...bytes: readonly Buffer[]): void {
    this.push(Buffer.concat(bytes));
  }

  lines(): string[] {
    return describe(parse(Buffer.concat(this.written.splice(0))).frames);
  }
}

const head = encodeFields(200, []);
const tail = encodeFields(undefined, [['t', '1']]);

function speak() {
  const socket = new FakeSocket();
  const clock = new ManualClock();
  const closed = vi.fn();
  const faults: unknown[] = [];
  const behaviour = { answer: true, isFaulty: false };
  const spoken = speakHttp2(
    // It has what is asked of it.
    socket as unknown as Socket,
    { maxStreams: 10, streamWindow: 100_000 },
    {
      clock,
      closed,
      beforeRead: () => undefined,
      afterRead: () => undefined,
      onFault: (fault) => faults.push(fault),
      open: (stream) => ({
        data: () => undefined,
        end: () => {
          if (behaviour.isFaulty) throw new Error('a fault');
          stream.answer(head, [message('x')], tail);
        },
        closed: () => undefined,
      }),
    },
  );
  return { socket, clock, closed, faults, behaviour, spoken };
}

/** Streams tell of what came with the next tick. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it('nothing within 10 s: cut off', async () => {
  const { socket, closed } = speak();
  expect(socket.timeout).toBe(10_000);
  socket.arrive(greeting.subarray(0, 20));
  await settled();
  expect(socket.timeout).toBe(10_000);
  socket.emit('timeout');
  await settled();
  expect(socket.destroyed).toBe(true);
  expect(closed).toHaveBeenCalledOnce();
});

it('silent for 60 s: asked; says something within 20 s: stays; else cut off', async () => {
  const { socket } = speak();
  socket.arrive(greeting);
  await settled();
  expect(socket.timeout).toBe(60_000);
  socket.lines();
  socket.emit('timeout');
  await settled();
  expect(socket.lines()).toEqual(['ping 0000000000000000']);
  expect(socket.timeout).toBe(20_000);
  socket.arrive(frame(types.ping, ack, 0, Buffer.alloc(8)));
  await settled();
  expect(socket.timeout).toBe(60_000);
  socket.emit('timeout');
  expect(socket.destroyed).toBe(false);
  socket.emit('timeout');
  expect(socket.destroyed).toBe(true);
});

it('answers to what came in one piece: go out in one piece', async () => {
  const { socket } = speak();
  await settled();
  socket.written.splice(0);
  socket.arrive(greeting, check(1), check(3), check(5));
  await settled();
  expect(socket.written).toHaveLength(1);
  expect(socket.lines().filter((line) => line.endsWith('end'))).toHaveLength(3);
});

it('peer that does not read: is not read from until it does', async () => {
  const { socket } = speak();
  socket.arrive(greeting);
  await settled();
  socket.lines();
  socket.isFull = true;
  for (let id = 1; id < 2001; id += 2) {
    socket.arrive(check(id));
    await settled();
  }
  expect(socket.isPaused()).toBe(true);
  expect(socket.writableLength).toBeLessThan(20_000);
  socket.release();
  await vi.waitFor(() => expect(socket.isPaused()).toBe(false));
  await settled();
  await vi.waitFor(() => expect(socket.lines().at(-1)).toBe('headers 1999 t=1 end'));
});

it('peer that breaks the rules and goes on talking: told, ended, and nothing of it is looked at', async () => {
  const { socket, behaviour } = speak();
  socket.arrive(greeting, frame(types.ping, 0, 0, Buffer.alloc(7)));
  await settled();
  expect(socket.lines().at(-1)).toBe('goaway 0 FRAME_SIZE_ERROR');
  expect(socket.writableEnded).toBe(true);
  behaviour.isFaulty = true;
  for (let id = 1; id < 100; id += 2) socket.arrive(check(id));
  await settled();
  expect(socket.readableLength).toBe(0);
  expect(socket.destroyed).toBe(false);
});

it('fault of ours while reading: told, and the connection is cut', async () => {
  const { socket, behaviour, faults } = speak();
  behaviour.isFaulty = true;
  socket.arrive(greeting, check(1));
  await settled();
  expect(faults).toEqual([expect.objectContaining({ message: 'a fault' })]);
  expect(socket.destroyed).toBe(true);
});

it('drain: a second for the peer to confirm, and no timer when the socket has closed before', async () => {
  const first = speak();
  first.socket.arrive(greeting);
  await settled();
  first.spoken.drain();
  first.spoken.drain();
  expect(first.clock.pending()).toBe(1);
  first.clock.advance(1000);
  await settled();
  expect(first.socket.lines().slice(-3)).toEqual([
    `goaway ${2 ** 31 - 1} NO_ERROR`,
    'ping 73636f7065676174',
    'goaway 0 NO_ERROR',
  ]);
  expect(first.socket.writableEnded).toBe(true);
  const second = speak();
  second.spoken.drain();
  second.spoken.destroy();
  await settled();
  expect(second.clock.pending()).toBe(0);
});
