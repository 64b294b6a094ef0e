/**
 * Promises: the request headers as they lie in the CheckRequest; a name is compared in place, and a value becomes a string only when it is
 * asked for.
 */
import { isUtf8 } from 'node:buffer';
import type { RequestHeaders } from '../decision/request.ts';

/** Numbers that are kept of a header: start and end of its name, start and end of its value. */
const stride = 4;
const underscore = 0x5f;

export class HeaderBlock implements RequestHeaders {
  readonly #bytes: Buffer;
  readonly #ranges: number[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    this.#ranges.push(nameStart, nameEnd, valueStart, valueEnd);
  }

  get underscoreNames(): readonly string[] {
    const found: string[] = [];
    for (let at = 0; at < this.#ranges.length; at += stride) {
      if (this.#hasUnderscore(at)) found.push(this.#name(at).toLowerCase());
    }
    return found;
  }

  values(name: string): readonly (string | undefined)[] {
    const found: (string | undefined)[] = [];
    for (let at = 0; at < this.#ranges.length; at += stride) {
      if (this.#isNamed(at, name)) found.push(this.#text(this.#ranges[at + 2] ?? 0, this.#ranges[at + 3] ?? 0));
    }
    return found;
  }

  #name(at: number): string {
    return this.#bytes.toString('latin1', this.#ranges[at], this.#ranges[at + 1]);
  }

  #hasUnderscore(at: number): boolean {
    const end = this.#ranges[at + 1] ?? 0;
    for (let index = this.#ranges[at] ?? 0; index < end; index += 1) {
      if (this.#bytes[index] === underscore) return true;
    }
    return false;
  }

  /** `name` is lower-case, and what came need not be. Names that are asked for are ASCII, so only its letters have two cases. */
  #isNamed(at: number, name: string): boolean {
    const start = this.#ranges[at] ?? 0;
    if ((this.#ranges[at + 1] ?? 0) - start !== name.length) return false;
    for (let index = 0; index < name.length; index += 1) {
      if (lowerCase(this.#bytes[start + index] ?? 0) !== name.charCodeAt(index)) return false;
    }
    return true;
  }

  #text(start: number, end: number): string | undefined {
    return isUtf8(this.#bytes.subarray(start, end)) ? this.#bytes.toString('utf8', start, end) : undefined;
  }
}

function lowerCase(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}
