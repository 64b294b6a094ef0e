/**
 * Promises: a hint that names a word of the operator's text.
 */
import { suggest } from '../condition/suggestion.ts';
import { quote } from './wording.ts';

/** A hint, when one of the known words is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const meant = suggest(word, [...known]);
  return meant === undefined ? undefined : `did you mean ${quote(meant)}?`;
}
