/** Properties of bytes: how they are cut changes nothing, and no bytes whatever make us throw, hang or hoard. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  ack,
  block,
  check,
  describe,
  endHeaders,
  endStream,
  frame,
  greeting,
  hasPriority,
  message,
  number,
  padded,
  request,
  requestFields,
  settings,
  types,
} from '../../support/http2-bytes.ts';
import { converse } from './conversation.ts';

const indexed = Buffer.concat([Buffer.from([0x83, 0x86, 0x44, 1, 0x2f]), Buffer.from([0x40, 1, 0x61, 1, 0x62])]);
const conversationOfMany = Buffer.concat([
  greeting,
  check(1),
  frame(types.headers, 0, 3, block(...requestFields()).subarray(0, 30)),
  frame(types.continuation, endHeaders, 3, block(...requestFields()).subarray(30)),
  frame(types.data, padded, 3, Buffer.concat([Buffer.of(4), message('xyz').subarray(0, 4), Buffer.alloc(4)])),
  frame(types.ping, 0, 0, '12345678'),
  frame(types.data, endStream, 3, message('xyz').subarray(4)),
  settings([4, 3], [1, 0]),
  frame(types.headers, endHeaders | endStream, 5, indexed),
  check(7, 'abcdef'),
  frame(types.windowUpdate, 0, 7, number(100)),
  frame(types.headers, endHeaders | endStream, 9, Buffer.from([0x83, 0x86, 0x84, 0xbe])),
  request(11),
  frame(types.reset, 0, 11, number(8)),
  frame(types.ping, 0, 0, Buffer.alloc(7)),
]);

function hear(chunks: readonly Buffer[]): { said: string[]; seen: string[] } {
  const conversation = converse();
  for (const chunk of chunks) conversation.connection.receive(Buffer.from(chunk));
  return { said: conversation.text(), seen: conversation.seen };
}

const whole = hear([conversationOfMany]);

it('the conversation itself: all is answered, and its last frame ends it', () => {
  expect(whole.said.at(-1)).toBe('goaway 11 FRAME_SIZE_ERROR');
  expect(whole.seen.filter((line) => line.startsWith('end'))).toHaveLength(5);
});

it('cut into two at every byte: the same', () => {
  for (let at = 0; at <= conversationOfMany.length; at += 1) {
    expect(hear([conversationOfMany.subarray(0, at), conversationOfMany.subarray(at)])).toEqual(whole);
  }
});

it('byte by byte: the same', () => {
  expect(hear(Array.from(conversationOfMany, (byte) => Buffer.of(byte)))).toEqual(whole);
});

it('cut anyhow: the same', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: conversationOfMany.length }), { maxLength: 30 }), (places) => {
      const cuts = [0, ...places.toSorted((a, b) => a - b), conversationOfMany.length];
      expect(hear(cuts.map((end, index) => conversationOfMany.subarray(cuts[index - 1] ?? 0, end)))).toEqual(whole);
    }),
  );
});

const stream = fc.constantFrom(0, 1, 3, 5, 7, 9, 2, 2 ** 31 - 1);
const someBytes = fc.uint8Array({ maxLength: 40 });
const fields = fc.constantFrom(block(...requestFields()), indexed, Buffer.from([0x83, 0x86, 0x84, 0xbe]));
const flags = fc.constantFrom(0, ack, endHeaders, endHeaders | endStream, padded, hasPriority, 0xff);
const anyFrame = fc.oneof(
  fc
    .tuple(fc.nat({ max: 11 }), flags, stream, someBytes)
    .map(([type, flag, id, payload]) => frame(type, flag, id, payload)),
  fc.tuple(flags, stream, fields).map(([flag, id, payload]) => frame(types.headers, flag | endHeaders, id, payload)),
  fc.tuple(flags, stream, someBytes).map(([flag, id, payload]) => frame(types.data, flag & ~padded, id, payload)),
  fc.tuple(stream, fc.nat({ max: 2 ** 31 - 1 })).map(([id, by]) => frame(types.windowUpdate, 0, id, number(by))),
  fc
    .tuple(fc.nat({ max: 7 }), fc.oneof(fc.nat({ max: 70_000 }), fc.nat()))
    .map(([name, value]) => settings([name, value])),
  stream.map((id) => check(id)),
  stream.map((id) => frame(types.reset, 0, id, number(8))),
);

/** What must hold whatever a client says, and does not. */
function faultsOf(bytes: Buffer): string[] {
  const conversation = converse({ streamWindow: 10_000 });
  conversation.connection.receive(bytes);
  const lines = describe(conversation.heard());
  const faults: string[] = [];
  const goodbyes = lines.filter((line) => line.startsWith('goaway')).length;
  if (goodbyes !== (conversation.isEnded() ? 1 : 0)) faults.push('an end without a goodbye');
  if (conversation.isEnded() && !lines.at(-1)?.startsWith('goaway')) faults.push('more after the goodbye');
  if (conversation.connection.streams > 4) faults.push('too many streams');
  const count = (word: string): number => conversation.seen.filter((line) => line.startsWith(word)).length;
  if (count('open') - count('closed') !== conversation.connection.streams) faults.push('a stream that is lost');
  const ended = new Set<string>();
  for (const line of lines) {
    const [word = '', id = ''] = line.split(' ');
    if ((word === 'headers' || word === 'data') && ended.has(id)) faults.push(`${line} after the end`);
    if (line.endsWith(' end')) ended.add(id);
  }
  return faults;
}

it('any frames: answered by the rules, or the connection ends with a reason', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 40 }), (frames) => {
      expect(faultsOf(Buffer.concat([greeting, ...frames]))).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

it('a good conversation with bytes that changed: the same', () => {
  const change = fc.tuple(fc.nat({ max: conversationOfMany.length - 1 }), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(conversationOfMany);
      for (const [at, value] of changes) bytes[at] = value;
      expect(faultsOf(bytes)).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

it('any bytes at all: the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(faultsOf(Buffer.from(bytes))).toEqual([]);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(faultsOf(Buffer.concat([greeting, Buffer.from(bytes)]))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
