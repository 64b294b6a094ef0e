/**
 * Promises: the variables of a condition with their members and types (interface section 4).
 */
import { any, listOf, mapOf, type Type, text } from './type.ts';

/** Variables by name. */
export const variables: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['claims', mapOf(text, any)],
  ['request', { kind: 'request' }],
  ['token', { kind: 'token' }],
]);

const members: Readonly<Record<'request' | 'token', ReadonlyMap<string, Type>>> = {
  request: new Map<string, Type>([
    ['method', text],
    ['host', text],
    ['path', mapOf(text, text)],
    ['target', text],
    ['headers', { kind: 'headers' }],
    ['time', { kind: 'timestamp' }],
  ]),
  token: new Map<string, Type>([
    ['issuer', text],
    ['clientId', text],
    ['subject', text],
    ['scopes', listOf(text)],
  ]),
};

export function membersOf(holder: 'request' | 'token'): ReadonlyMap<string, Type> {
  return members[holder];
}

/** `request.path` for `path`, for those who forget the variable. */
export function holderOf(name: string): string | undefined {
  return (['request', 'token'] as const).find((holder) => members[holder].has(name));
}

/** Names of types, as in `type(claims.aud) == list`. */
export const typeNames: ReadonlySet<string> = new Set(
  'bool int uint double string bytes list map null_type type'.split(' '),
);

/** Names that the objects of JavaScript bring along: no claim is seen under one of them, its own or not (JWT-14). */
export const reservedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
