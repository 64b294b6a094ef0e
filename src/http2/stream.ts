/**
 * Promises: the sending side of one stream: an answer goes out at once where the windows allow it, else in pieces as they open.
 * Leaves to others: what comes in (connection.ts), and what is said (server/).
 */
import { type ErrorCode, flag, frame, frameHeaderBytes, frameType, writeFrameHeader } from './frame.ts';
import type { Peer } from './peer.ts';
import { SendWindow } from './windows.ts';

/** Takes what a client sends on one stream. */
export interface StreamReader {
  data(chunk: Buffer): void;
  /** The client has sent all. */
  end(): void;
  /** The stream is over, answered or not; called once. */
  closed(): void;
}

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly peer: Peer;
  write(bytes: Buffer): void;
  /** All was sent, or the stream was reset. */
  finished(stream: Stream, resetWith: ErrorCode | undefined): void;
}

export class Stream {
  readonly id: number;
  readonly window: SendWindow;
  reader: StreamReader | undefined;
  /** Everything of the client has come. */
  isRemoteClosed = false;
  /** Body bytes that came so far, and how many `content-length` said; undefined: nothing. */
  receivedBytes = 0;
  contentLength: number | undefined;
  readonly #owner: StreamOwner;
  #isLocalClosed = false;
  /** Body that waits for a window, and the trailers behind it. */
  #waiting: Buffer[] = [];
  #tail: Uint8Array | undefined;

  /** There is more to send than the peer takes at the moment. */
  get isBlocked(): boolean {
    return this.#waiting.length > 0;
  }

  constructor(id: number, owner: StreamOwner) {
    this.id = id;
    this.#owner = owner;
    this.window = new SendWindow(owner.peer.initialWindow);
  }

  /** A whole answer: header block, body, trailer block. */
  answer(head: Uint8Array, body: readonly Uint8Array[], tail: Uint8Array): void {
    if (this.#isLocalClosed) return;
    const bytes = body.reduce((sum, part) => sum + part.length, 0);
    const { window, maxFrameBytes } = this.#owner.peer;
    if (bytes > this.window.left || bytes > window.left || bytes > maxFrameBytes) {
      this.begin(head);
      this.send(Buffer.concat(body));
      this.finish(tail);
      return;
    }
    this.window.left -= bytes;
    window.left -= bytes;
    const first = this.#owner.peer.block(head);
    const out = Buffer.allocUnsafe(3 * frameHeaderBytes + first.length + bytes + tail.length);
    let at = this.#put(out, 0, { type: frameType.headers, flags: flag.endHeaders, payload: [first] });
    at = this.#put(out, at, { type: frameType.data, flags: 0, payload: body });
    this.#put(out, at, { type: frameType.headers, flags: flag.endHeaders | flag.endStream, payload: [tail] });
    this.#isLocalClosed = true;
    this.#owner.write(out);
    this.#owner.finished(this, undefined);
  }

  /** The header block of an answer that comes in pieces. */
  begin(head: Uint8Array): void {
    if (!this.#isLocalClosed)
      this.#owner.write(frame(frameType.headers, flag.endHeaders, this.id, this.#owner.peer.block(head)));
  }

  send(bytes: Buffer): void {
    if (this.#isLocalClosed || this.#tail !== undefined) return;
    this.#waiting.push(bytes);
    this.flush();
  }

  /** The block that ends the stream: trailers, or the only header block of an answer without a body. */
  finish(block: Uint8Array): void {
    if (this.#isLocalClosed || this.#tail !== undefined) return;
    this.#tail = block;
    this.flush();
  }

  reset(code: ErrorCode): void {
    if (this.#isLocalClosed) return;
    this.abandon();
    this.#owner.finished(this, code);
  }

  /** The peer has reset the stream, or the connection is over: nothing more is sent. */
  abandon(): void {
    this.#isLocalClosed = true;
    this.#waiting = [];
  }

  /** Sends what the windows allow. */
  flush(): void {
    const { window, maxFrameBytes } = this.#owner.peer;
    let first = this.#waiting[0];
    while (first !== undefined) {
      const bytes = Math.min(first.length, this.window.left, window.left, maxFrameBytes);
      if (bytes <= 0 && first.length > 0) {
        if (this.window.left > 0) this.#owner.peer.blocked(this);
        return;
      }
      this.window.left -= bytes;
      window.left -= bytes;
      this.#owner.write(frame(frameType.data, 0, this.id, first.subarray(0, bytes)));
      if (bytes === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(bytes);
      first = this.#waiting[0];
    }
    if (this.#tail === undefined || this.#isLocalClosed) return;
    this.#isLocalClosed = true;
    const tail = this.#owner.peer.block(this.#tail);
    this.#owner.write(frame(frameType.headers, flag.endHeaders | flag.endStream, this.id, tail));
    this.#owner.finished(this, undefined);
  }

  #put(out: Buffer, from: number, piece: Piece): number {
    const bytes = piece.payload.reduce((sum, part) => sum + part.length, 0);
    let at = writeFrameHeader(out, from, { type: piece.type, flags: piece.flags, stream: this.id, bytes });
    for (const part of piece.payload) {
      out.set(part, at);
      at += part.length;
    }
    return at;
  }
}

interface Piece {
  readonly type: number;
  readonly flags: number;
  readonly payload: readonly Uint8Array[];
}
