/**
 * Promises: a text of YAML 1.2 or JSON as trees, one for each document that is not empty, and a problem for everything in it that is
 * not plain data: tags, merge keys, cycles, keys given twice, expansion beyond a limit.
 * Leaves to others: what the data means (schema.ts).
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { maxSize, sizeOf } from './plain-scalar.ts';
import { readPlainYaml } from './plain-yaml.ts';
import type { Problem } from './problem.ts';
import { createPlaces } from './text-places.ts';
import { createTree, mappingOffsets, type NodeOffsets, type ToPlace, type Tree, type TreeSource } from './tree.ts';
import { type SyntaxMistake, wordMistakes } from './yaml-mistake.ts';

/** Deepest nesting; the schema itself needs less than ten levels, claims of tests may bring some more. */
const maxDepth = 64;

export interface YamlText {
  /** `undefined` stands for a document that could not be read. */
  readonly trees: readonly (Tree | undefined)[];
  readonly problems: readonly Problem[];
}

/** `toPlace` is given for a text that is a part of a larger one. */
export function readYaml(file: string, text: string, toPlace: ToPlace = createPlaces(text)): YamlText {
  const plain = readPlainYaml(text);
  if (plain === undefined || plain.length === 0) return readAnyYaml(file, { text, toPlace });
  const trees = plain.map(({ value, start, offsets }) => createTree(value, start, offsets, { text, toPlace }));
  return { trees, problems: [] };
}

/** By the library: all that YAML can be, at a cost. */
export function readAnyYaml(file: string, { text, toPlace }: TreeSource): YamlText {
  const trees: (Tree | undefined)[] = [];
  const problems: Problem[] = [];
  const report: ReportAt = (offset, code, message) => {
    problems.push({ severity: 'error', file, ...toPlace(offset), code, message });
  };
  for (const document of parseText(text)) {
    const broken = [...document.errors, ...document.warnings];
    for (const { offset, message } of wordMistakes(text, broken)) report(offset, 'yaml', message);
    if (broken.length > 0) trees.push(undefined);
    else if (!isEmpty(document.contents)) trees.push(readTree(document.contents, { text, toPlace }, report));
  }
  if (trees.length === 0) report(0, 'no_document', 'the text holds no document');
  return { trees, problems };
}

type ReportAt = (offset: number, code: string, message: string) => void;

/** The part of a parsed document that is used here. */
interface ParsedDocument {
  readonly contents: ParsedNode | null;
  readonly errors: readonly SyntaxMistake[];
  readonly warnings: readonly SyntaxMistake[];
}

function parseText(text: string): readonly ParsedDocument[] {
  try {
    const parsed = parseAllDocuments(text, {
      prettyErrors: false,
      logLevel: 'silent',
      strict: true,
      // The schema is named, so that a `%YAML 1.1` directive cannot turn `yes` into true or bring merge keys.
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      // Keys given twice are found by readTree, in linear time.
      uniqueKeys: false,
    });
    return Array.isArray(parsed) ? parsed : [];
  } catch (thrown) {
    // The parser recurses; what overflows its stack is a mistake in the text and not of ours.
    if (!(thrown instanceof RangeError)) throw thrown;
    return [{ contents: null, errors: [{ code: 'RESOURCE_EXHAUSTION', pos: [0, 0], message: '' }], warnings: [] }];
  }
}

/** Nothing between two document marks; an explicit `null` is not empty. */
function isEmpty(contents: ParsedNode | null): boolean {
  return contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
}

interface Reading {
  readonly report: ReportAt;
  readonly text: string;
  readonly offsets: Map<object, NodeOffsets>;
  /** What an anchor stands for, set when its node is complete: an alias inside it is a cycle and finds nothing. */
  readonly anchors: Map<string, { readonly value: unknown; readonly size: number }>;
  /** So far, aliases expanded; see maxSize. */
  size: number;
  isBroken: boolean;
}

function readTree(contents: ParsedNode | null, source: TreeSource, report: ReportAt): Tree | undefined {
  const reading: Reading = {
    report,
    text: source.text,
    offsets: new Map(),
    anchors: new Map(),
    size: 0,
    isBroken: false,
  };
  const value = readNode(reading, contents, 0);
  if (reading.isBroken) return undefined;
  return createTree(value, startOf(contents, 0), reading.offsets, source);
}

function fail(reading: Reading, offset: number, code: string, message: string): undefined {
  // One problem for a document that is too large: every further node would repeat it.
  if (!reading.isBroken) reading.report(offset, code, message);
  reading.isBroken = true;
}

function readNode(reading: Reading, node: ParsedNode | null, depth: number, fallback = 0): unknown {
  const before = reading.size;
  reading.size += 1;
  const offset = startOf(node, fallback);
  if (reading.isBroken || node === null) return null;
  if (depth > maxDepth) return fail(reading, offset, 'yaml', 'the document is nested too deeply');
  if (isAlias(node)) return readAlias(reading, node.source, offset);
  const value = isMap(node)
    ? readMapping(reading, node, depth)
    : isSeq(node)
      ? readList(reading, node, depth)
      : readScalar(reading, node, offset);
  if (reading.size > maxSize) return fail(reading, offset, 'yaml', 'the document is too large');
  if (node.anchor !== undefined) reading.anchors.set(node.anchor, { value, size: reading.size - before });
  return value;
}

function readAlias(reading: Reading, name: string, offset: number): unknown {
  const anchor = reading.anchors.get(name);
  if (anchor === undefined) return fail(reading, offset, 'yaml', 'the alias names no anchor before it');
  reading.size += anchor.size;
  if (reading.size > maxSize) return fail(reading, offset, 'yaml', 'the document is too large');
  return anchor.value;
}

function readScalar(reading: Reading, node: Scalar.Parsed, offset: number): unknown {
  const { value } = node;
  if (node.type === 'PLAIN' && isBehindComment(reading.text, node.range)) {
    return fail(reading, offset, 'yaml', 'a text of several lines behind a comment needs quotes');
  }
  reading.size += sizeOf(value);
  if (typeof value === 'string' && !value.isWellFormed()) {
    reading.report(offset, 'wrong_value', 'expected text without lone surrogates');
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    reading.report(offset, 'wrong_value', 'expected a finite number');
  }
  return value;
}

/**
 * Of a plain scalar: it has several lines, and starts on a line of its own behind one that is only a comment. The library takes the
 * column of such a comment for the indentation, so that lines that belong to no scalar end up in this one.
 */
function isBehindComment(text: string, [start, end]: Scalar.Parsed['range']): boolean {
  if (!text.slice(start, end).includes('\n')) return false;
  for (let lineEnd = start; ; ) {
    const lineStart = lineEnd === 0 ? 0 : text.lastIndexOf('\n', lineEnd - 1) + 1;
    const line = text.slice(lineStart, lineEnd);
    if (/^\s*#/.test(line)) return true;
    if (lineStart === 0 || !onlyProperties.test(line)) return false;
    lineEnd = lineStart - 1;
  }
}

/** Nothing but white space, anchors and tags. */
const onlyProperties = /^(?:\s|[&!]\S*(?!\S))*$/;

function readMapping(reading: Reading, node: YAMLMap.Parsed, depth: number): unknown {
  const mapping: Record<string, unknown> = {};
  const offsets = mappingOffsets(startOf(node));
  for (const { key: keyNode, value: valueNode } of node.items) {
    const keyOffset = startOf(keyNode);
    // An alias as a key is refused: `*name: x` gives no text to look up or to show.
    const key = isScalar(keyNode) ? String(keyNode.value) : '*';
    const value = readNode(reading, valueNode, depth + 1, keyOffset);
    const refusal = isScalar(keyNode) ? refuseKey(key, mapping) : aliasKey;
    if (refusal !== undefined) {
      reading.report(keyOffset, refusal.code, refusal.message);
      continue;
    }
    mapping[key] = value;
    offsets.keys.push(key);
    offsets.keyOffsets.push(keyOffset);
    offsets.valueOffsets.push(startOf(valueNode, keyOffset));
  }
  reading.offsets.set(mapping, offsets);
  return mapping;
}

const aliasKey = { code: 'yaml', message: 'expected a key that is plain text' };

function refuseKey(key: string, mapping: object): { code: string; message: string } | undefined {
  // Assigning this member would exchange the prototype of the mapping instead of adding to it.
  if (key === '__proto__') return { code: 'unknown_field', message: '`__proto__` is never a key' };
  if (!key.isWellFormed()) return { code: 'wrong_value', message: 'expected a key without lone surrogates' };
  if (Object.hasOwn(mapping, key)) return { code: 'duplicate_key', message: 'the key is given twice in one mapping' };
  return undefined;
}

function readList(reading: Reading, node: YAMLSeq.Parsed, depth: number): unknown {
  const list: unknown[] = [];
  const valueOffsets: number[] = [];
  for (const item of node.items) {
    list.push(readNode(reading, item, depth + 1, startOf(node)));
    valueOffsets.push(startOf(item, startOf(node)));
  }
  reading.offsets.set(list, { start: startOf(node), keyOffsets: [], valueOffsets });
  return list;
}

/** `fallback` is for what has no text of its own, such as the value of `{ key }`. */
function startOf(node: ParsedNode | null, fallback = 0): number {
  return node?.range?.[0] ?? fallback;
}
