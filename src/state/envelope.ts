/**
 * Promises: a value as the text of a state file and back: of this format, of this version, and unchanged since it was written.
 */
import { createHash } from 'node:crypto';

/** What a state file is about. */
export type StateKind = 'sources' | 'keys';

const format = 'scopegate-state';
const version = 1;

export function seal(kind: StateKind, content: unknown): string {
  return `${JSON.stringify({ format, version, kind, digest: digestOf(content), content })}\n`;
}

/** The problem goes behind the file's name. */
export function unseal(kind: StateKind, text: string): { readonly content: unknown } | { readonly problem: string } {
  const sealed = parse(text);
  if (!isObject(sealed) || sealed['format'] !== format) return { problem: 'is no state of Scopegate' };
  if (sealed['version'] !== version) return { problem: 'is of another version of Scopegate' };
  if (sealed['kind'] !== kind) return { problem: `does not hold ${kind}` };
  const { content } = sealed;
  return sealed['digest'] === digestOf(content) ? { content } : { problem: 'is damaged' };
}

/** Against accidents; whoever may write the file can write this as well. */
function digestOf(content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(content) ?? '')
    .digest('hex');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every item read, or undefined: half a state is another state. */
export function readAll<Item>(list: unknown, read: (item: unknown) => Item | undefined): readonly Item[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const items: Item[] = [];
  for (const one of list) {
    const item = read(one);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) <= maxTimeMs;
}

/** The last instant that a date can name. */
const maxTimeMs = 8.64e15;
