/** A connection without a socket: what a client says, and what it hears. */
import { Connection, type ConnectionLimits, type ConnectionPorts } from '../../../src/http2/connection.ts';
import { encodeFields } from '../../../src/http2/hpack-encode.ts';
import type { RequestHead } from '../../../src/http2/request-head.ts';
import type { Stream } from '../../../src/http2/stream.ts';
import { describe, parse, type Said } from '../../support/http2-bytes.ts';

export interface Conversation {
  readonly connection: Connection;
  readonly streams: Stream[];
  /** What reached the application, in order. */
  readonly seen: string[];
  readonly isEnded: () => boolean;
  /** What was heard since the last look, as frames and as text. */
  readonly heard: () => Said[];
  readonly text: () => string[];
  readonly setNow: (ms: number) => void;
}

export const answerHead = encodeFields(200, []);
export const answerTail = encodeFields(undefined, [['t', '1']]);

/** `answer`: called when a request is complete; by default each is answered with its body. */
export function converse(
  given: Partial<ConnectionLimits> = {},
  answer: (stream: Stream, body: Buffer) => void = (stream, body) => stream.answer(answerHead, [body], answerTail),
): Conversation {
  const streams: Stream[] = [];
  const seen: string[] = [];
  let written: Buffer[] = [];
  let isEnded = false;
  let now = 0;

  function open(stream: Stream, head: RequestHead) {
    streams.push(stream);
    seen.push(`open ${stream.id} ${head.method} ${head.path}`);
    let body = Buffer.alloc(0);
    return {
      data: (chunk: Buffer) => {
        body = Buffer.concat([body, chunk]);
      },
      end: () => {
        seen.push(`end ${stream.id} ${body.length}`);
        answer(stream, body);
      },
      closed: () => seen.push(`closed ${stream.id}`),
    };
  }
  const ports: ConnectionPorts = {
    open,
    write: (bytes) => written.push(bytes),
    end: () => {
      isEnded = true;
    },
    now: () => now,
  };
  const connection = new Connection(ports, { maxStreams: 4, streamWindow: 1000, ...given });
  function heard(): Said[] {
    const { frames } = parse(Buffer.concat(written));
    written = [];
    return frames;
  }
  return {
    connection,
    streams,
    seen,
    isEnded: () => isEnded,
    heard,
    text: () => describe(heard()),
    setNow: (ms) => {
      now = ms;
    },
  };
}
