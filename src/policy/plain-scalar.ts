/**
 * Promises: the scalars that policies are mostly written with, read in one step each: plain and quoted ones on one line, blocks of lines
 * of one indentation. What is spelled in any other way is `NotPlain`, and left to yaml.ts.
 */

/** The text is not of the plain kind; nothing is known about it. */
export class NotPlain extends Error {}

/** Below the limits of yaml.ts, which says what is too much. */
const maxDepth = 50;

/**
 * Largest document with all aliases expanded: a node counts one, and so do eight characters of text; 16 MB of text at most. The largest
 * policies that make sense have a tenth of it.
 */
export const maxSize = 2_000_000;

/** Of a value that is no mapping and no list, beyond the node itself. */
export function sizeOf(value: unknown): number {
  return typeof value === 'string' ? Math.floor(value.length / 8) : 0;
}

export class Scanner {
  readonly text: string;
  /** Next character. */
  at: number;
  /** Collections around the present place. */
  #depth = 0;
  /** So far, of all documents; see maxSize. */
  #size = 0;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  /** The match of a sticky pattern, which is taken. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return undefined;
    const taken = this.text.slice(this.at, pattern.lastIndex);
    this.at = pattern.lastIndex;
    return taken;
  }

  looksAt(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new NotPlain();
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** A node, and its value when it is a scalar. */
  count(value?: unknown): void {
    this.#size += 1 + sizeOf(value);
    if (this.#size > maxSize) throw new NotPlain();
  }

  get next(): string {
    return this.text[this.at] ?? '';
  }
}

/** Shorter than the 1024 characters after which YAML no longer takes a text for a key. */
const plainKey = /[A-Za-z_$/][A-Za-z0-9_.$/-]{0,200}(?=:(?: |\n|$))/y;
// One repetition for each escape and not for each character: what a pattern remembers of a long text has a limit.
const singleQuoted = /'[^'\n]*(?:''[^'\n]*)*'/y;
const doubleQuoted = /"[^"\\\n]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\n]*)*"/y;

/** The key that a pair starts with, its `:` taken; undefined when none does. A quoted one is followed by `afterQuoted`. */
export function takeKey(scanner: Scanner, afterQuoted: RegExp): string | undefined {
  const start = scanner.at;
  const key = scanner.take(plainKey) ?? takeQuoted(scanner);
  if (key === undefined) return undefined;
  if (scanner.at - start > 1000 || key === '__proto__') throw new NotPlain();
  if (scanner.text[start] === '"' || scanner.text[start] === "'") {
    if (scanner.looksAt(afterQuoted)) scanner.at += 1;
    else scanner.at = start;
    return scanner.at === start ? undefined : key;
  }
  scanner.at += 1;
  return key;
}

export function takeQuoted(scanner: Scanner): string | undefined {
  const quote = scanner.next;
  if (quote !== '"' && quote !== "'") return undefined;
  const quoted = scanner.take(quote === '"' ? doubleQuoted : singleQuoted);
  if (quoted === undefined) throw new NotPlain();
  const text = quote === '"' ? unescape(quoted) : quoted.slice(1, -1).replaceAll("''", "'");
  // Half of a pair of surrogates, by an escape.
  if (!text.isWellFormed()) throw new NotPlain();
  return text;
}

/** The escapes that the pattern lets through mean the same in JSON. */
function unescape(quoted: string): string {
  return quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

const words: ReadonlyMap<string, null | boolean> = new Map<string, null | boolean>([
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);

/** What a plain scalar of the core schema stands for (YAML 1.2.2 section 10.3.2). `text` has no space at its end. */
export function plainValue(text: string): unknown {
  const isNumeric = /^[0-9]/.test(text) && !/[^0-9A-Fa-fxo.+-]/.test(text);
  if (!isNumeric) {
    const word = words.get(text);
    return word === undefined ? text : word;
  }
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new NotPlain();
}

const blockHeader = /[|>]-?\n/y;
const blockLine = /( *)([^\n]*)\n/y;

/** A block of lines that are indented further than `indent`, all alike; `at` is then behind it. */
export function takeBlock(scanner: Scanner, indent: number): string {
  const header = scanner.take(blockHeader);
  // A block that is the whole document may have marks of documents in it.
  if (header === undefined || indent < 0) throw new NotPlain();
  const lines = takeLines(scanner, indent);
  const isFolded = header.startsWith('>');
  if (lines.length === 0 || (isFolded && lines.some((line) => !/^[^ ](?:.*[^ ])?$/.test(line)))) throw new NotPlain();
  return lines.join(isFolded ? ' ' : '\n') + (header.includes('-') ? '' : '\n');
}

function takeLines(scanner: Scanner, parentIndent: number): readonly string[] {
  const lines: string[] = [];
  let indent = 0;
  let end = scanner.at;
  for (let line = readLine(scanner); line !== undefined; line = readLine(scanner)) {
    if (line.content === '') {
      // White space alone may or may not be part of the text.
      if (line.spaces > 0 || lines.length === 0) throw new NotPlain();
    } else {
      if (lines.length === 0) indent = line.spaces;
      if (line.spaces < indent || line.spaces <= parentIndent) break;
      end = scanner.at;
    }
    lines.push(' '.repeat(Math.max(line.spaces - indent, 0)) + line.content);
  }
  // Not the blank lines at the end, and not the line that ended it.
  scanner.at = end;
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
}

/** Undefined at the end; a last line without a break is spelled in a way of its own. */
function readLine(scanner: Scanner): { readonly spaces: number; readonly content: string } | undefined {
  if (scanner.at === scanner.text.length) return undefined;
  blockLine.lastIndex = scanner.at;
  const [line = '', spaces = '', content = ''] = blockLine.exec(scanner.text) ?? [];
  if (line === '') throw new NotPlain();
  scanner.at += line.length;
  return { spaces: spaces.length, content };
}
