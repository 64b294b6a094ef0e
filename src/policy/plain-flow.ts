/**
 * Promises: lists and mappings in brackets, of plain and quoted scalars; JSON is one of them. Whatever else YAML allows between
 * brackets is `NotPlain`.
 */
import { NotPlain, plainValue, type Scanner, takeKey, takeQuoted } from './plain-scalar.ts';
import { mappingOffsets, type NodeOffsets } from './tree.ts';

export type Offsets = Map<object, NodeOffsets>;

export interface FlowReading {
  readonly scanner: Scanner;
  readonly offsets: Offsets;
  /** Of the block around it: further lines are indented more. -1: none. */
  readonly indent: number;
}

/** At a scalar, `[` or `{`. */
export function readFlow(reading: FlowReading): unknown {
  const { scanner } = reading;
  if (scanner.next === '[') return readList(reading);
  if (scanner.next === '{') return readMapping(reading);
  const value = takeQuoted(scanner) ?? takePlain(scanner);
  scanner.count(value);
  return value;
}

/** Ends before a comma, a bracket, a line break or a comment. A colon that could end a key is not read over. */
const plain = /[\p{L}0-9_/$(](?:[^\s,[\]{}:#]|:(?=[^\s,[\]{}])|(?<=\S)#| +(?=[^\s,[\]{}#]))*/uy;

function takePlain(scanner: Scanner): unknown {
  const text = scanner.take(plain);
  if (text === undefined) throw new NotPlain();
  return plainValue(text);
}

const blanks = / */y;

/** White space up to the next word. A comment is no word that is known here. */
function skipBlanks({ scanner, indent }: FlowReading): void {
  scanner.take(blanks);
  while (scanner.next === '\n') {
    scanner.at += 1;
    const start = scanner.at;
    scanner.take(blanks);
    const isText = scanner.next !== '\n' && scanner.next !== '';
    if (isText && scanner.at - start <= indent) throw new NotPlain();
  }
}

/** True: another item follows the comma. */
function takeSeparator(reading: FlowReading, end: ']' | '}'): boolean {
  const { scanner } = reading;
  skipBlanks(reading);
  const mark = scanner.next;
  scanner.at += 1;
  if (mark === end) {
    scanner.leave();
    return false;
  }
  if (mark !== ',') throw new NotPlain();
  skipBlanks(reading);
  return true;
}

function isEmpty(reading: FlowReading, end: ']' | '}'): boolean {
  const { scanner } = reading;
  scanner.enter();
  scanner.at += 1;
  skipBlanks(reading);
  if (scanner.next !== end) return false;
  scanner.leave();
  scanner.at += 1;
  return true;
}

function readList(reading: FlowReading): unknown {
  const { scanner, offsets } = reading;
  const list: unknown[] = [];
  const known: NodeOffsets = { start: scanner.at, keyOffsets: [], valueOffsets: [] };
  offsets.set(list, known);
  scanner.count();
  if (isEmpty(reading, ']')) return list;
  do {
    known.valueOffsets.push(scanner.at);
    list.push(readFlow(reading));
  } while (takeSeparator(reading, ']'));
  return list;
}

/** JSON needs no space after a quoted key. */
const afterQuotedKey = /:/y;

function readMapping(reading: FlowReading): unknown {
  const { scanner, offsets } = reading;
  const mapping: Record<string, unknown> = {};
  const known = mappingOffsets(scanner.at);
  offsets.set(mapping, known);
  scanner.count();
  if (isEmpty(reading, '}')) return mapping;
  do {
    known.keyOffsets.push(scanner.at);
    const key = takeKey(scanner, afterQuotedKey);
    if (key === undefined || Object.hasOwn(mapping, key)) throw new NotPlain();
    known.keys.push(key);
    skipBlanks(reading);
    known.valueOffsets.push(scanner.at);
    mapping[key] = readFlow(reading);
  } while (takeSeparator(reading, '}'));
  return mapping;
}
