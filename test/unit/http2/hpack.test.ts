import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ConnectionError, errorCode } from '../../../src/http2/frame.ts';
import { HpackDecoder } from '../../../src/http2/hpack.ts';
import { encodeFields } from '../../../src/http2/hpack-encode.ts';
import { block } from '../../support/http2-bytes.ts';

function decode(decoder: HpackDecoder, hex: string | Buffer): string[] {
  const fields: string[] = [];
  const bytes = typeof hex === 'string' ? Buffer.from(hex.replaceAll(' ', ''), 'hex') : hex;
  decoder.decode(bytes, ({ name, value }) => fields.push(`${name}: ${value}`));
  return fields;
}

const first = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const second = [...first, 'cache-control: no-cache'];
const third = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
];
const date = 'date: Mon, 21 Oct 2013 20:13:2';
const found = [':status: 302', 'cache-control: private', `${date}1 GMT`, 'location: https://www.example.com'];
const moved = [':status: 307', ...found.slice(1)];
const cookie = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const fine = [
  ':status: 200',
  'cache-control: private',
  `${date}2 GMT`,
  'location: https://www.example.com',
  'content-encoding: gzip',
  cookie,
];

/** A table of 256 bytes, as the examples with evictions want it. */
const small = '3fe101';

const appendixC: Record<string, readonly (readonly [hex: string, fields: readonly string[]])[]> = {
  'C.2.1 literal that is indexed': [
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header']],
    ['be', ['custom-key: custom-header']],
  ],
  'C.2.2 literal that is not': [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']]],
  'C.2.3 literal that never is': [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']]],
  'C.2.4 index': [['82', [':method: GET']]],
  'C.3 requests without Huffman': [
    ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', first],
    ['8286 84be 5808 6e6f 2d63 6163 6865', second],
    ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', third],
  ],
  'C.4 requests with Huffman': [
    ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', first],
    ['8286 84be 5886 a8eb 1064 9cbf', second],
    ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', third],
  ],
  'C.5 responses without Huffman, with evictions': [
    [
      `${small} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      found,
    ],
    ['4803 3330 37c1 c0bf', moved],
    [
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      fine,
    ],
  ],
  'C.6 responses with Huffman, with evictions': [
    [
      `${small} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      found,
    ],
    ['4883 640e ffc1 c0bf', moved],
    [
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      fine,
    ],
  ],
};

it.each(Object.entries(appendixC))('RFC 7541 %s', (_name, steps) => {
  const decoder = new HpackDecoder();
  for (const [hex, fields] of steps) expect(decode(decoder, hex)).toEqual(fields);
});

const wrong: Record<string, string> = {
  'index 0': '80',
  'index of an entry that is not there': 'be',
  'index far beyond the table': 'ff ff ff 07',
  'name by an index that is not there': '7f 00 01 61',
  'number of five bytes and more': 'ff ff ff ff ff 0f',
  'number that breaks off': 'ff',
  'number padded with zeros without end': 'ff 80 80 80 80 80 00',
  'name that breaks off': '40 05 61',
  'no value': '40 01 61',
  'value that breaks off': '40 01 61 7f',
  'no name': '40',
  'length of many bytes': '40 01 61 7f ff ff ff ff 7f',
  'table size after the first field': '82 20',
  'table size above the limit': '3f e2 1f',
  'Huffman padding of zeros': '40 01 61 81 00',
  'Huffman padding of eight bits': '40 01 61 82 1f ff',
  'Huffman EOS': '40 01 61 84 ff ff ff ff',
};

it.each(Object.entries(wrong))('%s: COMPRESSION_ERROR', (_name, hex) => {
  expect(() => decode(new HpackDecoder(), hex)).toThrow(
    expect.objectContaining({ name: 'ConnectionError', code: errorCode.compressionError }),
  );
});

describe('the table', () => {
  it('entry as large as the table: is kept; one byte larger: empties it', () => {
    const name = 'n';
    const fits = 'v'.repeat(4096 - 32 - 1);
    const put = (value: string): Buffer => {
      const literal = block([name, value]);
      literal[0] = 0x40;
      return literal;
    };
    const decoder = new HpackDecoder();
    decode(decoder, put('small'));
    decode(decoder, put(fits));
    expect(decode(decoder, 'be')).toEqual([`n: ${fits}`]);
    expect(() => decode(decoder, 'bf')).toThrow(ConnectionError);
    decode(decoder, put(`${fits}v`));
    expect(() => decode(decoder, 'be')).toThrow(ConnectionError);
  });

  it('size 0: forgets all and takes nothing; the old size again: takes', () => {
    const decoder = new HpackDecoder();
    decode(decoder, '40 01 61 01 62');
    decode(decoder, '20 40 01 61 01 62');
    expect(() => decode(decoder, 'be')).toThrow(ConnectionError);
    expect(decode(decoder, '3f e1 1f 40 01 61 01 62 be')).toEqual(['a: b', 'a: b']);
  });

  it('name from the table: goes with the new value, also when the entry leaves by it', () => {
    const decoder = new HpackDecoder();
    // 3 entries of 34 bytes do not fit into 70.
    decode(decoder, '3f 27 40 01 61 01 62 40 01 63 01 64');
    expect(decode(decoder, '7f 00 01 65')).toEqual(['a: e']);
    expect(decode(decoder, 'be bf')).toEqual(['a: e', 'c: d']);
  });
});

describe('a name from the table', () => {
  /** A decoder whose entry 62 has this name. */
  function decoderWith(name: string): HpackDecoder {
    const literal = block([name, '']);
    literal[0] = 0x40;
    const decoder = new HpackDecoder();
    decode(decoder, literal);
    return decoder;
  }

  it('a long one, thousands of times in a small block: is not judged again', () => {
    const name = 'n'.repeat(4000);
    const decoder = decoderWith(name);
    const judged = vi.spyOn(RegExp.prototype, 'test');
    let seen = 0;
    decoder.decode(Buffer.from('0f2f00'.repeat(5000), 'hex'), () => {
      seen += 1;
    });
    const texts = judged.mock.calls.map(([text]) => text);
    judged.mockRestore();
    expect(seen).toBe(5000);
    expect(texts).toContain('');
    expect(texts).not.toContain(name);
  });

  const cases: Record<string, [name: string, value: string, isSound: boolean]> = {
    'good name and value': ['a', 'b', true],
    'name that is forbidden': ['A', 'b', false],
    'name of HTTP/1': ['connection', 'b', false],
    'value that is forbidden': ['a', 'b\n', false],
    'te with trailers': ['te', 'trailers', true],
    'te with something else': ['te', 'gzip', false],
  };

  it.each(Object.entries(cases))('%s: judged like a field that is written out', (_name, [name, value, isSound]) => {
    const judged: boolean[] = [];
    const bytes = Buffer.concat([Buffer.of(0x0f, 0x2f, value.length), Buffer.from(value)]);
    decoderWith(name).decode(bytes, (field) => judged.push(field.isSound));
    new HpackDecoder().decode(block([name, value]), (field) => judged.push(field.isSound));
    expect(judged).toEqual([isSound, isSound]);
  });
});

it('any bytes: fields, or COMPRESSION_ERROR', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      try {
        for (const bytes of blocks) decode(decoder, Buffer.from(bytes));
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConnectionError', code: errorCode.compressionError });
      }
    }),
    { numRuns: 2000 },
  );
});

it('what we send: is read back', () => {
  expect(decode(new HpackDecoder(), encodeFields(200, [['grpc-status', '0']]))).toEqual([
    ':status: 200',
    'grpc-status: 0',
  ]);
  expect(decode(new HpackDecoder(), encodeFields(415, []))).toEqual([':status: 415']);
  expect(() => encodeFields(undefined, [['a', 'b'.repeat(127)]])).toThrow(RangeError);
});
