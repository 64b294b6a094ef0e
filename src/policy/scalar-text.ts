/**
 * Promises: where each character of a YAML or JSON scalar stands in the text it was written in, for plain, quoted and block scalars.
 * The value is known from the parser; this only lays it beside its source, so it can be wrong about a place and never about a value.
 */

/** Offset in the text of a UTF-16 code unit of the value; that of its end, too. */
export type SourceOffset = (valueOffset: number) => number;

interface Alignment {
  readonly text: string;
  readonly value: string;
  /** By code unit of the value. */
  readonly offsets: number[];
  /** Next character of the text. */
  at: number;
}

/** `start` is where the scalar begins. Undefined when the text there is another spelling than any known of this value, as of an alias. */
export function alignScalar(text: string, start: number, value: string): SourceOffset | undefined {
  const alignment: Alignment = { text, value, offsets: [], at: start };
  const isAligned = alignments[text[start] ?? '']?.(alignment) ?? alignPlain(alignment);
  if (!isAligned) return undefined;
  const { offsets, at } = alignment;
  return (valueOffset) => offsets[valueOffset] ?? at;
}

const alignments: Readonly<Record<string, (alignment: Alignment) => boolean>> = {
  '"': alignDouble,
  "'": alignSingle,
  '|': alignBlock,
  '>': alignBlock,
};

/** White space with line breaks: one break stands for a space, more for one break less. */
const fold = /[ \t]*(\r?\n[ \t]*)+/y;

/** The next match of a sticky pattern; the text is not left behind it. */
function look(pattern: RegExp, { text, at }: Alignment): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Takes `length` characters of the text for `units` code units of the value. */
function take(alignment: Alignment, length: number, units: number): void {
  for (let unit = 0; unit < units; unit += 1) alignment.offsets.push(alignment.at);
  alignment.at += length;
}

function takeFold(alignment: Alignment): boolean {
  const folded = look(fold, alignment);
  if (folded === undefined) return false;
  const breaks = folded.split('\n').length - 1;
  const expected = breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
  if (!alignment.value.startsWith(expected, alignment.offsets.length)) return false;
  take(alignment, folded.length, expected.length);
  return true;
}

function takeSame({ text, value, offsets, at }: Alignment): boolean {
  return text[at] === value[offsets.length];
}

/** Whole: all of the value has its place. */
function isDone({ value, offsets }: Alignment): boolean {
  return offsets.length === value.length;
}

function alignPlain(alignment: Alignment): boolean {
  while (!isDone(alignment)) {
    if (takeFold(alignment)) continue;
    if (!takeSame(alignment)) return false;
    take(alignment, 1, 1);
  }
  return true;
}

function alignSingle(alignment: Alignment): boolean {
  alignment.at += 1;
  while (!isDone(alignment)) {
    if (takeFold(alignment)) continue;
    if (!takeSame(alignment)) return false;
    take(alignment, alignment.text.startsWith("''", alignment.at) ? 2 : 1, 1);
  }
  return true;
}

const escape = /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[^\r\n])/y;
/** An escaped line break stands for nothing. */
const joint = /\\\r?\n[ \t]*/y;

function alignDouble(alignment: Alignment): boolean {
  alignment.at += 1;
  while (!isDone(alignment)) {
    const joined = look(joint, alignment);
    const escaped = look(escape, alignment);
    if (joined !== undefined) take(alignment, joined.length, 0);
    else if (escaped !== undefined) take(alignment, escaped.length, unitsOf(escaped));
    else if (takeFold(alignment)) continue;
    else if (takeSame(alignment)) take(alignment, 1, 1);
    else return false;
  }
  return true;
}

/** `\U` may stand for a pair of surrogates. */
function unitsOf(escaped: string): number {
  return escaped.startsWith('\\U') && Number.parseInt(escaped.slice(2), 16) > 0xffff ? 2 : 1;
}

const blockHeader = /[|>][-+0-9]*[ \t]*(?:#.*)?\r?\n/y;
const lineBreak = /\r?\n/y;

function alignBlock(alignment: Alignment): boolean {
  const header = look(blockHeader, alignment);
  if (header === undefined) return false;
  const isFolded = header.startsWith('>');
  take(alignment, header.length, 0);
  const indent = ' '.repeat(indentOf(alignment));
  while (!isDone(alignment)) {
    const line = alignLine(alignment, indent);
    if (line === undefined) return false;
    if (!isDone(alignment)) alignBreak(alignment, isFolded && line !== '');
  }
  return true;
}

/** The indentation of the block is that of its first line that is not blank, without what the value has of it. */
function indentOf({ text, value, at }: Alignment): number {
  const written = /^(?: *\r?\n)*( *)/.exec(text.slice(at, at + 4096))?.[1] ?? '';
  const kept = /^(?: *\n)*( *)/.exec(value)?.[1] ?? '';
  return Math.max(written.length - kept.length, 0);
}

/** The part of a line that the value has, or undefined when they differ. */
function alignLine(alignment: Alignment, indent: string): string | undefined {
  const { text, value, at, offsets } = alignment;
  const end = text.indexOf('\n', at);
  const written = text.slice(at, end === -1 ? text.length : end).replace(/\r$/, '');
  const line = written.startsWith(indent) ? written.slice(indent.length) : '';
  if (line === '' || !value.startsWith(line, offsets.length)) {
    take(alignment, written.length, 0);
    return written.trim() === '' ? '' : undefined;
  }
  take(alignment, indent.length, 0);
  while (alignment.at < at + written.length) take(alignment, 1, 1);
  return line;
}

/** A line break is kept, or folded to a space, or, beside others, to nothing. */
function alignBreak(alignment: Alignment, mayBeSpace: boolean): void {
  const next = alignment.value[alignment.offsets.length];
  const isKept = next === '\n' || (mayBeSpace && next === ' ');
  take(alignment, look(lineBreak, alignment)?.length ?? 0, isKept ? 1 : 0);
}
