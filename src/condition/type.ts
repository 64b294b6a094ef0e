/**
 * Promises: the static types of a condition, when one may stand for another, and how an operator reads them.
 * `any` is what CEL calls dyn: known at run time only. Values of the kinds `request`, `token` and `headers` can be asked for members
 * and are no values themselves, so that nothing can make them be read whole.
 */
export type Kind =
  | 'any'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'type'
  | 'list'
  | 'map'
  | 'request'
  | 'token'
  | 'headers';

export interface Type {
  readonly kind: Kind;
  /** Of a map. */
  readonly key?: Type;
  /** Of a map its values, of a list its items. */
  readonly item?: Type;
}

export const any: Type = { kind: 'any' };
export const bool: Type = { kind: 'bool' };
export const int: Type = { kind: 'int' };
export const text: Type = { kind: 'string' };

export function listOf(item: Type): Type {
  return { kind: 'list', item };
}

export function mapOf(key: Type, item: Type): Type {
  return { kind: 'map', key, item };
}

/** A value of the one type may be a value of the other. */
export function fits(a: Type, b: Type): boolean {
  if (a.kind === 'any' || b.kind === 'any') return true;
  if (a.kind !== b.kind) return false;
  return fits(a.item ?? any, b.item ?? any) && fits(a.key ?? any, b.key ?? any);
}

/** The type of what is of the one or of the other; undefined when no type but `any` holds both. */
export function join(a: Type, b: Type): Type | undefined {
  if (a.kind === 'any' || b.kind === 'any') return any;
  if (a.kind !== b.kind) return undefined;
  if (a.kind === 'list') return listOf(joinParts(a.item, b.item));
  return a.kind === 'map' ? mapOf(joinParts(a.key, b.key), joinParts(a.item, b.item)) : a;
}

function joinParts(a: Type = any, b: Type = any): Type {
  return join(a, b) ?? any;
}

/** It can be asked for members and is no value. */
export function isHolder(type: Type): boolean {
  return type.kind === 'request' || type.kind === 'token' || type.kind === 'headers';
}

export function typeName({ kind, key = any, item = any }: Type): string {
  if (kind === 'list') return item.kind === 'any' ? 'list' : `list of ${typeName(item)}`;
  if (kind === 'map') return item.kind === 'any' ? 'map' : `map of ${typeName(key)} to ${typeName(item)}`;
  return kind;
}

/** `a string`, `an int`. */
export function oneOf(type: Type): string {
  const name = typeName(type);
  return `${name === 'int' ? 'an' : 'a'} ${name}`;
}
