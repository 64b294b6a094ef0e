/**
 * Promises: `request.headers.x-region`, which CEL reads as a subtraction, is told as what was meant, in place of what is wrong with
 * the subtraction. A header is a string, so that nothing can be subtracted from it and this is a mistake always.
 */
import type { ConditionProblem } from './condition.ts';
import type { Word } from './scan.ts';

/** Of one name, so that a text full of them is read in linear time. */
const maxWords = 50;
const prefix: readonly string[] = ['request', '.', 'headers', '.'];

interface Dashed {
  /** Of the header's name. */
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** The problems of a text that has some. */
export function nameDashedHeaders(
  problems: readonly ConditionProblem[],
  words: readonly Word[],
): readonly ConditionProblem[] {
  const dashed = words.flatMap((_, at) => dashedAt(words, at) ?? []);
  const others = problems.filter(({ offset }) => !dashed.some(({ start, end }) => offset >= start && offset < end));
  return [...others, ...dashed.map(problemOf)].toSorted((a, b) => a.offset - b.offset);
}

function dashedAt(words: readonly Word[], at: number): Dashed | undefined {
  const first = words[at + prefix.length];
  if (first === undefined || !prefix.every((text, step) => words[at + step]?.text === text)) return undefined;
  let end = first.offset;
  let name = '';
  for (const { kind, text, offset } of words.slice(at + prefix.length, at + prefix.length + maxWords)) {
    // Without a blank between them, as in no subtraction that is meant.
    if (offset !== end || (text !== '-' && kind === 'mark')) break;
    name += text;
    end += text.length;
  }
  return /^[\w-]*\w-\w[\w-]*$/.test(name) ? { start: first.offset, end, name } : undefined;
}

function problemOf({ start, name }: Dashed): ConditionProblem {
  const hint = `write \`request.headers["${name.toLowerCase()}"]\``;
  return { offset: start, message: 'a name with `-` cannot stand after a dot', hint };
}
