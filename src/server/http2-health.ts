/**
 * Promises: `grpc.health.v1` (Check and Watch) for the whole server and for the Authorization service, which always say the same;
 * NOT_SERVING first.
 */
import type { Stream } from '../http2/stream.ts';
import { answerHead, grpcStatus, messagePrefix, okTrailers, statusOnly } from './grpc-status.ts';
import { healthNames } from './health-names.ts';

export interface Http2Health {
  /** Answers Check; `message` is a HealthCheckRequest. */
  check(stream: Stream, message: Buffer): void;
  /** Begins a Watch. */
  watch(stream: Stream, message: Buffer): void;
  /** The stream of a Watch is over. */
  forget(stream: Stream): void;
  setServing(isServing: boolean): void;
  /** Ends every Watch; an open one would hold its connection, and with it a shutdown, for ever. */
  endWatches(): void;
}

/** HealthCheckResponse: 1 status. */
const status = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;
/** Each holds a stream for as long as its client likes; one for each Envoy that we can have is enough. */
const maxWatches = 8192;
const tooManyWatches = statusOnly(grpcStatus.resourceExhausted, 'too many watches');
const unknownService = statusOnly(5, 'no such service');

export function createHttp2Health(): Http2Health {
  const watches = new Map<Stream, boolean>();
  let current: number = status.notServing;

  return {
    check: (stream, message) => {
      if (isKnown(message)) stream.answer(answerHead, framed(current), okTrailers);
      else stream.finish(unknownService);
    },
    watch: (stream, message) => {
      if (watches.size >= maxWatches) {
        stream.finish(tooManyWatches);
        return;
      }
      const isOurs = isKnown(message);
      watches.set(stream, isOurs);
      stream.begin(answerHead);
      stream.send(Buffer.concat(framed(isOurs ? current : status.serviceUnknown)));
    },
    forget: (stream) => {
      watches.delete(stream);
    },
    setServing: (isServing) => {
      const next = isServing ? status.serving : status.notServing;
      if (next === current) return;
      current = next;
      for (const [stream, isOurs] of watches) {
        if (isOurs) stream.send(Buffer.concat(framed(next)));
      }
    },
    endWatches: () => {
      for (const stream of watches.keys()) stream.finish(okTrailers);
    },
  };
}

function framed(value: number): readonly Uint8Array[] {
  const message = Uint8Array.of(0x08, value);
  return [messagePrefix(message.length), message];
}

/** HealthCheckRequest: 1 service, a string of less than 128 bytes where it is one of ours. */
function isKnown(message: Buffer): boolean {
  if (message.length === 0) return true;
  const length = message[1] ?? 0;
  if (message[0] !== 0x0a || length > 0x7f || message.length !== 2 + length) return false;
  return healthNames.includes(message.toString('utf8', 2));
}
