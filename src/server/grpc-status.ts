/**
 * Promises: the header blocks of gRPC answers (PROTOCOL-HTTP2 of gRPC), made once.
 */
import { encodeFields } from '../http2/hpack-encode.ts';

/** The codes that a transport gives by itself. */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const;

const contentType = ['content-type', 'application/grpc'] as const;

export const answerHead = encodeFields(200, [contentType]);
export const okTrailers = encodeFields(undefined, [['grpc-status', '0']]);

/** An answer that is its own end; `message` is a fixed text of printable ASCII without `%`. */
export function statusOnly(status: number, message: string): Uint8Array {
  return encodeFields(200, [contentType, ['grpc-status', String(status)], ['grpc-message', message]]);
}

export const refusals = {
  notPost: encodeFields(405, [['allow', 'POST']]),
  notGrpc: encodeFields(415, []),
  unknownMethod: statusOnly(grpcStatus.unimplemented, 'no such method'),
  compressed: encodeFields(200, [
    contentType,
    ['grpc-status', String(grpcStatus.unimplemented)],
    ['grpc-message', 'compressed messages are not read'],
    ['grpc-accept-encoding', 'identity'],
  ]),
  tooLarge: statusOnly(grpcStatus.resourceExhausted, 'the message is too large'),
  notOneMessage: statusOnly(grpcStatus.internal, 'expected exactly one message'),
  badTimeout: statusOnly(grpcStatus.internal, 'the timeout is not well-formed'),
  late: statusOnly(grpcStatus.deadlineExceeded, 'the deadline has passed'),
  fault: statusOnly(grpcStatus.internal, 'internal error'),
} as const;

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** `grpc-timeout` in ms; Infinity without one, undefined when it is not well-formed. */
export function timeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const factor = units[unit ?? ''];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

const prefixBytes = 5;

/** The prefix of a message that is not compressed. */
export function messagePrefix(bytes: number): Uint8Array {
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix[0] = 0;
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}
