/**
 * Promises: JSON objects in which every member name is unique, with bounds on nesting and members (JWT-01, JWT-13, JWS-03).
 * JSON.parse does the parsing; it keeps the last of two members silently, so a scan over the same text looks for what it cannot tell.
 */
import { isUtf8 } from 'node:buffer';

/** Claims or header of a token as JSON.parse made them: read own members only (JWT-14). */
export type JsonObject = Readonly<Record<string, unknown>>;

const maxDepth = 32;
const maxMembers = 512;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** The object, or what is wrong with the bytes: UTF-8 without a byte order mark, JSON, an object, unique names, bounds. */
export function parseJsonObject(bytes: Buffer): JsonObject | string {
  if (!isUtf8(bytes)) return 'not UTF-8';
  const text = bytes.toString('utf8');
  const value = parse(text);
  if (!isJsonObject(value)) return 'not a JSON object';
  return findFault(text) ?? value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member, or undefined. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Scans text that JSON.parse accepted. */
function findFault(text: string): string | undefined {
  const scan = new Scan();
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      if (scan.isNameNext) scan.name(text.slice(at, end + 1));
      at = end;
    } else {
      scan.structure(code);
    }
    if (scan.fault !== undefined) return scan.fault;
  }
  return undefined;
}

/** Where a scan is, and what it found. */
class Scan {
  fault: string | undefined;
  isNameNext = false;
  /** One entry an open bracket: the names seen in an object, undefined for an array. */
  readonly #open: (Set<string> | undefined)[] = [];
  #members = 0;

  name(quoted: string): void {
    const name = unescapeName(quoted);
    const names = this.#open.at(-1);
    if (names?.has(name)) this.fault = 'a member twice in one object';
    names?.add(name);
    this.#members += 1;
    if (this.#members > maxMembers) this.fault ??= `more than ${maxMembers} members`;
    this.isNameNext = false;
  }

  structure(code: number): void {
    if (code === comma) {
      this.isNameNext = this.#open.at(-1) !== undefined;
    } else if (code === openObject || code === openArray) {
      this.isNameNext = code === openObject;
      this.#open.push(this.isNameNext ? new Set() : undefined);
      if (this.#open.length > maxDepth) this.fault = `nested deeper than ${maxDepth}`;
    } else if (code === closeObject || code === closeArray) {
      this.#open.pop();
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

/** `"i\u0073s"` and `"iss"` are one name. */
function unescapeName(quoted: string): string {
  return quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
