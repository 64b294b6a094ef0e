/**
 * Promises: the part of YAML that policies are mostly written in, JSON among it, read in one pass and at a fraction of the cost: the same
 * values at the same places as yaml.ts reads by the library, or nothing at all. It is nothing whenever a text has anything else in it:
 * anchors, tags, directives, tabs, scalars over several lines, comments further left than what follows them or between brackets, every
 * mistake. A test compares the two on any text.
 * Leaves to others: everything about a text that is not of that part (yaml.ts).
 */
import { type Offsets, readFlow } from './plain-flow.ts';
import { NotPlain, plainValue, Scanner, takeBlock, takeKey, takeQuoted } from './plain-scalar.ts';
import { mappingOffsets } from './tree.ts';

/** One document that is not empty. */
export interface PlainDocument {
  readonly value: unknown;
  readonly start: number;
  readonly offsets: Offsets;
}

/** Tabs and other control characters, line ends of other systems, marks of byte order. */
const strange = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
/** Marks of documents other than a line of three dashes. */
const directive = /^(?:%|\.\.\.|---.)/m;

export function readPlainYaml(text: string): readonly PlainDocument[] | undefined {
  if (strange.test(text) || directive.test(text)) return undefined;
  try {
    return readDocuments(text);
  } catch (thrown) {
    // A pattern that overflows its stack is one on a text that is far too long.
    if (thrown instanceof NotPlain || thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

interface BlockReading {
  readonly scanner: Scanner;
  readonly offsets: Offsets;
}

function readDocuments(text: string): readonly PlainDocument[] {
  const scanner = new Scanner(text, 0);
  const documents: PlainDocument[] = [];
  while (nextLine(scanner) !== undefined) {
    if (takeMark(scanner)) continue;
    const offsets: Offsets = new Map();
    const start = scanner.at;
    documents.push({ value: readBlock({ scanner, offsets }, -1), start, offsets });
    // What follows is the next document, or belongs to none.
    if (nextLine(scanner) !== undefined && !takeMark(scanner)) throw new NotPlain();
  }
  return documents;
}

const mark = /---(?:\n|$)/y;

function takeMark(scanner: Scanner): boolean {
  const isLineStart = scanner.at === 0 || scanner.text[scanner.at - 1] === '\n';
  return isLineStart && scanner.take(mark) !== undefined;
}

const emptyLines = /(?: *(?:#[^\n]*)?\n)+/y;
const lastLine = / *(?:#[^\n]*)?$/y;
const spaces = / */y;

/** To the first word of the next line that has one; `at` is a line start. Its indentation, or undefined at the end. */
function nextLine(scanner: Scanner): number | undefined {
  const skipped = scanner.take(emptyLines) ?? '';
  if (scanner.looksAt(lastLine)) {
    scanner.at = scanner.text.length;
    return undefined;
  }
  const indent = scanner.take(spaces)?.length ?? 0;
  if (skipped.includes('#') && leftmostComment(skipped) < indent) throw new NotPlain();
  return indent;
}

/** The library takes such a comment for the indentation of what follows, and may read lines into a scalar that are none of it. */
function leftmostComment(lines: string): number {
  const columns = lines.split('\n').map((line) => line.indexOf('#'));
  return Math.min(...columns.filter((column) => column !== -1));
}

const lineEnd = / *(?:(?<= )#[^\n]*)?(?:\n|$)/y;

/** The rest of a line has nothing in it; `at` is then the start of the next one. */
function endLine(scanner: Scanner): void {
  if (scanner.take(lineEnd) === undefined) throw new NotPlain();
}

/** At the first word of a line, or behind the `- ` of an item; `at` is then the start of a line. */
function readBlock(reading: BlockReading, indent: number): unknown {
  const { scanner } = reading;
  const column = columnOf(scanner);
  if (scanner.looksAt(dash)) return readSequence(reading, column);
  const start = scanner.at;
  const key = takeKey(scanner, afterQuotedKey);
  if (key === undefined) return readValue(reading, indent);
  scanner.at = start;
  return readMapping(reading, column);
}

function columnOf({ text, at }: Scanner): number {
  return at === 0 ? 0 : at - text.lastIndexOf('\n', at - 1) - 1;
}

const dash = /-(?= |\n|$)/y;

function readSequence(reading: BlockReading, column: number): unknown {
  const { scanner, offsets } = reading;
  const list: unknown[] = [];
  const known = { start: scanner.at, keyOffsets: [], valueOffsets: new Array<number>() };
  offsets.set(list, known);
  scanner.count();
  scanner.enter();
  while (scanner.take(dash) !== undefined) {
    toContent(scanner, column);
    known.valueOffsets.push(scanner.at);
    list.push(readBlock(reading, column));
    if (!isAtColumn(scanner, column)) break;
    if (scanner.looksAt(dash)) continue;
    // The next pair of the mapping that this list is a value of.
    scanner.at -= column;
    break;
  }
  scanner.leave();
  return list;
}

/** To the value of an item or pair, on the same line or a later one that is indented further. */
function toContent(scanner: Scanner, column: number): boolean {
  scanner.take(spaces);
  if (!scanner.looksAt(lineEnd)) return true;
  endLine(scanner);
  const indent = nextLine(scanner);
  // Without a value: null, at a place that depends on what surrounds it.
  if (indent === undefined || indent <= column) throw new NotPlain();
  return false;
}

/** At the first word of the next line when that stands at the column, else at its start. */
function isAtColumn(scanner: Scanner, column: number): boolean {
  const indent = nextLine(scanner);
  if (indent === undefined) return false;
  if (indent === column && !(column === 0 && scanner.looksAt(mark))) return true;
  scanner.at -= indent;
  return false;
}

const afterQuotedKey = /:(?= |\n|$)/y;

function readMapping(reading: BlockReading, column: number): unknown {
  const { scanner, offsets } = reading;
  const mapping: Record<string, unknown> = {};
  const known = mappingOffsets(scanner.at);
  offsets.set(mapping, known);
  scanner.count();
  scanner.enter();
  do {
    known.keyOffsets.push(scanner.at);
    const key = takeKey(scanner, afterQuotedKey);
    if (key === undefined || Object.hasOwn(mapping, key)) throw new NotPlain();
    known.keys.push(key);
    mapping[key] = readPairValue(reading, column, known.valueOffsets);
  } while (isAtColumn(scanner, column));
  scanner.leave();
  return mapping;
}

function readPairValue(reading: BlockReading, column: number, valueOffsets: number[]): unknown {
  const { scanner } = reading;
  // A list may stand at the column of the key that it belongs to.
  const isBelow = scanner.looksAt(listBelow) && columnOfList(scanner) === column;
  const isInline = !isBelow && toContent(scanner, column);
  if (isBelow) {
    endLine(scanner);
    nextLine(scanner);
  }
  valueOffsets.push(scanner.at);
  if (isBelow) return readSequence(reading, column);
  return isInline ? readValue(reading, column) : readBlock(reading, column);
}

const listBelow = / *(?:(?<= )#[^\n]*)?\n(?: *(?:#[^\n]*)?\n)* *-(?= |\n|$)/y;

/** Of the list that `listBelow` has found. */
function columnOfList({ text }: Scanner): number {
  const end = listBelow.lastIndex - 1;
  return end - text.lastIndexOf('\n', end) - 1;
}

const plain = /[\p{L}0-9_/$(](?:[^\s:#]|:(?=\S)|(?<=\S)#| +(?=[^\s#]))*/uy;

/** A scalar or brackets, to the end of the line that they end on. */
function readValue({ scanner, offsets }: BlockReading, indent: number): unknown {
  const { next } = scanner;
  if (next === '[' || next === '{') {
    const value = readFlow({ scanner, offsets, indent });
    endLine(scanner);
    return value;
  }
  const value = next === '|' || next === '>' ? takeBlock(scanner, indent) : takeLine(scanner);
  scanner.count(value);
  return value;
}

function takeLine(scanner: Scanner): unknown {
  const value = takeQuoted(scanner) ?? takePlain(scanner);
  endLine(scanner);
  return value;
}

function takePlain(scanner: Scanner): unknown {
  const text = scanner.take(plain);
  if (text === undefined) throw new NotPlain();
  return plainValue(text);
}
