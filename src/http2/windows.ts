/**
 * Promises: the books of flow control in one direction (RFC 9113 section 5.2), of a stream or a connection.
 */
import { ConnectionError, errorCode, maxWindow } from './frame.ts';

/** What may still be sent. A change of the peer's settings can make it negative (section 6.9.2). */
export class SendWindow {
  left: number;

  constructor(left: number) {
    this.left = left;
  }

  /** False: it would be larger than a window can be. */
  grow(bytes: number): boolean {
    if (this.left + bytes > maxWindow) return false;
    this.left += bytes;
    return true;
  }
}

/** What a peer may still send over the whole connection, given back in large pieces. */
export class ReceiveWindow {
  readonly #size: number;
  #used = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes to give back now; 0: not yet. Throws a ConnectionError when the peer sends more than it may. */
  take(bytes: number): number {
    this.#used += bytes;
    if (this.#used > this.#size) throw new ConnectionError(errorCode.flowControlError, 'more than the window');
    if (this.#used < this.#size / 2) return 0;
    const given = this.#used;
    this.#used = 0;
    return given;
  }
}

/** A bound on how often something may happen: `burst` times in a second. */
export class Allowance {
  readonly #burst: number;
  #left = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(burst: number) {
    this.#burst = burst;
  }

  /** False: too often. */
  take(nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= 1000) {
      this.#left = this.#burst;
      this.#sinceMs = nowMs;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }
}
