/**
 * Promises: what a condition sees of claims, request and token, made when it is asked for. Claims are own members only, at every level,
 * and none of them has a name such as `__proto__` (JWT-14); a lone surrogate (JWT-15) or a rounded number in what is read ends the evaluation.
 */
import { type CelInput, type CelMap, celList, celMap } from '@bufbuild/cel';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConditionInput } from './condition.ts';
import { reservedNames } from './member.ts';
import { meter } from './meter.ts';

/** A map whose values are made when they are asked for. */
class LazyMap extends Map<string, CelInput> {
  readonly #read: (name: string) => CelInput | undefined;
  readonly #names: () => readonly string[];

  constructor(read: (name: string) => CelInput | undefined, names: () => readonly string[]) {
    super();
    this.#read = read;
    this.#names = names;
  }

  override get(name: unknown): CelInput | undefined {
    // A key of CEL may be a number or a bool; no name is.
    if (typeof name !== 'string') return undefined;
    const known = super.get(name);
    if (known !== undefined) return known;
    const value = this.#read(name);
    if (value !== undefined) super.set(name, value);
    return value;
  }

  override has(name: unknown): boolean {
    return this.get(name) !== undefined;
  }

  override get size(): number {
    return this.#names().length;
  }

  override keys(): MapIterator<string> {
    return this.#names().values();
  }

  override *entries(): MapIterator<[string, CelInput]> {
    for (const name of this.#names()) {
      const value = this.get(name);
      if (value !== undefined) yield [name, value];
    }
  }

  override *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value;
  }

  override [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }

  override forEach(visit: (value: CelInput, name: string, map: Map<string, CelInput>) => void): void {
    for (const [name, value] of this.entries()) visit(value, name, this);
  }
}

export function claimsValue(claims: Readonly<Record<string, unknown>>): CelMap {
  return celMap(
    new LazyMap(
      (name) => (isSeen(claims, name) ? fromJson(claims[name]) : undefined),
      () => {
        const names = Object.keys(claims).filter((name) => isSeen(claims, name));
        for (const name of names) requireText(name);
        return names;
      },
    ),
  );
}

function isSeen(claims: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.hasOwn(claims, name) && claims[name] !== undefined && !reservedNames.has(name);
}

function fromJson(value: unknown): CelInput | undefined {
  switch (typeof value) {
    case 'string':
      return requireText(value);
    case 'number':
      return numberValue(value);
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : structureValue(value);
    default:
      return undefined;
  }
}

function structureValue(value: object): CelInput {
  if (isRecord(value)) return claimsValue(value);
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  meter.charge(items.length);
  return celList(items.map((item) => fromJson(item) ?? null));
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return !Array.isArray(value);
}

/** Whole numbers are int. Past 2^53 the parser of JSON has rounded them, so that two identities would be equal: none is read. */
function numberValue(value: number): CelInput {
  if (Number.isSafeInteger(value)) return BigInt(value);
  return Number.isFinite(value) && !Number.isInteger(value) ? value : meter.fail('inexact_number');
}

function requireText(value: string): string {
  return value.isWellFormed() ? value : meter.fail('lone_surrogate');
}

export function requestValue(request: ConditionInput['request']): CelMap {
  return celMap(new LazyMap((name) => readRequest(request, name), noNames));
}

/** The checker lets nobody ask for the names of what has a fixed set of them, nor for those of headers. */
function noNames(): readonly string[] {
  return [];
}

function readRequest(request: ConditionInput['request'], name: string): CelInput | undefined {
  switch (name) {
    case 'method':
    case 'host':
    case 'target':
      return request[name];
    case 'path':
      return celMap(request.path);
    case 'headers':
      return celMap(new LazyMap(request.header, noNames));
    case 'time':
      return timestampFromMs(request.timeMs);
    default:
      return undefined;
  }
}

export function tokenValue({ issuer, clientId, subject, scopes }: ConditionInput['token']): CelMap {
  const members = new Map<string, CelInput>([
    ['issuer', issuer],
    ['scopes', celList(scopes)],
  ]);
  if (clientId !== undefined) members.set('clientId', clientId);
  if (subject !== undefined) members.set('subject', subject);
  return celMap(members);
}
