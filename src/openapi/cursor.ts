/**
 * Promises: a node of a document with the way to it, read by own members only, so that what is said about it can name its place.
 */
import { type Tree, type TreePath, valueAt } from '../policy/tree.ts';

export interface Cursor {
  readonly tree: Tree;
  readonly path: TreePath;
  readonly value: unknown;
}

/** Undefined: the node is no mapping, or has no such member of its own. */
export function member(cursor: Cursor, name: string): Cursor | undefined {
  return isMapping(cursor.value) && Object.hasOwn(cursor.value, name) ? step(cursor, name) : undefined;
}

/** In the order of the text; none when the node is no mapping. */
export function members(cursor: Cursor): readonly (readonly [string, Cursor])[] {
  return isMapping(cursor.value) ? Object.keys(cursor.value).map((name) => [name, step(cursor, name)]) : [];
}

/** None when the node is no list. */
export function items(cursor: Cursor): readonly Cursor[] {
  return Array.isArray(cursor.value) ? cursor.value.map((_, index) => step(cursor, index)) : [];
}

/** The text of a member; undefined when there is none or it is no text. */
export function text(cursor: Cursor, name: string): string | undefined {
  const value = member(cursor, name)?.value;
  return typeof value === 'string' ? value : undefined;
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A mapping that says all it means by itself. YAML 1.2 has no merge keys; a reader that knows them would see members here that are not
 * there for us, such as another `security`.
 */
export function isPlainMapping(cursor: Cursor): boolean {
  return isMapping(cursor.value) && !Object.hasOwn(cursor.value, '<<');
}

/** What `$ref` of the node points to in this document; undefined: elsewhere, or to nothing. */
export function referred({ tree, value }: Cursor): Cursor | undefined {
  const reference = isMapping(value) ? valueOf(value, '$ref') : undefined;
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined;
  const path = parsePointer(reference.slice(2));
  const target = path === undefined ? undefined : valueAt(tree, path);
  return path === undefined || target === undefined ? undefined : { tree, path, value: target };
}

/** RFC 6901 section 6. Undefined: an escape that is none. */
function parsePointer(pointer: string): TreePath | undefined {
  try {
    return pointer.split('/').map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    return undefined;
  }
}

function step({ tree, path, value }: Cursor, name: string | number): Cursor {
  return { tree, path: [...path, name], value: valueOf(value, name) };
}

function valueOf(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
