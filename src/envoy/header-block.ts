/**
 * Promises: the request headers as they lie in the CheckRequest; a value becomes a string only when it is asked for.
 */
import { isUtf8 } from 'node:buffer';
import type { RequestHeaders } from '../decision/request.ts';

export class HeaderBlock implements RequestHeaders {
  readonly #bytes: Buffer;
  readonly #names: string[] = [];
  /** Start and end of each value, in turn. */
  readonly #ranges: number[] = [];
  readonly #underscoreNames: string[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  add(name: string, start: number, end: number): void {
    this.#names.push(name);
    this.#ranges.push(start, end);
    if (name.includes('_')) this.#underscoreNames.push(name);
  }

  get underscoreNames(): readonly string[] {
    return this.#underscoreNames;
  }

  values(name: string): readonly (string | undefined)[] {
    const found: (string | undefined)[] = [];
    for (let at = this.#names.indexOf(name); at !== -1; at = this.#names.indexOf(name, at + 1)) {
      found.push(this.#text(this.#ranges[2 * at] ?? 0, this.#ranges[2 * at + 1] ?? 0));
    }
    return found;
  }

  #text(start: number, end: number): string | undefined {
    return isUtf8(this.#bytes.subarray(start, end)) ? this.#bytes.toString('utf8', start, end) : undefined;
  }
}
