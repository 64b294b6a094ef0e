/**
 * Promises: one protobuf message, written front to back into one growing buffer.
 * Source: Protocol Buffers encoding, "Message structure".
 */

const initialBytes = 1024;

export class WireWriter {
  #buffer = Buffer.allocUnsafe(initialBytes);
  #at = 0;

  /** What was written; the writer is done with it. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  /** A varint field; proto3 leaves 0 out, and so do callers. `value` is a whole number from 0. */
  number(field: number, value: number): void {
    this.#ensure(20);
    this.#varint(field * 8);
    this.#varint(value);
  }

  /** A string field. `text` is well-formed (EA-18). */
  text(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#ensure(length + 20);
    this.#varint(field * 8 + 2);
    this.#varint(length);
    this.#at += this.#buffer.write(text, this.#at);
  }

  /** Begins a message field, whose own fields come next; returns what `end` has to be told. */
  begin(field: number): number {
    this.#ensure(20);
    this.#varint(field * 8 + 2);
    // One byte is kept for the length, which most messages get by with; a longer one moves the content.
    this.#at += 1;
    return this.#at;
  }

  /** Ends the message that began last. */
  end(start: number): void {
    const length = this.#at - start;
    const extra = varintBytes(length) - 1;
    if (extra > 0) {
      this.#ensure(extra);
      this.#buffer.copyWithin(start + extra, start, this.#at);
    }
    this.#at = start - 1;
    this.#varint(length);
    this.#at += length;
  }

  /** A message field without fields of its own. */
  empty(field: number): void {
    this.end(this.begin(field));
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#buffer[this.#at] = (rest % 128) + 128;
      this.#at += 1;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#at] = rest;
    this.#at += 1;
  }

  #ensure(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}
