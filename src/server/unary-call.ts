/**
 * Promises: the one message of a unary call, put together from what comes, with its limits kept before it is held: length-prefixed, not
 * compressed, exactly one (PROTOCOL-HTTP2 of gRPC).
 * Leaves to others: what is done with it.
 */
import type { Stream, StreamReader } from '../http2/stream.ts';
import { refusals } from './grpc-status.ts';

const prefixBytes = 5;
const nothing = Buffer.alloc(0);

export abstract class UnaryCall implements StreamReader {
  readonly stream: Stream;
  readonly #maxMessageBytes: number;
  #body: Buffer = nothing;
  #bytes = 0;
  #isComplete = false;

  constructor(stream: Stream, maxMessageBytes: number) {
    this.stream = stream;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** The message is whole. */
  protected abstract onMessage(message: Buffer): void;
  /** The call is over, answered or given up. */
  protected abstract onClosed(): void;

  /** All of the message has come and the client has said so, or nothing more is wanted. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What is held of the message. */
  get heldBytes(): number {
    return this.#body.length;
  }

  data(chunk: Buffer): void {
    if (this.#isComplete) return;
    this.#append(chunk);
    if (this.#bytes < prefixBytes) return;
    const length = this.#body.readUInt32BE(1);
    if (this.#body[0] === 1) this.refuseWith(refusals.compressed);
    else if (this.#body[0] !== 0) this.refuseWith(refusals.notOneMessage);
    else if (length > this.#maxMessageBytes) this.refuseWith(refusals.tooLarge);
    else if (this.#bytes > prefixBytes + length) this.refuseWith(refusals.notOneMessage);
  }

  end(): void {
    if (this.#isComplete) return;
    const length = this.#bytes < prefixBytes ? undefined : this.#body.readUInt32BE(1);
    if (length === undefined || this.#bytes !== prefixBytes + length) {
      this.refuseWith(refusals.notOneMessage);
      return;
    }
    this.#isComplete = true;
    const message = this.#body.subarray(prefixBytes, this.#bytes);
    this.#body = nothing;
    this.onMessage(message);
  }

  closed(): void {
    this.giveUpMessage();
    this.onClosed();
  }

  /** Ends the call with one header block, whatever of it has come. */
  refuseWith(block: Uint8Array): void {
    this.giveUpMessage();
    this.stream.finish(block);
  }

  protected giveUpMessage(): void {
    this.#isComplete = true;
    this.#body = nothing;
  }

  /** The first piece is a view of what came with it, which may be much more than itself, and of other calls. */
  protected detachMessage(): void {
    if (this.#body.buffer.byteLength > this.#body.length) this.#body = copyOf(this.#body);
  }

  /** The first piece is usually all: it is not copied. Further ones grow the space by doubling, however small they are. */
  #append(chunk: Buffer): void {
    const bytes = this.#bytes + chunk.length;
    if (this.#bytes === 0) {
      this.#body = chunk;
    } else {
      if (bytes > this.#body.length) {
        const whole = this.#bytes < prefixBytes ? bytes : prefixBytes + this.#body.readUInt32BE(1);
        this.#body = copyOf(this.#body, Math.max(bytes, Math.min(whole, 2 * this.#body.length)));
      }
      chunk.copy(this.#body, this.#bytes);
    }
    this.#bytes = bytes;
  }
}

/** In memory of its own. */
function copyOf(bytes: Buffer, length = bytes.length): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  bytes.copy(copy);
  return copy;
}
