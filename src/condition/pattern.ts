/**
 * Promises: `matches()` by RE2's syntax, in time linear in pattern times text, of a bounded program.
 */
import { RE2JS } from '@bufbuild/re2';

/** Instructions that a pattern may compile to; `[a-z]{1,100}` has about 200. */
const maxProgram = 1000;
/** UTF-16 code units of a pattern, so that compiling one is bounded too. */
const maxPatternLength = 1000;

export interface Pattern {
  /** Instructions: the cost of one character of text. */
  readonly size: number;
  test(text: string): boolean;
}

/** The pattern, or what is wrong with it. */
export function compilePattern(source: string): Pattern | string {
  if (source.length > maxPatternLength) return `it is longer than ${maxPatternLength} characters`;
  try {
    const pattern = RE2JS.compile(source);
    const size = pattern.re2().prog.numInst();
    return size > maxProgram
      ? 'it is too large, its repetitions multiply'
      : { size, test: (text) => pattern.test(text) };
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'it cannot be read';
  }
}
