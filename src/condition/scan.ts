/**
 * Promises: the words of a condition with their places, and where the first thing stands that is no word of the language. Linear in
 * the length of the text.
 * Leaves to others: what the words mean together (the library's parser, diagnose.ts when that one refuses).
 */
import type { ConditionProblem } from './condition.ts';

export interface Word {
  /** `literal`: a number or a string; `name`: also a keyword; `mark`: operators and brackets. */
  readonly kind: 'literal' | 'name' | 'mark';
  readonly text: string;
  readonly offset: number;
}

export interface Scan {
  /** Up to the fault, if there is one. */
  readonly words: readonly Word[];
  readonly fault: ConditionProblem | undefined;
  /** The text with blanks in place of comments, at the same places: the library's parser stumbles over two of them in a row. */
  readonly withoutComments: string;
}

type Shape = Word['kind'] | 'blank' | 'comment';

/** The first that fits at a place is what stands there. */
const shapes: readonly (readonly [Shape, RegExp])[] = [
  ['blank', /[\t\n\f\r ]+/y],
  ['comment', /\/\/[^\n]*/y],
  ['literal', /(?:[rR][bB]?|[bB][rR])(?:"""[^]*?"""|'''[^]*?'''|"(?!"")[^"\r\n]*"|'(?!'')[^'\r\n]*')/y],
  ['literal', /[bB]?(?:"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?''')/y],
  ['literal', /[bB]?(?:"(?!"")(?:\\.|[^"\\\r\n])*"|'(?!'')(?:\\.|[^'\\\r\n])*')/y],
  ['literal', /0[xX][0-9a-fA-F]+[uU]?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+|[uU])?/y],
  ['name', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['mark', /&&|\|\||[=!<>]=|[-+*/%<>!?:.,()[\]{}]/y],
];

export function scan(source: string): Scan {
  const words: Word[] = [];
  const kept: string[] = [];
  for (let offset = 0; offset < source.length; ) {
    const found = readAt(source, offset);
    if (found === undefined) {
      return { words, fault: faultAt(source, offset), withoutComments: kept.join('') + source.slice(offset) };
    }
    const { shape, text } = found;
    if (shape !== 'blank' && shape !== 'comment') words.push({ kind: shape, text, offset });
    kept.push(shape === 'comment' ? ' '.repeat(text.length) : text);
    offset += text.length;
  }
  return { words, fault: undefined, withoutComments: kept.join('') };
}

function readAt(source: string, at: number): { readonly shape: Shape; readonly text: string } | undefined {
  for (const [shape, expression] of shapes) {
    expression.lastIndex = at;
    const text = expression.exec(source)?.[0];
    if (text !== undefined) return { shape, text };
  }
  return undefined;
}

const instead: Readonly<Record<string, string>> = {
  '=': 'write `==` to compare',
  '&': 'write `&&`',
  '|': 'write `||`',
  '`': 'write `map["name"]` for a member with such a name',
  '“': 'write plain quotes',
  '”': 'write plain quotes',
  '‘': 'write plain quotes',
  '’': 'write plain quotes',
};

function faultAt(source: string, offset: number): ConditionProblem {
  const character = String.fromCodePoint(source.codePointAt(offset) ?? 0);
  if (character === '"' || character === "'") return { offset, message: 'this string has no end on its line' };
  const hint = Object.hasOwn(instead, character) ? instead[character] : undefined;
  const message = `${JSON.stringify(character)} means nothing here`;
  return hint === undefined ? { offset, message } : { offset, message, hint };
}
