/**
 * Promises: the fields of one protobuf message, in place, without copies. Whatever is no well-formed message ends in a `false`, never in
 * an exception or a read past the end.
 * Source: Protocol Buffers encoding, "Message structure".
 */

/** What a length-delimited field holds: a range of the bytes. */
export type OnField = (field: number, start: number, end: number) => boolean;

const maxLength = 0x7fffffff;

/** A position in the bytes of one message. */
export class WireReader {
  readonly bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /**
   * Calls `onField` for every length-delimited field between `start` and `end`; the other kinds are skipped, as nothing that is read
   * here is a number. False when the bytes are no message or `onField` said false.
   */
  eachField(start: number, end: number, onField: OnField): boolean {
    this.#at = start;
    while (this.#at < end) {
      const tag = this.#varint(end);
      const field = tag >>> 3;
      if (tag < 0 || field === 0) return false;
      if ((tag & 7) !== 2) {
        if (!this.#skip(tag & 7, end)) return false;
        continue;
      }
      const length = this.#varint(end);
      const from = this.#at;
      const to = from + length;
      if (length < 0 || to > end || !onField(field, from, to)) return false;
      this.#at = to;
    }
    return this.#at === end;
  }

  /** A varint up to 31 bits; −1 for a longer or unfinished one. Larger numbers are never a tag or a length here. */
  #varint(end: number): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10 && this.#at < end; count += 1) {
      const byte = this.bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value <= maxLength ? value : -1;
      factor *= 128;
    }
    return -1;
  }

  #skip(wireType: number, end: number): boolean {
    if (wireType === 0) return this.#skipVarint(end);
    // Groups (3, 4) are deprecated and in none of these messages.
    const size = wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
    this.#at += size;
    return size > 0 && this.#at <= end;
  }

  #skipVarint(end: number): boolean {
    for (let count = 0; count < 10 && this.#at < end; count += 1) {
      this.#at += 1;
      if ((this.bytes[this.#at - 1] ?? 0) < 0x80) return true;
    }
    return false;
  }
}
