/**
 * Promises: the operands of the outermost `&&` or `||` of a condition, each as a condition of its own, for those who explain a result.
 * They are compiled when they are asked for: a request that is only decided pays nothing for them.
 */
import { compileCondition } from './compile-condition.ts';
import type { Condition } from './condition.ts';
import { scan, type Word } from './scan.ts';

export interface Operand {
  /** As the operator wrote it, with blanks in place of comments. */
  readonly source: string;
  /** Undefined: compiled by itself it is refused, since it fails at every request. */
  readonly condition: Condition | undefined;
}

/** In the order of the text; none of a condition that is no `&&` and no `||`. `source`: of a condition that compiles. */
export function operandsOf(source: string): readonly Operand[] {
  const { words, withoutComments } = scan(source);
  const inner = withoutBrackets(words);
  const outer = outermost(inner);
  // The weakest operator is the one that is evaluated last.
  const operator = ['?', '||', '&&'].find((sign) => outer.some((word) => isMark(word, sign)));
  if (operator === undefined || operator === '?') return [];
  const signs = outer.filter((word) => isMark(word, operator));
  return [...signs, undefined].map((sign, at) => {
    const first = inner.indexOf(signs[at - 1] ?? nothing) + 1;
    const last = sign === undefined ? inner.length : inner.indexOf(sign);
    const text = textOf(inner.slice(first, last), withoutComments);
    return { source: text, condition: compileOperand(text) };
  });
}

/** Matches no word. */
const nothing: Word = { kind: 'mark', text: '', offset: -1 };

/** `true` changes no result, and keeps an operand one: `claims.admin` alone is no condition. Nothing in it binds weaker than `&&`. */
function compileOperand(text: string): Condition | undefined {
  const compiled = compileCondition(`${text} && true`);
  return 'evaluate' in compiled ? compiled : undefined;
}

/** Of `(a && b)` what is inside. */
function withoutBrackets(words: readonly Word[]): readonly Word[] {
  let inner = words;
  while (inner.length > 2 && outermost(inner).length === 2 && inner[0]?.text === '(') inner = inner.slice(1, -1);
  return inner;
}

/** The words outside of brackets, and the outermost brackets themselves. */
function outermost(words: readonly Word[]): readonly Word[] {
  let depth = 0;
  return words.filter(({ kind, text }) => {
    if (kind !== 'mark') return depth === 0;
    if ('([{'.includes(text)) depth += 1;
    else if (')]}'.includes(text)) depth -= 1;
    else return depth === 0;
    return depth === ('([{'.includes(text) ? 1 : 0);
  });
}

function isMark({ kind, text }: Word, sign: string): boolean {
  return kind === 'mark' && text === sign;
}

function textOf(words: readonly Word[], source: string): string {
  const [first] = words;
  const last = words.at(-1);
  return first === undefined || last === undefined ? '' : source.slice(first.offset, last.offset + last.text.length);
}
