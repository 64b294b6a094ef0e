/**
 * Promises: which streams of a connection are open, which never were, and which we have reset so that frames of them may still come
 * (RFC 9113 section 5.1).
 */
import { ConnectionError, errorCode } from './frame.ts';
import { protocolError } from './payload.ts';
import type { Stream } from './stream.ts';

/** Streams that were reset and are remembered. */
const maxRemembered = 1024;
/** Gaps in the numbers of streams that are remembered; clients leave none. */
const maxGaps = 16;

export class OpenStreams {
  #last = 0;
  /** Between which streams none was opened. */
  readonly #gaps: (readonly [from: number, to: number])[] = [];
  readonly #open = new Map<number, Stream>();
  readonly #reset = new Set<number>();

  /** The highest that a client has opened. */
  get last(): number {
    return this.#last;
  }

  /** A client opens a stream whose number is higher than all before. */
  next(id: number): void {
    if (id > this.#last + 2 && this.#gaps.push([this.#last, id]) > maxGaps) this.#gaps.shift();
    this.#last = id;
  }

  get size(): number {
    return this.#open.size;
  }

  get(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  all(): Iterable<Stream> {
    return this.#open.values();
  }

  add(stream: Stream): void {
    this.#open.set(stream.id, stream);
  }

  /** False: it was not open. */
  remove(stream: Stream): boolean {
    return this.#open.delete(stream.id);
  }

  remember(id: number): void {
    this.#reset.add(id);
    for (const oldest of this.#reset) {
      if (this.#reset.size <= maxRemembered) return;
      this.#reset.delete(oldest);
    }
  }

  /** Throws unless the stream was opened at some time. */
  checkOpened(id: number): void {
    if (id % 2 === 0 || id > this.#last) throw protocolError('a frame of a stream that was never opened');
  }

  /** What comes on a stream that has ended is passed over where we have reset it, and else against the rules. */
  checkReset(id: number): void {
    if (this.#reset.has(id)) return;
    // Section 5.1.1: what was left out can never be opened.
    if (this.#gaps.some(([from, to]) => id > from && id < to)) throw protocolError('a stream that was left out');
    throw new ConnectionError(errorCode.streamClosed, 'the stream has ended');
  }

  closeAll(): void {
    const streams = [...this.#open.values()];
    this.#open.clear();
    for (const stream of streams) {
      stream.abandon();
      stream.reader?.closed();
    }
  }
}
