/**
 * Promises: the names and numbers of HTTP/2 frames (RFC 9113 sections 4, 6 and 7).
 */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Length, type, flags, stream identifier. */
export const frameHeaderBytes = 9;
/** The smallest that a peer may allow, and all that we do. */
export const defaultFrameBytes = 16_384;
/** Of a table of header fields, where no setting says otherwise. */
export const defaultTableBytes = 4096;
export const defaultWindow = 65_535;
export const maxWindow = 0x7fff_ffff;

const prefaceText = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
export const preface: Buffer = Buffer.from(prefaceText, 'latin1');

/** Ends the connection (section 5.4.1). */
export class ConnectionError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'ConnectionError';
    this.code = code;
  }
}

/** Writes a frame header at `at`, and returns where its payload begins. */
export function writeFrameHeader(
  out: Buffer,
  at: number,
  {
    type,
    flags,
    stream,
    bytes,
  }: { readonly type: number; readonly flags: number; readonly stream: number; readonly bytes: number },
): number {
  out.writeUIntBE(bytes, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
  return at + frameHeaderBytes;
}

/** A whole frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  out.set(payload, writeFrameHeader(out, 0, { type, flags, stream, bytes: payload.length }));
  return out;
}

/** The payload of frames that carry one number. */
export function uint32(value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value, 0);
  return payload;
}
