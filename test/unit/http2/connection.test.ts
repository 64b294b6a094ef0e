import { expect, describe as group, it } from 'vitest';
import {
  ack,
  block,
  check,
  emptySettings,
  endHeaders,
  endStream,
  frame,
  greeting,
  hasPriority,
  message,
  number,
  padded,
  preface,
  request,
  requestFields,
  settings,
  types,
} from '../../support/http2-bytes.ts';
import { answerHead, answerTail, type Conversation, converse } from './conversation.ts';

const { data, headers, priority, reset, push, ping, goaway, windowUpdate, continuation } = types;

/** After the greeting; what it hears, without what every client hears first. */
function say(...bytes: readonly Buffer[]): Conversation & { said: string[] } {
  const conversation = converse();
  conversation.connection.receive(greeting);
  conversation.heard();
  for (const piece of bytes) conversation.connection.receive(piece);
  return { ...conversation, said: conversation.text() };
}

it('greeting: settings and a window for all bodies, then the confirmation', () => {
  const conversation = converse({ maxStreams: 7, streamWindow: 99 });
  expect(conversation.connection.isEstablished).toBe(false);
  const [first] = conversation.heard();
  expect(first?.payload.toString('hex')).toBe('000300000007000400000063000600008000');
  conversation.connection.receive(greeting);
  expect(conversation.text()).toEqual(['settings ack']);
  expect(conversation.connection.isEstablished).toBe(true);
});

const ends: Record<string, { bytes: readonly Buffer[]; code: string; last?: number }> = {
  // Section 4.2 and 6: sizes.
  'frame larger than we allow': { bytes: [frame(data, 0, 1, Buffer.alloc(16_385))], code: 'FRAME_SIZE_ERROR' },
  'ping of 7 bytes': { bytes: [frame(ping, 0, 0, Buffer.alloc(7))], code: 'FRAME_SIZE_ERROR' },
  'ping on a stream': { bytes: [frame(ping, 0, 1, Buffer.alloc(8))], code: 'PROTOCOL_ERROR' },
  'settings on a stream': { bytes: [frame(types.settings, 0, 1)], code: 'PROTOCOL_ERROR' },
  'settings of 5 bytes': { bytes: [frame(types.settings, 0, 0, Buffer.alloc(5))], code: 'FRAME_SIZE_ERROR' },
  'settings that confirm and say something': {
    bytes: [frame(types.settings, ack, 0, Buffer.alloc(6))],
    code: 'FRAME_SIZE_ERROR',
  },
  'push switched to 2': { bytes: [settings([2, 2])], code: 'PROTOCOL_ERROR' },
  'initial window of 2^31': { bytes: [settings([4, 2 ** 31])], code: 'FLOW_CONTROL_ERROR' },
  'frames of 16383 bytes': { bytes: [settings([5, 16_383])], code: 'PROTOCOL_ERROR' },
  'frames of 2^24 bytes': { bytes: [settings([5, 2 ** 24])], code: 'PROTOCOL_ERROR' },
  'window update of 3 bytes': { bytes: [frame(windowUpdate, 0, 0, Buffer.alloc(3))], code: 'FRAME_SIZE_ERROR' },
  'window update of 0': { bytes: [frame(windowUpdate, 0, 0, number(0))], code: 'PROTOCOL_ERROR' },
  'window of the connection above 2^31': {
    bytes: [frame(windowUpdate, 0, 0, number(2 ** 31 - 1))],
    code: 'FLOW_CONTROL_ERROR',
  },
  'window update of a stream that is idle': {
    bytes: [frame(windowUpdate, 0, 1, number(1))],
    code: 'PROTOCOL_ERROR',
  },
  'reset of a stream that is idle': { bytes: [frame(reset, 0, 1, number(8))], code: 'PROTOCOL_ERROR' },
  'reset of no stream': { bytes: [frame(reset, 0, 0, number(8))], code: 'PROTOCOL_ERROR' },
  'reset of 5 bytes': { bytes: [request(1), frame(reset, 0, 1, Buffer.alloc(5))], code: 'FRAME_SIZE_ERROR', last: 1 },
  'priority of 4 bytes': { bytes: [frame(priority, 0, 1, Buffer.alloc(4))], code: 'FRAME_SIZE_ERROR' },
  'priority of no stream': { bytes: [frame(priority, 0, 0, Buffer.alloc(5))], code: 'PROTOCOL_ERROR' },
  'priority of a stream on itself': {
    bytes: [frame(priority, 0, 3, Buffer.concat([number(3), Buffer.of(1)]))],
    code: 'PROTOCOL_ERROR',
  },
  'goodbye on a stream': { bytes: [frame(goaway, 0, 1, Buffer.alloc(8))], code: 'PROTOCOL_ERROR' },
  'goodbye of 7 bytes': { bytes: [frame(goaway, 0, 0, Buffer.alloc(7))], code: 'FRAME_SIZE_ERROR' },
  'push of a client': { bytes: [frame(push, endHeaders, 1, number(2))], code: 'PROTOCOL_ERROR' },
  // Section 5.1: states of a stream.
  'data on no stream': { bytes: [frame(data, 0, 0, 'x')], code: 'PROTOCOL_ERROR' },
  'data on a stream that is idle': { bytes: [frame(data, 0, 1, 'x')], code: 'PROTOCOL_ERROR' },
  'data on a stream of ours': { bytes: [check(3), frame(data, 0, 2, 'x')], code: 'PROTOCOL_ERROR', last: 3 },
  'data after the answer': { bytes: [check(1), frame(data, 0, 1, 'x')], code: 'STREAM_CLOSED', last: 1 },
  'headers after the answer': { bytes: [check(1), request(1)], code: 'STREAM_CLOSED', last: 1 },
  'data after a reset of its own': {
    bytes: [request(1), frame(reset, 0, 1, number(8)), frame(data, 0, 1, 'x')],
    code: 'STREAM_CLOSED',
    last: 1,
  },
  'headers on a stream number that was left out': { bytes: [check(5), request(3)], code: 'PROTOCOL_ERROR', last: 5 },
  'headers on an old stream number, with gaps around': {
    bytes: [check(5), check(11), request(5)],
    code: 'STREAM_CLOSED',
    last: 11,
  },
  'headers on no stream': { bytes: [request(0)], code: 'PROTOCOL_ERROR' },
  'headers on a stream of ours': { bytes: [request(2)], code: 'PROTOCOL_ERROR' },
  // Section 6.1 and 6.2: padding and priority.
  'padded frame without the length of its padding': {
    bytes: [request(1), frame(data, padded, 1)],
    code: 'FRAME_SIZE_ERROR',
    last: 1,
  },
  'padding as long as the frame': {
    bytes: [request(1), frame(data, padded, 1, Buffer.of(1))],
    code: 'PROTOCOL_ERROR',
    last: 1,
  },
  'headers with a priority of 4 bytes': {
    bytes: [frame(headers, endHeaders | hasPriority, 1, Buffer.alloc(4))],
    code: 'FRAME_SIZE_ERROR',
  },
  'headers whose stream depends on itself': {
    bytes: [frame(headers, endHeaders | hasPriority, 1, Buffer.concat([number(1), Buffer.of(1)]))],
    code: 'PROTOCOL_ERROR',
  },
  // Section 6.10: header blocks in pieces.
  'continuation of nothing': { bytes: [frame(continuation, endHeaders, 1)], code: 'PROTOCOL_ERROR' },
  'continuation of another stream': {
    bytes: [frame(headers, 0, 1), frame(continuation, endHeaders, 3)],
    code: 'PROTOCOL_ERROR',
  },
  'ping between the pieces of a header block': {
    bytes: [frame(headers, 0, 1), frame(ping, 0, 0, Buffer.alloc(8))],
    code: 'PROTOCOL_ERROR',
  },
  'headers between the pieces of a header block': {
    bytes: [frame(headers, 0, 1), request(1)],
    code: 'PROTOCOL_ERROR',
  },
  'header block in 65 pieces (CVE-2024-27316)': {
    bytes: [frame(headers, 0, 1), ...Array.from({ length: 64 }, () => frame(continuation, 0, 1))],
    code: 'ENHANCE_YOUR_CALM',
  },
  'header block of more than 32 KiB': {
    bytes: [
      frame(headers, 0, 1, Buffer.alloc(16_000)),
      frame(continuation, 0, 1, Buffer.alloc(16_000)),
      frame(continuation, 0, 1, Buffer.alloc(1000)),
    ],
    code: 'ENHANCE_YOUR_CALM',
  },
  'header block that cannot be decoded': {
    bytes: [frame(headers, endHeaders, 1, Buffer.of(0x80))],
    code: 'COMPRESSION_ERROR',
    last: 1,
  },
};

group('ends the connection', () => {
  it.each(Object.entries(ends))('%s', (_name, { bytes, code, last }) => {
    const { said, seen, isEnded, connection } = say(...bytes);
    expect(said.at(-1)).toBe(`goaway ${last ?? 0} ${code}`);
    expect(isEnded()).toBe(true);
    expect(connection.streams).toBe(0);
    // Every stream that was opened was also closed.
    expect(seen.filter((line) => line.startsWith('closed'))).toHaveLength(
      seen.filter((line) => line.startsWith('open')).length,
    );
  });

  it.each<[string, Buffer]>([
    ['no settings after the preface', Buffer.concat([preface, frame(ping, 0, 0, Buffer.alloc(8))])],
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a preface with one wrong byte', Buffer.from('PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n')],
    ['one byte that no preface begins with', Buffer.of(0x16)],
  ])('%s', (_name, bytes) => {
    const conversation = converse();
    conversation.heard();
    conversation.connection.receive(bytes);
    expect(conversation.text()).toEqual(['goaway 0 PROTOCOL_ERROR']);
    expect(conversation.isEnded()).toBe(true);
  });

  it('what comes after the end: nobody looks at it', () => {
    const { connection, seen, heard } = say(frame(ping, 0, 0, Buffer.alloc(7)));
    connection.receive(check(1));
    connection.drain();
    connection.ping();
    expect(heard()).toEqual([]);
    expect(seen).toEqual([]);
  });
});

/** `x` as a message, answered: the same, prefix and all. */
function answered(stream: number): string[] {
  return [`headers ${stream} :status=200`, `data ${stream} 000000000178`, `headers ${stream} t=1 end`];
}

const streamEnds: Record<string, { bytes: readonly Buffer[]; said: readonly string[] }> = {
  'body of another length than content-length': {
    bytes: [request(1, { 'content-length': '5' }), frame(data, endStream, 1, message('x'))],
    said: ['reset 1 PROTOCOL_ERROR'],
  },
  'content-length without a body': {
    bytes: [request(1, { 'content-length': '5' }, endStream)],
    said: ['reset 1 PROTOCOL_ERROR'],
  },
  'content-length that is no number': {
    bytes: [request(1, { 'content-length': '6, 6' }), frame(data, endStream, 1, message('x'))],
    said: ['reset 1 PROTOCOL_ERROR'],
  },
  'data after the end': {
    bytes: [request(1, {}, endStream), frame(data, 0, 1, 'x')],
    said: ['reset 1 STREAM_CLOSED'],
  },
  'headers after the end': {
    bytes: [request(1, {}, endStream), frame(headers, endHeaders | endStream, 1, block(['a', 'b']))],
    said: ['reset 1 STREAM_CLOSED'],
  },
  'trailers that are not the end': {
    bytes: [request(1), frame(headers, endHeaders, 1, block(['a', 'b']))],
    said: ['reset 1 PROTOCOL_ERROR'],
  },
  'trailers with a pseudo-header field': {
    bytes: [request(1), frame(headers, endHeaders | endStream, 1, block([':path', '/']))],
    said: ['reset 1 PROTOCOL_ERROR'],
  },
  'more than the window of the stream': {
    bytes: [request(1), frame(data, 0, 1, Buffer.alloc(600)), frame(data, 0, 1, Buffer.alloc(600))],
    said: ['reset 1 FLOW_CONTROL_ERROR'],
  },
  'window update of 0 on a stream': {
    bytes: [request(1), frame(windowUpdate, 0, 1, number(0))],
    said: ['reset 1 PROTOCOL_ERROR'],
  },
  'window of a stream above 2^31': {
    bytes: [request(1), frame(windowUpdate, 0, 1, number(2 ** 31 - 1))],
    said: ['reset 1 FLOW_CONTROL_ERROR'],
  },
  'fifth stream of four': {
    bytes: [request(1), request(3), request(5), request(7), request(9)],
    said: ['reset 9 REFUSED_STREAM'],
  },
  'header list of more than 32 KiB, as it is counted': {
    bytes: [
      frame(
        headers,
        endHeaders,
        1,
        block(...requestFields(), ...Array.from({ length: 1000 }, () => ['a', 'b'] as const)),
      ),
    ],
    said: ['reset 1 ENHANCE_YOUR_CALM'],
  },
  'header list of more than 32 KiB in a small block (HPACK bomb)': {
    bytes: [
      frame(
        headers,
        endHeaders,
        1,
        Buffer.concat([Buffer.of(0x40, 1, 0x61, 0x7f, 0x81, 0x1e), Buffer.alloc(3968, 0x62), Buffer.alloc(100, 0xbe)]),
      ),
    ],
    said: ['reset 1 ENHANCE_YOUR_CALM'],
  },
};

const malformed: Record<string, readonly (readonly [string, string])[]> = {
  'no method': requestFields({ ':method': undefined }),
  'no path': requestFields({ ':path': undefined }),
  'no scheme': requestFields({ ':scheme': undefined }),
  'empty path': requestFields({ ':path': '' }),
  'two paths': [[':path', '/a'], ...requestFields()],
  'two authorities': [[':authority', 'a'], ...requestFields()],
  'pseudo-header field of an answer': [[':status', '200'], ...requestFields()],
  'pseudo-header field that nobody knows': [[':x', 'y'], ...requestFields()],
  'pseudo-header field after another': [['a', 'b'], ...requestFields()],
  'name in upper case': [...requestFields(), ['A', 'b']],
  'empty name': [...requestFields(), ['', 'b']],
  'name with a space': [...requestFields(), ['a b', 'c']],
  'NUL in a value': [...requestFields(), ['a', 'b\0c']],
  'line break in a value': [...requestFields(), ['a', 'b\nc']],
  'space before a value': [...requestFields(), ['a', ' b']],
  'tab after a value': [...requestFields(), ['a', 'b\t']],
  connection: [...requestFields(), ['connection', 'close']],
  'keep-alive': [...requestFields(), ['keep-alive', '5']],
  'transfer-encoding': [...requestFields(), ['transfer-encoding', 'chunked']],
  upgrade: [...requestFields(), ['upgrade', 'h2c']],
  'proxy-connection': [...requestFields(), ['proxy-connection', 'close']],
  'te other than trailers': requestFields({ te: 'gzip' }),
  'two content types': [...requestFields(), ['content-type', 'application/grpc']],
  'two content lengths': [...requestFields(), ['content-length', '1'], ['content-length', '1']],
  'two timeouts': [...requestFields(), ['grpc-timeout', '1S'], ['grpc-timeout', '2S']],
};

group('ends the stream, and the connection goes on', () => {
  it.each(Object.entries(streamEnds))('%s', (_name, { bytes, said }) => {
    const conversation = converse({}, () => undefined);
    conversation.connection.receive(greeting);
    conversation.heard();
    for (const piece of bytes) conversation.connection.receive(piece);
    const lines = conversation.text();
    expect(lines).toEqual(said);
    expect(conversation.isEnded()).toBe(false);
    const id = lines[0]?.split(' ')[1];
    expect(conversation.streams.map((stream) => String(stream.id)).includes(id ?? '')).toBe(
      conversation.seen.includes(`closed ${id}`),
    );
    // The table of header fields is as the client left it, and what is still under way is passed over.
    conversation.connection.receive(frame(data, endStream, Number(id), 'late'));
    conversation.connection.receive(frame(ping, 0, 0, Buffer.alloc(8, 1)));
    expect(conversation.text()).toEqual(['ping ack 0101010101010101']);
  });

  it.each(Object.entries(malformed))('request with %s: reset 1 PROTOCOL_ERROR', (_name, fields) => {
    const { said, connection, text, seen } = say(frame(headers, endHeaders, 1, block(...fields)));
    expect(said).toEqual(['reset 1 PROTOCOL_ERROR']);
    expect(seen).toEqual([]);
    connection.receive(check(3));
    expect(text()).toEqual(answered(3));
  });
});

const fine: Record<string, { bytes: readonly Buffer[]; said: readonly string[] }> = {
  'a request': { bytes: [check(1)], said: answered(1) },
  'a request without a body': {
    bytes: [request(1, {}, endStream)],
    said: ['headers 1 :status=200', 'data 1 ', 'headers 1 t=1 end'],
  },
  'stream numbers that leave some out': { bytes: [check(1), check(9)], said: [...answered(1), ...answered(9)] },
  'padding and priority': {
    bytes: [
      frame(
        headers,
        endHeaders | padded | hasPriority,
        1,
        Buffer.concat([Buffer.of(3), number(0), Buffer.of(5), block(...requestFields()), Buffer.alloc(3)]),
      ),
      frame(data, endStream | padded, 1, Buffer.concat([Buffer.of(2), message('x'), Buffer.alloc(2)])),
    ],
    said: answered(1),
  },
  'padding that is not the last: its window is given back': {
    bytes: [
      request(1),
      frame(data, padded, 1, Buffer.concat([Buffer.of(2), Buffer.alloc(2)])),
      frame(data, endStream, 1, message('x')),
    ],
    said: ['window 1 3', ...answered(1)],
  },
  'header block in pieces': {
    bytes: [
      frame(headers, 0, 1, block(...requestFields()).subarray(0, 20)),
      frame(continuation, 0, 1),
      frame(continuation, endHeaders, 1, block(...requestFields()).subarray(20)),
      frame(data, endStream, 1, message('x')),
    ],
    said: answered(1),
  },
  'trailers of a client': {
    bytes: [request(1), frame(data, 0, 1, message('x')), frame(headers, endHeaders | endStream, 1, block(['a', 'b']))],
    said: answered(1),
  },
  'frame that nobody knows': { bytes: [frame(0x77, 0xff, 5, 'x'), check(1)], said: answered(1) },
  'setting that nobody knows': { bytes: [settings([99, 5]), check(1)], said: ['settings ack', ...answered(1)] },
  'priority of a stream that is idle': {
    bytes: [frame(priority, 0, 99, Buffer.alloc(5)), check(1)],
    said: answered(1),
  },
  'goodbye of the client': { bytes: [frame(goaway, 0, 0, Buffer.alloc(8)), check(1)], said: answered(1) },
  'ping: the same bytes': {
    bytes: [frame(ping, 0, 0, Buffer.from('12345678'))],
    said: ['ping ack 3132333435363738'],
  },
  'answer to a ping that nobody sent': { bytes: [frame(ping, ack, 0, Buffer.alloc(8)), check(1)], said: answered(1) },
  'reset and window update of a stream that is over': {
    bytes: [check(1), frame(reset, 0, 1, number(8)), frame(windowUpdate, 0, 1, number(5)), check(3)],
    said: [...answered(1), ...answered(3)],
  },
  'smaller header table (RFC 7541 section 4.2): said once, with the next block': {
    bytes: [settings([1, 0]), check(1), check(3)],
    said: ['settings ack', ...answered(1), ...answered(3)],
  },
};

it.each(Object.entries(fine))('is served: %s', (_name, { bytes, said }) => {
  const conversation = say(...bytes);
  expect(conversation.said).toEqual(said);
  expect(conversation.isEnded()).toBe(false);
});

it('smaller header table: the update of ours is the first byte of the next block, and of no other', () => {
  const conversation = converse();
  conversation.connection.receive(Buffer.concat([preface, settings([1, 100]), check(1), check(3)]));
  const blocks = conversation.heard().filter(({ type }) => type === headers);
  expect(blocks.map(({ payload }) => payload[0] === 0x20)).toEqual([true, false, false, false]);
});

group('windows of the client', () => {
  const body = 'y'.repeat(40);
  const hex = message(body).toString('hex');

  function small(window: number): Conversation {
    const conversation = converse({ streamWindow: 100_000 });
    conversation.connection.receive(Buffer.concat([preface, settings([4, window])]));
    conversation.connection.receive(check(1, body));
    return conversation;
  }

  it('smaller than the answer: sent in pieces as it opens, and the end with the last', () => {
    const conversation = small(10);
    expect(conversation.text().slice(3)).toEqual(['headers 1 :status=200', `data 1 ${hex.slice(0, 20)}`]);
    conversation.connection.receive(frame(windowUpdate, 0, 1, number(34)));
    expect(conversation.text()).toEqual([`data 1 ${hex.slice(20, 88)}`]);
    expect(conversation.streams[0]?.isBlocked).toBe(true);
    conversation.connection.receive(frame(windowUpdate, 0, 1, number(1)));
    expect(conversation.text()).toEqual([`data 1 ${hex.slice(88)}`, 'headers 1 t=1 end']);
    expect(conversation.connection.streams).toBe(0);
  });

  it('0, and larger by settings: sent; made negative by settings: waits until it is above 0 again', () => {
    const conversation = small(0);
    conversation.heard();
    conversation.connection.receive(settings([4, 5]));
    expect(conversation.text()).toEqual(['settings ack', `data 1 ${hex.slice(0, 10)}`]);
    conversation.connection.receive(settings([4, 2]));
    conversation.connection.receive(frame(windowUpdate, 0, 1, number(3)));
    expect(conversation.text()).toEqual(['settings ack']);
    conversation.connection.receive(frame(windowUpdate, 0, 1, number(1)));
    expect(conversation.text()).toEqual([`data 1 ${hex.slice(10, 12)}`]);
  });

  it('of the connection used up: streams wait, go on in order, and one that was reset does not', () => {
    const conversation = converse({ streamWindow: 100_000, maxStreams: 10 });
    conversation.connection.receive(greeting);
    const large = Buffer.alloc(65_535 - 5 - 5);
    conversation.connection.receive(request(1));
    for (let at = 0; at < large.length + 5; at += 16_000) {
      const isLast = at + 16_000 >= large.length + 5;
      const piece = Buffer.concat([message(large)]).subarray(at, at + 16_000);
      conversation.connection.receive(frame(data, isLast ? endStream : 0, 1, piece));
    }
    conversation.heard();
    for (const id of [3, 5, 7]) conversation.connection.receive(check(id, 'abcd'));
    const whole = message('abcd').toString('hex');
    expect(conversation.text()).toEqual([
      'headers 3 :status=200',
      `data 3 ${whole.slice(0, 10)}`,
      'headers 5 :status=200',
      'headers 7 :status=200',
    ]);
    conversation.connection.receive(frame(reset, 0, 5, number(8)));
    conversation.connection.receive(frame(windowUpdate, 0, 0, number(6)));
    expect(conversation.text()).toEqual([
      `data 3 ${whole.slice(10)}`,
      'headers 3 t=1 end',
      `data 7 ${whole.slice(0, 4)}`,
    ]);
    conversation.connection.receive(frame(windowUpdate, 0, 0, number(100)));
    expect(conversation.text()).toEqual([`data 7 ${whole.slice(4)}`, 'headers 7 t=1 end']);
  });

  it('answer larger than a frame of the client: several frames', () => {
    const conversation = converse({ streamWindow: 100_000 }, (stream) =>
      stream.answer(answerHead, [Buffer.alloc(20_000)], answerTail),
    );
    conversation.connection.receive(Buffer.concat([greeting, check(1)]));
    const sizes = conversation.heard().flatMap(({ type, payload }) => (type === data ? [payload.length] : []));
    expect(sizes).toEqual([16_384, 3616]);
  });
});

it('window of all bodies: given back in large pieces, and more than it ends the connection', () => {
  const conversation = converse({ maxStreams: 100, streamWindow: 200_000 }, () => undefined);
  conversation.connection.receive(greeting);
  conversation.heard();
  let sent = 0;
  let given = 0;
  for (let id = 1; sent < 3_000_000; id += 2) {
    conversation.connection.receive(request(id));
    for (let count = 0; count < 10; count += 1) {
      conversation.connection.receive(frame(data, 0, id, Buffer.alloc(16_384)));
      sent += 16_384;
    }
    const updates = conversation.heard().filter(({ type }) => type === windowUpdate);
    expect(updates.every(({ stream }) => stream === 0)).toBe(true);
    given += updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
  }
  expect(conversation.isEnded()).toBe(false);
  // What is out is never more than the window.
  expect(sent - given).toBeLessThanOrEqual(524_288);
});

group('floods', () => {
  const limit = 10_000;
  const floods: Record<string, Buffer> = {
    'of pings (CVE-2019-9512)': frame(ping, 0, 0, Buffer.alloc(8)),
    'of settings (CVE-2019-9515)': emptySettings,
    'of priorities': frame(priority, 0, 3, Buffer.alloc(5)),
    'of data without a byte (CVE-2019-9518)': frame(data, 0, 1),
    'of data with padding alone': frame(data, padded, 1, Buffer.of(1, 0)),
    'of frames that nobody knows': frame(0x77, 0, 0),
  };
  it.each(Object.entries(floods))('%s: as many as anybody needs in a second, then the end', (_name, one) => {
    const conversation = converse({}, () => undefined);
    conversation.connection.receive(Buffer.concat([greeting, request(1)]));
    for (let count = 0; count < limit - 1; count += 1) conversation.connection.receive(one);
    expect(conversation.isEnded()).toBe(false);
    conversation.setNow(1000);
    for (let count = 0; count < limit; count += 1) conversation.connection.receive(one);
    expect(conversation.isEnded()).toBe(false);
    conversation.connection.receive(one);
    expect(conversation.text().at(-1)).toBe('goaway 1 ENHANCE_YOUR_CALM');
  });

  it.each<[string, (id: number) => Buffer]>([
    ['of resets (CVE-2023-44487)', (id) => Buffer.concat([request(id), frame(reset, 0, id, number(8))])],
    [
      'of mistakes that make us reset (CVE-2025-8671)',
      (id) => Buffer.concat([request(id), frame(windowUpdate, 0, id, number(0))]),
    ],
    ['of malformed requests', (id) => frame(headers, endHeaders, id, block(['a', 'b']))],
  ])('%s: 20,000 in a second, then the end', (_name, one) => {
    const conversation = converse({}, () => undefined);
    conversation.connection.receive(greeting);
    let id = 1;
    for (let count = 0; count < 20_000; count += 1, id += 2) conversation.connection.receive(one(id));
    expect(conversation.isEnded()).toBe(false);
    conversation.connection.receive(Buffer.concat([one(id), one(id + 2)]));
    expect(conversation.text().at(-1)).toMatch(/^goaway \d+ ENHANCE_YOUR_CALM$/);
    expect(conversation.connection.streams).toBe(0);
  });

  it('of window updates while a thousand answers wait: no work that grows with them', () => {
    const conversation = converse({ maxStreams: 1024 });
    conversation.connection.receive(Buffer.concat([preface, settings([4, 0])]));
    for (let id = 1; id < 2048; id += 2) conversation.connection.receive(check(id));
    let flushes = 0;
    for (const stream of conversation.streams) {
      const flush = stream.flush.bind(stream);
      stream.flush = () => {
        flushes += 1;
        flush();
      };
    }
    for (let count = 0; count < 1000; count += 1) {
      conversation.connection.receive(frame(windowUpdate, 0, 0, number(1)));
    }
    expect(flushes).toBe(0);
    conversation.connection.receive(frame(windowUpdate, 0, 1, number(10)));
    expect(flushes).toBe(1);
  });
});

group('farewell', () => {
  const confirmed = frame(ping, ack, 0, Buffer.from('scopegat'));

  it('nothing under way: two goodbyes around a ping, then the end', () => {
    const { connection, text, isEnded } = say(check(1));
    connection.drain();
    expect(text()).toEqual([`goaway ${2 ** 31 - 1} NO_ERROR`, 'ping 73636f7065676174']);
    expect(isEnded()).toBe(false);
    connection.receive(confirmed);
    expect(text()).toEqual(['goaway 1 NO_ERROR']);
    expect(isEnded()).toBe(true);
  });

  it('requests that were under way to us: answered; those after the second goodbye: refused, unprocessed', () => {
    const conversation = converse({}, () => undefined);
    const { connection, text, isEnded, streams } = conversation;
    connection.receive(greeting);
    connection.drain();
    connection.receive(Buffer.concat([check(1), confirmed, check(3)]));
    expect(text().slice(-2)).toEqual(['goaway 1 NO_ERROR', 'reset 3 REFUSED_STREAM']);
    expect(conversation.seen).toEqual(['open 1 POST /envoy.service.auth.v3.Authorization/Check', 'end 1 6']);
    expect(isEnded()).toBe(false);
    streams[0]?.answer(answerHead, [], answerTail);
    expect(isEnded()).toBe(true);
  });

  it('client that does not confirm: after a while as if it had', () => {
    const { connection, text, isEnded } = say();
    connection.endDrain();
    expect(isEnded()).toBe(false);
    connection.drain();
    connection.drain();
    connection.endDrain();
    expect(text()).toEqual([`goaway ${2 ** 31 - 1} NO_ERROR`, 'ping 73636f7065676174', 'goaway 0 NO_ERROR']);
    expect(isEnded()).toBe(true);
  });

  it('answer to another ping: confirms nothing', () => {
    const { connection, isEnded } = say();
    connection.drain();
    connection.receive(frame(ping, ack, 0, Buffer.alloc(8)));
    expect(isEnded()).toBe(false);
  });
});

group('answers', () => {
  it('before the request has ended: the client is told that no more is wanted, and what it still sends is passed over', () => {
    const { connection, streams, text, isEnded } = say(request(1));
    streams[0]?.finish(answerTail);
    expect(text()).toEqual(['headers 1 t=1 end', 'reset 1 NO_ERROR']);
    connection.receive(Buffer.concat([frame(data, endStream, 1, message('x')), check(3)]));
    expect(text()).toEqual(answered(3));
    expect(isEnded()).toBe(false);
  });

  it('to a stream that is gone, or twice: go nowhere', () => {
    const conversation = converse({}, () => undefined);
    conversation.connection.receive(Buffer.concat([greeting, check(1), check(3), frame(reset, 0, 1, number(8))]));
    conversation.heard();
    const [gone, twice] = conversation.streams;
    gone?.answer(answerHead, [], answerTail);
    gone?.finish(answerTail);
    gone?.reset(8);
    gone?.begin(answerHead);
    gone?.send(Buffer.alloc(5));
    expect(conversation.heard()).toEqual([]);
    twice?.answer(answerHead, [], answerTail);
    twice?.answer(answerHead, [], answerTail);
    twice?.finish(answerTail);
    expect(conversation.text()).toEqual(['headers 3 :status=200', 'data 3 ', 'headers 3 t=1 end']);
    expect(conversation.seen.filter((line) => line.startsWith('closed'))).toEqual(['closed 1', 'closed 3']);
  });

  it('when the connection is lost: streams are closed once, and nothing is written', () => {
    const conversation = converse({}, () => undefined);
    conversation.connection.receive(Buffer.concat([greeting, check(1), request(3)]));
    conversation.heard();
    conversation.connection.lost();
    conversation.connection.lost();
    conversation.streams[0]?.answer(answerHead, [], answerTail);
    expect(conversation.heard()).toEqual([]);
    expect(conversation.seen.filter((line) => line.startsWith('closed'))).toEqual(['closed 1', 'closed 3']);
  });
});
