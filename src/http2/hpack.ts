/**
 * Promises: header blocks of one connection decoded (RFC 7541), with a bound on what they may hold. A block that cannot be decoded ends
 * the connection, because every later one depends on it (section 2.2).
 * Leaves to others: whether the fields make a request (request-head.ts).
 */
import { createField, type Field, withValue } from './field.ts';
import { ConnectionError, defaultTableBytes, errorCode } from './frame.ts';
import { decodeHuffman } from './huffman.ts';

/** Told each field, in order. */
export type FieldVisitor = (field: Field) => void;

/** Appendix A. */
const staticTable: readonly Field[] = `:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http
:scheme https|:status 200|:status 204|:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset
accept-encoding gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization
cache-control|content-disposition|content-encoding|content-language|content-length|content-location|content-range
content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range
if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer
refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
  .split(/[|\n]/)
  .map((text) => {
    const space = text.indexOf(' ');
    return space === -1 ? createField(text, '') : createField(text.slice(0, space), text.slice(space + 1));
  });

function bad(message: string): ConnectionError {
  return new ConnectionError(errorCode.compressionError, message);
}

export class HpackDecoder {
  /** Newest last; `#table[#table.length - 1]` is index 62. */
  readonly #table: Field[] = [];
  #tableBytes = 0;
  /** What we let it grow to is what holds without a setting of ours. */
  #tableLimit = defaultTableBytes;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Throws a ConnectionError. */
  decode(block: Buffer, visit: FieldVisitor): void {
    this.#bytes = block;
    this.#at = 0;
    this.#readTableSizes();
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) {
        visit(this.#field(this.#integer(7)));
      } else if (first >= 0x40) {
        const field = this.#literal(6);
        this.#add(field);
        visit(field);
      } else if (first >= 0x20) {
        throw bad('a change of the table size after the first field');
      } else {
        visit(this.#literal(4));
      }
    }
  }

  /** Section 4.2: at the beginning of a block only. */
  #readTableSizes(): void {
    while (((this.#bytes[this.#at] ?? 0) & 0xe0) === 0x20) {
      const size = this.#integer(5);
      if (size > defaultTableBytes) throw bad('a table that is larger than allowed');
      this.#tableLimit = size;
      this.#evict(0);
    }
  }

  #literal(prefixBits: number): Field {
    const index = this.#integer(prefixBits);
    if (index !== 0) return withValue(this.#field(index), this.#text());
    const name = this.#text();
    return createField(name, this.#text());
  }

  #field(index: number): Field {
    const field =
      index <= staticTable.length
        ? staticTable[index - 1]
        : this.#table[this.#table.length + staticTable.length - index];
    if (field === undefined) throw bad('an index that stands for nothing');
    return field;
  }

  /** Section 5.1. No number here may need more than four bytes beside the prefix. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#bytes[this.#at] ?? 0) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw bad('a block that breaks off');
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw bad('a number that is too large');
  }

  /** Section 5.2. */
  #text(): string {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    if (this.#at >= this.#bytes.length) throw bad('a block that breaks off');
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw bad('a block that breaks off');
    if (!isHuffman) return this.#bytes.toString('latin1', start, this.#at);
    const text = decodeHuffman(this.#bytes, start, this.#at);
    if (text === undefined) throw bad('a text that is no Huffman code');
    return text;
  }

  #add(field: Field): void {
    this.#evict(field.bytes);
    // Section 4.4: what is larger than the table empties it.
    if (field.bytes > this.#tableLimit) return;
    this.#table.push(field);
    this.#tableBytes += field.bytes;
  }

  #evict(needed: number): void {
    let gone = 0;
    while (gone < this.#table.length && this.#tableBytes + needed > this.#tableLimit) {
      this.#tableBytes -= this.#table[gone]?.bytes ?? 0;
      gone += 1;
    }
    if (gone > 0) this.#table.splice(0, gone);
  }
}
