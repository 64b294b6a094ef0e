/**
 * Promises: the one message of a unary call, put together from what comes, with its limits kept before it is held: length-prefixed, not
 * compressed, exactly one (PROTOCOL-HTTP2 of gRPC).
 */
import type { Stream, StreamReader } from '../http2/stream.ts';
import { refusals } from './grpc-status.ts';

const prefixBytes = 5;

export interface UnaryPorts {
  readonly maxMessageBytes: number;
  /** The message is whole. */
  readonly onMessage: (message: Buffer) => void;
  /** The call is over, answered or given up. */
  readonly onClosed: () => void;
}

export class UnaryCall implements StreamReader {
  readonly #stream: Stream;
  readonly #ports: UnaryPorts;
  #body: Buffer = Buffer.alloc(0);
  #bytes = 0;
  /** All of the message has come and the client has said so, or nothing more is wanted. */
  isComplete = false;

  constructor(stream: Stream, ports: UnaryPorts) {
    this.#stream = stream;
    this.#ports = ports;
  }

  /** What is held of the message. */
  get heldBytes(): number {
    return this.#body.length;
  }

  data(chunk: Buffer): void {
    if (this.isComplete) return;
    this.#append(chunk);
    if (this.#bytes < prefixBytes) return;
    const length = this.#body.readUInt32BE(1);
    if (this.#body[0] === 1) this.refuse(refusals.compressed);
    else if (this.#body[0] !== 0) this.refuse(refusals.notOneMessage);
    else if (length > this.#ports.maxMessageBytes) this.refuse(refusals.tooLarge);
    else if (this.#bytes > prefixBytes + length) this.refuse(refusals.notOneMessage);
  }

  end(): void {
    if (this.isComplete) return;
    const length = this.#bytes < prefixBytes ? undefined : this.#body.readUInt32BE(1);
    if (length === undefined || this.#bytes !== prefixBytes + length) {
      this.refuse(refusals.notOneMessage);
      return;
    }
    this.isComplete = true;
    this.#ports.onMessage(this.#body.subarray(prefixBytes, this.#bytes));
  }

  closed(): void {
    this.isComplete = true;
    this.#body = Buffer.alloc(0);
    this.#ports.onClosed();
  }

  /** Ends the call with one header block, whatever of it has come. */
  refuse(block: Uint8Array): void {
    this.isComplete = true;
    this.#stream.finish(block);
  }

  /** The first piece is usually all: it is not copied. Further ones grow the space by doubling, however small they are. */
  #append(chunk: Buffer): void {
    const bytes = this.#bytes + chunk.length;
    if (this.#bytes === 0) {
      this.#body = chunk;
    } else {
      if (bytes > this.#body.length) {
        const whole = this.#bytes < prefixBytes ? bytes : prefixBytes + this.#body.readUInt32BE(1);
        const larger = Buffer.allocUnsafe(Math.max(bytes, Math.min(whole, 2 * this.#body.length)));
        this.#body.copy(larger, 0, 0, this.#bytes);
        this.#body = larger;
      }
      chunk.copy(this.#body, this.#bytes);
    }
    this.#bytes = bytes;
  }
}
