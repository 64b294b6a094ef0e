/**
 * Promises: the fields of one protobuf message, in place, without copies. Whatever is no well-formed message is told so, and never ends in
 * an exception or a read past the end.
 * Source: Protocol Buffers encoding, "Message structure".
 */

const maxLength = 0x7fffffff;
const lengthDelimited = 2;

/** Walks over a range of bytes that is one message; `next()` steps from one length-delimited field to the next. */
export class WireReader {
  readonly bytes: Buffer;
  /** Of the present field: its number, and the range of its content. */
  field = 0;
  start = 0;
  end = 0;
  #at = 0;
  #limit = 0;
  #isGood = true;

  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = bytes;
    this.enter(from, to);
  }

  /** Begins anew with another message of the same bytes. */
  enter(from: number, to: number): void {
    this.#at = from;
    this.#limit = to;
    this.#isGood = true;
  }

  /** The message in the present field. */
  inner(): WireReader {
    return new WireReader(this.bytes, this.start, this.end);
  }

  /** All of it was walked over, and it is a message. */
  get isWhole(): boolean {
    return this.#isGood && this.#at === this.#limit;
  }

  /** False at the end, and where the bytes are no message. Fields of other kinds are skipped, as nothing that is read is a number. */
  next(): boolean {
    while (this.#at < this.#limit) {
      const tag = this.#varint();
      if (tag < 8) return this.#fail();
      if ((tag & 7) !== lengthDelimited) {
        if (!this.#skip(tag & 7)) return this.#fail();
        continue;
      }
      const length = this.#varint();
      const from = this.#at;
      if (length < 0 || from + length > this.#limit) return this.#fail();
      this.field = tag >>> 3;
      this.start = from;
      this.end = from + length;
      this.#at = this.end;
      return true;
    }
    return false;
  }

  #fail(): false {
    this.#isGood = false;
    this.#at = this.#limit;
    return false;
  }

  /** A varint up to 31 bits; −1 for a longer or unfinished one. Larger numbers are never a tag or a length here. */
  #varint(): number {
    const first = this.bytes[this.#at] ?? 0;
    if (first < 0x80 && this.#at < this.#limit) {
      this.#at += 1;
      return first;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10 && this.#at < this.#limit; count += 1) {
      const byte = this.bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value <= maxLength ? value : -1;
      factor *= 128;
    }
    return -1;
  }

  #skip(wireType: number): boolean {
    if (wireType === 0) return this.#skipVarint();
    // Groups (3, 4) are deprecated and in none of these messages.
    const size = wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
    this.#at += size;
    return size > 0 && this.#at <= this.#limit;
  }

  #skipVarint(): boolean {
    for (let count = 0; count < 10 && this.#at < this.#limit; count += 1) {
      this.#at += 1;
      if ((this.bytes[this.#at - 1] ?? 0) < 0x80) return true;
    }
    return false;
  }
}
