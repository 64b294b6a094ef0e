/**
 * Promises: a text that is too large is refused by its words, before the library's parser spends a fraction of a second on it.
 * Leaves to others: the exact count of nodes, which is known after parsing only (compile-condition.ts).
 */
import type { ConditionProblem } from './condition.ts';
import type { Word } from './scan.ts';

/** Nodes of the parsed expression, those that a macro expands to included. */
export const maxNodes = 2000;
/** `f(a, b)` has two words for a node: what has more than four is full of brackets that do nothing. */
const maxWords = 8000;

/** Of these comes no node, or not always one: `-1` is one node, and `!!a` is no more than `a`. */
const nodeless: ReadonlySet<string> = new Set(['(', ')', ']', '}', ',', ':', '.', '-', '!']);

export function tooLarge(words: readonly Word[]): ConditionProblem | undefined {
  if (leastNodes(words) > maxNodes) return { offset: 0, message: `more than ${maxNodes} nodes` };
  return words.length > maxWords ? { offset: 0, message: `more than ${maxWords} words` } : undefined;
}

/** No text that may be a condition parses to fewer. */
export function leastNodes(words: readonly Word[]): number {
  return words.filter(({ kind, text }) => kind !== 'mark' || !nodeless.has(text)).length;
}
