/**
 * Promises: a request that does not become complete costs memory for a few seconds only, and all of them together never more than a
 * fixed share, whatever number of streams and connections they come over.
 * Leaves to others: the size of one message and the streams of one connection (transport.ts).
 */
import { constants, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from './clock.ts';
import { bytesOfStream, completeWithinMs, maxHeldBytes } from './incomplete-calls.ts';

/** The part of a node:http2 server that is needed. */
export type StreamSource = Pick<Http2Server, 'on'>;

/** Ends the streams of `http2Server`, one of node:http2, that stay incomplete. */
export function limitIncompleteRequests(http2Server: StreamSource, clock: Clock): void {
  /** Bytes by stream, the oldest first. */
  const incomplete = new Map<ServerHttp2Stream, number>();
  let held = 0;

  function hold(stream: ServerHttp2Stream, bytes: number): void {
    held += bytes;
    incomplete.set(stream, (incomplete.get(stream) ?? 0) + bytes);
    // The oldest is the last that anybody still waits for.
    for (const oldest of incomplete.keys()) {
      if (held <= maxHeldBytes) {
        return;
      }
      oldest.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      release(oldest);
    }
  }
  function release(stream: ServerHttp2Stream): void {
    held -= incomplete.get(stream) ?? 0;
    incomplete.delete(stream);
  }
  http2Server.on('stream', (stream) => {
    const callOff = clock.schedule(() => stream.close(constants.NGHTTP2_CANCEL), completeWithinMs);
    function done(): void {
      callOff();
      release(stream);
    }
    stream.once('end', done);
    stream.once('close', done);
    // Null: the gRPC library does not read it, has refused it, and it ends with that answer; to listen would be to read.
    if (stream.readableFlowing !== null) {
      stream.on('data', (chunk: Uint8Array) => {
        if (incomplete.has(stream)) {
          hold(stream, chunk.length);
        }
      });
    }
    hold(stream, bytesOfStream);
  });
}
