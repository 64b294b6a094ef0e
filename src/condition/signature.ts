/**
 * Promises: the functions and operators that a condition may use, each with its types: what is not in this table does not exist,
 * whatever the library brings.
 * Leaves to others: `==`, `in`, indexing, macros and logic, which are no plain functions (check-call.ts).
 */
import { any, fits, type Kind, listOf, type Type, text } from './type.ts';

interface Signature {
  readonly name: string;
  /** Type of `x` in `x.f()`; undefined for `f(x)`. */
  readonly target: Type | undefined;
  readonly parameters: readonly Type[];
  readonly result: Type;
}

const kinds: Readonly<Record<string, Kind>> = {
  any: 'any',
  bool: 'bool',
  int: 'int',
  uint: 'uint',
  double: 'double',
  string: 'string',
  bytes: 'bytes',
  timestamp: 'timestamp',
  duration: 'duration',
  type: 'type',
  list: 'list',
  map: 'map',
};

/** `target.name(parameters): result`. An operator is spelled as the parser spells it. */
const table = [
  ...['int', 'uint', 'double'].flatMap((number) => ['+', '-', '*', '/'].map((sign) => arithmetic(sign, number))),
  arithmetic('%', 'int'),
  arithmetic('%', 'uint'),
  '-_(int): int',
  '-_(double): double',
  '!_(bool): bool',
  arithmetic('+', 'string'),
  arithmetic('+', 'bytes'),
  arithmetic('+', 'list'),
  '_+_(timestamp, duration): timestamp',
  '_+_(duration, timestamp): timestamp',
  '_+_(duration, duration): duration',
  '_-_(timestamp, timestamp): duration',
  '_-_(timestamp, duration): timestamp',
  '_-_(duration, duration): duration',
  ...['<', '<=', '>', '>='].flatMap(comparisons),
  ...['string', 'bytes', 'list', 'map'].flatMap((type) => [`size(${type}): int`, `${type}.size(): int`]),
  ...['contains', 'startsWith', 'endsWith', 'matches'].map((name) => `string.${name}(string): bool`),
  ...['lowerAscii', 'upperAscii', 'trim'].map((name) => `string.${name}(): string`),
  'string.split(string): list',
  ...['int', 'uint', 'double', 'string', 'timestamp', 'duration'].map((from) => `int(${from}): int`),
  ...['int', 'uint', 'double', 'string'].flatMap((from) => [`uint(${from}): uint`, `double(${from}): double`]),
  ...['bool', 'string'].map((from) => `bool(${from}): bool`),
  ...['bytes', 'string'].map((from) => `bytes(${from}): bytes`),
  ...['string', 'bool', 'int', 'uint', 'double', 'bytes', 'timestamp', 'duration'].map((t) => `string(${t}): string`),
  ...['timestamp', 'string', 'int'].map((from) => `timestamp(${from}): timestamp`),
  ...['duration', 'string'].map((from) => `duration(${from}): duration`),
  'type(any): type',
  'dyn(any): any',
  ...['FullYear', 'Month', 'Date', 'DayOfMonth', 'DayOfWeek', 'DayOfYear'].flatMap(timeParts),
  ...['Hours', 'Minutes', 'Seconds', 'Milliseconds'].flatMap(timeParts),
  ...['Hours', 'Minutes', 'Seconds', 'Milliseconds'].map((part) => `duration.get${part}(): int`),
];

function arithmetic(sign: string, type: string): string {
  return `_${sign}_(${type}, ${type}): ${type}`;
}

function comparisons(sign: string): readonly string[] {
  const same = ['bool', 'string', 'bytes', 'timestamp', 'duration'].map((type) => `_${sign}_(${type}, ${type}): bool`);
  const numbers = ['int', 'uint', 'double'];
  return [...same, ...numbers.flatMap((a) => numbers.map((b) => `_${sign}_(${a}, ${b}): bool`))];
}

function timeParts(part: string): readonly string[] {
  return [`timestamp.get${part}(): int`, `timestamp.get${part}(string): int`];
}

function parseSignature(line: string): Signature {
  const [, target, name = '', parameters = '', result] =
    /^(?:(\w+)\.)?([^(]+)\(([^)]*)\): (\w+)$/.exec(line) ?? fail(line);
  return {
    name,
    target: target === undefined ? undefined : typeOf(target),
    parameters: parameters === '' ? [] : parameters.split(', ').map(typeOf),
    // The one list that a plain function makes.
    result: name === 'split' ? listOf(text) : typeOf(result),
  };
}

function typeOf(name = ''): Type {
  const kind = kinds[name] ?? fail(name);
  return kind === 'any' ? any : { kind };
}

function fail(line: string): never {
  throw new Error(`no signature: ${line}`);
}

const byName = Map.groupBy(table.map(parseSignature), ({ name }) => name);

/** Names that can be written as `f(x)` or `x.f()`. */
export const functionNames: readonly string[] = [...byName.keys()].filter(
  (name) => /^\w+$/.test(name) && !/^_|_$/.test(name),
);

/** How the table spells the forms of a function, for hints. */
export function formsOf(name: string): readonly string[] {
  return (byName.get(name) ?? []).map(({ target, parameters }) => {
    const before = target === undefined ? '' : `${target.kind}.`;
    return `${before}${name}(${parameters.map(({ kind }) => kind).join(', ')})`;
  });
}

/** The type of a call; `any` when it depends on values; undefined when nothing fits. */
export function resultOf(name: string, target: Type | undefined, parameters: readonly Type[]): Type | undefined {
  const fitting = (byName.get(name) ?? []).filter((signature) => isFit(signature, target, parameters));
  const [first, ...others] = fitting;
  if (first === undefined) return undefined;
  return others.every(({ result }) => result.kind === first.result.kind) ? first.result : any;
}

function isFit(signature: Signature, target: Type | undefined, parameters: readonly Type[]): boolean {
  if ((signature.target === undefined) !== (target === undefined)) return false;
  if (signature.parameters.length !== parameters.length) return false;
  const wanted = signature.target === undefined ? signature.parameters : [signature.target, ...signature.parameters];
  const given = target === undefined ? parameters : [target, ...parameters];
  return wanted.every((type, index) => fits(type, given[index] ?? any));
}
