/**
 * HTTP/2 as bytes, written by hand and apart from the product's own: what a test says to it, right or wrong, and what it answers.
 */
import { HpackDecoder } from '../../src/http2/hpack.ts';

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const endStream = 1;
export const ack = 1;
export const endHeaders = 4;
export const padded = 8;
export const hasPriority = 0x20;

/** Error codes by their names in RFC 9113 section 7. */
export const codes = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
] as const;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const emptySettings = frame(types.settings, 0, 0);
/** What a client says first. */
export const greeting = Buffer.concat([preface, emptySettings]);

export function frame(type: number, flags: number, stream: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload as Uint8Array);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = pairs.map(([name, value]) => Buffer.concat([Buffer.from([name >> 8, name & 0xff]), number(value)]));
  return frame(types.settings, 0, 0, Buffer.concat(payload));
}

function integer(first: number, prefixBits: number, value: number): Buffer {
  const max = 2 ** prefixBits - 1;
  if (value < max) return Buffer.from([first | value]);
  const bytes = [first | max];
  let rest = value - max;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** Literals that go into no table. */
export function block(...fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0]),
      integer(0, 7, name.length),
      Buffer.from(name, 'latin1'),
      integer(0, 7, value.length),
      Buffer.from(value, 'latin1'),
    ]),
  );
}

export const checkPath = '/envoy.service.auth.v3.Authorization/Check';

/** The fields of a gRPC request, with others instead of or beside them; undefined takes one away. */
export function requestFields(
  other: Readonly<Record<string, string | undefined>> = {},
): readonly (readonly [string, string])[] {
  const fields: Record<string, string | undefined> = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': checkPath,
    ':authority': 'authz',
    te: 'trailers',
    'content-type': 'application/grpc',
    ...other,
  };
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

export function request(stream: number, other?: Readonly<Record<string, string | undefined>>, flags = 0): Buffer {
  return frame(types.headers, endHeaders | flags, stream, block(...requestFields(other)));
}

/** A message with its prefix. */
export function message(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes as Uint8Array);
  return Buffer.concat([Buffer.from([0]), number(content.length), content]);
}

/** A whole check whose message is `bytes`. */
export function check(stream: number, bytes: Uint8Array | string = 'x'): Buffer {
  return Buffer.concat([request(stream), frame(types.data, endStream, stream, message(bytes))]);
}

export interface Said {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Frames in what a server has said; the rest that is no whole frame yet. */
export function parse(bytes: Buffer): { frames: Said[]; rest: Buffer } {
  const frames: Said[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const stream = bytes.readUInt32BE(at + 5);
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, stream, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

/** Frames as text, one line each: `reset 1 CANCEL`, `goaway 3 PROTOCOL_ERROR`, `headers 1 :status=200 … end`. */
export function describe(frames: readonly Said[], decoder: HpackDecoder = new HpackDecoder()): string[] {
  return frames.map(({ type, flags, stream, payload }) => {
    const end = (flags & endStream) !== 0 && type < 2 ? ' end' : '';
    switch (type) {
      case types.data:
        return `data ${stream} ${payload.toString('hex')}${end}`;
      case types.headers: {
        const fields: string[] = [];
        decoder.decode(payload, ({ name, value }) => fields.push(`${name}=${value}`));
        return `headers ${stream} ${fields.join(' ')}${end}`;
      }
      case types.reset:
        return `reset ${stream} ${codes[payload.readUInt32BE(0)]}`;
      case types.goaway:
        return `goaway ${payload.readUInt32BE(0)} ${codes[payload.readUInt32BE(4)]}`;
      case types.settings:
        return flags === ack ? 'settings ack' : 'settings';
      case types.ping:
        return `ping${flags === ack ? ' ack' : ''} ${payload.toString('hex')}`;
      case types.windowUpdate:
        return `window ${stream} ${payload.readUInt32BE(0)}`;
      default:
        return `frame ${type} ${stream}`;
    }
  });
}
