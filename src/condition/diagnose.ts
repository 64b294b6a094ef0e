/**
 * Promises: for a text that the library's parser refuses, where the mistake is and what is wrong, in the operator's words.
 * It need not find every mistake: the caller falls back on the place that the parser names.
 */
import type { ConditionProblem } from './condition.ts';
import type { Word } from './scan.ts';

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

const reserved = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** Operators that other languages write as words. */
const inWords: ReadonlyMap<string, string> = new Map([
  ['and', 'write `&&`'],
  ['or', 'write `||`'],
  ['not', 'write `!(… in …)`'],
]);

/** Most brackets inside each other, so that no parser runs out of stack. */
const maxDepth = 100;

/** A place where brackets are nested too deeply. */
export function tooDeep(words: readonly Word[]): ConditionProblem | undefined {
  let depth = 0;
  for (const { kind, text, offset } of words) {
    if (kind !== 'mark') continue;
    if (Object.hasOwn(closers, text)) depth += 1;
    else if (Object.values(closers).includes(text)) depth -= 1;
    if (depth > maxDepth) return { offset, message: `brackets are nested deeper than ${maxDepth}` };
  }
  return undefined;
}

/** `isWhole`: the words go to the end of the text; else what is left open is no mistake yet. */
export function diagnose(words: readonly Word[], end: number, isWhole: boolean): ConditionProblem | undefined {
  const reading = new Reading();
  for (const word of words) {
    const problem = reading.read(word);
    if (problem !== undefined) return problem;
  }
  return isWhole ? reading.finish(end) : undefined;
}

/** Follows the turns of operands and operators, and the brackets. */
class Reading {
  readonly #open: Word[] = [];
  #isOperandNext = true;
  #last: Word | undefined;

  read(word: Word): ConditionProblem | undefined {
    const problem = this.#lastIs('.') ? this.#readMember(word) : this.#readTurn(word);
    this.#last = word;
    return problem;
  }

  finish(end: number): ConditionProblem | undefined {
    const open = this.#open.at(-1);
    if (open !== undefined) return { offset: open.offset, message: `\`${open.text}\` is never closed` };
    if (this.#last === undefined) return { offset: 0, message: 'the condition is empty' };
    if (this.#lastIs('.')) return { offset: end, message: 'a member name is missing after `.`' };
    return this.#isOperandNext ? { offset: end, message: 'something is missing at the end' } : undefined;
  }

  #readMember(word: Word): ConditionProblem | undefined {
    this.#isOperandNext = false;
    return word.kind === 'name' ? undefined : { offset: word.offset, message: 'a member name is missing after `.`' };
  }

  #readTurn(word: Word): ConditionProblem | undefined {
    if (word.kind === 'literal' || (word.kind === 'name' && word.text !== 'in')) return this.#readOperand(word);
    if (Object.hasOwn(closers, word.text)) return this.#readOpener(word);
    if (Object.values(closers).includes(word.text)) return this.#readCloser(word);
    return this.#readOperator(word);
  }

  #readOperand({ kind, text, offset }: Word): ConditionProblem | undefined {
    if (!this.#isOperandNext) return this.#missingOperator({ kind, text, offset });
    this.#isOperandNext = false;
    const isReserved = kind === 'name' && reserved.has(text);
    return isReserved ? { offset, message: `\`${text}\` is a reserved word` } : undefined;
  }

  /** `and` and its like are names to CEL. */
  #missingOperator({ text, offset }: Word): ConditionProblem {
    const last = this.#last;
    if (last?.kind === 'name' && last.text.toLowerCase() === 'not') {
      return { offset: last.offset, message: `\`${last.text}\` is no operator here`, hint: 'write `!`' };
    }
    const hint = inWords.get(text.toLowerCase());
    const message = `an operator is missing before ${shown(text)}`;
    if (hint === undefined) return { offset, message };
    return { offset, message: `${shown(text)} is no operator here`, hint };
  }

  #readOpener(word: Word): ConditionProblem | undefined {
    const isCallOrIndex = word.text !== '(' || this.#last?.kind === 'name';
    if (!this.#isOperandNext && !isCallOrIndex) {
      return { offset: word.offset, message: 'an operator is missing before `(`' };
    }
    this.#open.push(word);
    this.#isOperandNext = true;
    return undefined;
  }

  #readCloser({ text, offset }: Word): ConditionProblem | undefined {
    const open = this.#open.pop();
    if (open === undefined) return { offset, message: `\`${text}\` closes nothing` };
    const fit = closers[open.text] ?? '';
    if (fit !== text) return { offset, message: `\`${open.text}\` is closed by \`${text}\`, not by \`${fit}\`` };
    const mayEnd = !this.#isOperandNext || this.#last === open || this.#lastIs(',');
    this.#isOperandNext = false;
    return mayEnd ? undefined : { offset, message: `something is missing before \`${text}\`` };
  }

  #readOperator({ text, offset }: Word): ConditionProblem | undefined {
    const isPrefix = text === '!' || text === '-' || text === '.';
    if (this.#isOperandNext && !isPrefix) return { offset, message: `something is missing before \`${text}\`` };
    if (!this.#isOperandNext && text === '!') return { offset, message: 'an operator is missing before `!`' };
    if (text === ',' && this.#open.length === 0) return { offset, message: '`,` stands outside of brackets' };
    this.#isOperandNext = true;
    return undefined;
  }

  #lastIs(text: string): boolean {
    return this.#last?.kind === 'mark' && this.#last.text === text;
  }
}

function shown(text: string): string {
  return `\`${text.length > 20 ? `${text.slice(0, 20)}…` : text}\``;
}
