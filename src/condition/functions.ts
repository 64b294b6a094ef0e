/**
 * Promises: the functions that replace those of the library: what works on text, lists and whole values pays for it (meter.ts), and
 * where the library's own departs from the CEL specification the result here follows it: an empty text is no number, `timestamp(int)`
 * counts seconds, parts of a time do not depend on the machine's zone, a member that is null is there.
 */
import {
  type CelFunc,
  type CelList,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celList,
  celMethod,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  listType,
  mapType,
  objectType,
} from '@bufbuild/cel';
import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { meter } from './meter.ts';
import { compilePattern } from './pattern.ts';
import { timeParts, zoneOffset } from './time.ts';

const { BOOL, BYTES, DOUBLE, DYN, INT, STRING, UINT } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);
const TIMESTAMP = objectType(TimestampSchema);
const standard = celEnv().funcs;

/** Names that no operator can write: the loops of macros are rewritten to use them (rewrite.ts). */
export const internal = { has: '@has', each: '@each', list: '@list', append: '@append' } as const;

export const functions: CelFunc[] = [
  celFunc('_==_', [DYN, DYN], BOOL, isEqual),
  celFunc('_!=_', [DYN, DYN], BOOL, (a, b) => !isEqual(a, b)),
  celFunc('@in', [DYN, LIST], BOOL, isInList),
  ...[STRING, INT, UINT, BOOL, DOUBLE].map((key) => celFunc('@in', [key, MAP], BOOL, isInMap)),
  celFunc('_+_', [STRING, STRING], STRING, joinText),
  celFunc('_+_', [BYTES, BYTES], BYTES, joinBytes),
  celFunc('_+_', [LIST, LIST], LIST, joinLists),
  ...comparison('_<_', (a, b) => a < b),
  ...comparison('_<=_', (a, b) => a <= b),
  ...comparison('_>_', (a, b) => a > b),
  ...comparison('_>=_', (a, b) => a >= b),
  celFunc('size', [STRING], INT, countCharacters),
  celMethod('size', STRING, [], INT, function size() {
    return countCharacters(this);
  }),
  ...textTests(),
  ...textChanges(),
  ...conversions(),
  ...Object.entries(timeParts).flatMap(([name, part]) => timeMethods(name, part)),
  ...internals(),
];

function isEqual(a: CelValue, b: CelValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return isEqualScalar(a, b);
  // Both are walked side by side, so that one of them bounds the work.
  chargeWhole(a);
  const result = standard.find('_==_')?.call(0, undefined, [a, b]);
  if (typeof result === 'boolean') return result;
  throw isCelError(result) ? result : new Error('found no matching overload');
}

function isEqualScalar(a: CelValue, b: CelValue): boolean {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length !== b.length) return false;
    meter.chargeText(a);
    return a === b;
  }
  if (a === b) return true;
  const [left, right] = [numeric(a), numeric(b)];
  // Numbers are equal across their types, by value: here, and only here, `==` between bigint and number is what is meant.
  // oxlint-disable-next-line eqeqeq
  return left !== undefined && right !== undefined && left == right;
}

function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return typeof value === 'object' && value !== null && 'value' in value && typeof value.value === 'bigint'
    ? value.value
    : undefined;
}

/** Every value inside a value: a list that holds itself many times over, by way of `map`, is as dear as it is long. */
function chargeWhole(value: CelValue): void {
  meter.charge(1);
  if (typeof value === 'string') meter.chargeText(value);
  else if (value instanceof Uint8Array) meter.charge(value.length / 64);
  else if (isCelList(value)) for (const item of value) chargeWhole(item);
  else if (isCelMap(value)) for (const item of value.values()) chargeWhole(item);
}

function isInList(item: CelValue, list: CelList): boolean {
  meter.charge(list.size);
  for (const other of list) if (isEqual(other, item)) return true;
  return false;
}

function isInMap(key: CelValue, map: { get(key: string | bigint | boolean | number): unknown }): boolean {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean' || typeof key === 'number') {
    return map.get(key) !== undefined;
  }
  const whole = numeric(key);
  return whole !== undefined && map.get(whole) !== undefined;
}

function joinText(a: string, b: string): string {
  meter.chargeText(a, b);
  return a + b;
}

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  meter.charge((a.length + b.length) / 64);
  return Buffer.concat([a, b]);
}

/** One array: the library links lists to each other, and is out of stack after some thousand links. */
function joinLists(a: CelList, b: CelList): CelList {
  meter.charge(a.size + b.size);
  return celList([...a, ...b]);
}

function comparison(name: string, compare: (a: string, b: string) => boolean): readonly CelFunc[] {
  return [
    celFunc(name, [STRING, STRING], BOOL, (a, b) => {
      meter.chargeText(a.length < b.length ? a : b);
      return compare(a, b);
    }),
  ];
}

function countCharacters(value: string): bigint {
  meter.charge(value.length / 8);
  let count = 0;
  for (const _ of value) count += 1;
  return BigInt(count);
}

function textTests(): readonly CelFunc[] {
  return [
    celMethod('startsWith', STRING, [STRING], BOOL, function startsWith(part) {
      meter.chargeText(part);
      return this.startsWith(part);
    }),
    celMethod('endsWith', STRING, [STRING], BOOL, function endsWith(part) {
      meter.chargeText(part);
      return this.endsWith(part);
    }),
    celMethod('contains', STRING, [STRING], BOOL, function contains(part) {
      meter.chargeText(this, part);
      // The engine's search is linear for all but texts that were made to defeat it.
      meter.charge((this.length * part.length) / 4096);
      return this.includes(part);
    }),
    celMethod('matches', STRING, [STRING], BOOL, function matches(source) {
      return isMatch(this, source);
    }),
  ];
}

function isMatch(value: string, source: string): boolean {
  let pattern = meter.pattern(source);
  if (pattern === undefined) {
    meter.charge(2000);
    const compiled = compilePattern(source);
    if (typeof compiled === 'string') throw new Error('invalid pattern');
    pattern = compiled;
  }
  meter.charge(pattern.size * (value.length + 1));
  return pattern.test(value);
}

function textChanges(): readonly CelFunc[] {
  return [
    celMethod('lowerAscii', STRING, [], STRING, function lowerAscii() {
      meter.charge(this.length / 4);
      return this.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    }),
    celMethod('upperAscii', STRING, [], STRING, function upperAscii() {
      meter.charge(this.length / 4);
      return this.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    }),
    celMethod('trim', STRING, [], STRING, function trim() {
      meter.chargeText(this);
      return this.trim();
    }),
    celMethod('split', STRING, [STRING], LIST, function split(separator) {
      meter.charge(this.length);
      return celList(separator === '' ? Array.from(this) : this.split(separator));
    }),
  ];
}

/** Decimal, and not what `Number` and `BigInt` read besides: blanks, hexadecimal, the empty text. */
const wholeNumber = /^[+-]?\d{1,20}$/;
const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?(?:Inf|Infinity)$|^NaN$/;

function conversions(): readonly CelFunc[] {
  return [
    celFunc('int', [STRING], INT, (value) => inRange(wholeOf(value), (n) => BigInt.asIntN(64, n))),
    celFunc('uint', [STRING], UINT, (value) => celUint(inRange(wholeOf(value), (n) => BigInt.asUintN(64, n)))),
    celFunc('double', [STRING], DOUBLE, doubleOf),
    celFunc('timestamp', [INT], TIMESTAMP, timestampOf),
    celFunc('bytes', [STRING], BYTES, (value) => {
      meter.chargeText(value);
      return Buffer.from(value);
    }),
  ];
}

function wholeOf(value: string): bigint {
  if (!wholeNumber.test(value)) throw new Error('not a whole number');
  return BigInt(value.startsWith('+') ? value.slice(1) : value);
}

function inRange(value: bigint, wrap: (value: bigint) => bigint): bigint {
  if (wrap(value) !== value) throw new Error('overflow');
  return value;
}

function doubleOf(value: string): number {
  if (value.length > 400 || !decimalNumber.test(value)) throw new Error('not a number');
  return Number(value.replace(/Inf$/, 'Infinity'));
}

/** The years 1 to 9999, as far as a timestamp reaches. */
function timestampOf(seconds: bigint): Timestamp {
  if (seconds < -62_135_596_800n || seconds > 253_402_300_799n) throw new Error('overflow');
  return create(TimestampSchema, { seconds });
}

function timeMethods(name: string, part: (seconds: number) => number): readonly CelFunc[] {
  return [
    celMethod(name, TIMESTAMP, [], INT, function get() {
      return BigInt(part(Number(this.message.seconds)));
    }),
    celMethod(name, TIMESTAMP, [STRING], INT, function getIn(zone) {
      meter.charge(500);
      const seconds = Number(this.message.seconds);
      return BigInt(part(seconds + zoneOffset(zone, seconds)));
    }),
  ];
}

function internals(): readonly CelFunc[] {
  return [
    celFunc(internal.has, [DYN, STRING], BOOL, (owner, name) => {
      if (!isCelMap(owner)) throw new Error('found no matching overload');
      return owner.get(name) !== undefined;
    }),
    celFunc(internal.each, [DYN, INT], DYN, (group, nodes) => {
      if (isCelList(group) || isCelMap(group)) meter.charge(group.size * Number(nodes));
      return group;
    }),
    celFunc(internal.list, [], LIST, startList),
    celFunc(internal.append, [LIST, DYN], LIST, (list, item) => {
      growing.get(list)?.push(item);
      return list;
    }),
  ];
}

/** Lists that a macro is making: nobody else can see them, so that they may grow in place. */
const growing = new WeakMap<CelList, CelValue[]>();

function startList(): CelList {
  const items: CelValue[] = [];
  const list = celList(items);
  growing.set(list, items);
  return list;
}
