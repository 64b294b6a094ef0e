/**
 * Promises: documents → policy for everybody who is not sure of what they hold: the language of conditions is loaded where one of them
 * has a condition, and only there.
 * Leaves to others: the stages (compile.ts).
 */
import { loadLanguage } from '../condition/language.ts';
import { type Compiled, compile } from './compile.ts';
import type { PolicyDocument } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** `previous` is the policy before: what has not changed is taken from it. Rejects only for a fault of ours. */
export async function compilePolicy(
  documents: readonly PolicyDocument[],
  previous?: PolicySnapshot,
): Promise<Compiled> {
  if (documents.some(hasCondition)) await loadLanguage();
  return compile(documents, previous);
}

function hasCondition({ content }: PolicyDocument): boolean {
  return content.rules?.some(({ require }) => require?.when !== undefined) ?? false;
}
