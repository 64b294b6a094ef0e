/**
 * Promises: documents → policy for everybody who is not sure of what they hold: the language of conditions is loaded where one of them
 * has a condition, and only there.
 * Leaves to others: the stages (compile.ts).
 */
import { loadLanguage } from '../condition/language.ts';
import { type Compiled, compiling } from './compile.ts';
import type { PolicyDocument } from './document.ts';
import { inOneGo, inSlices, type Pause } from './slices.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** `previous` is the policy before: what has not changed is taken from it. Without `pause` nobody else has a turn. Rejects only for a fault of ours. */
export async function compilePolicy(
  documents: readonly PolicyDocument[],
  previous?: PolicySnapshot,
  pause?: Pause,
): Promise<Compiled> {
  if (documents.some(hasCondition)) await loadLanguage();
  const work = compiling(documents, previous);
  return pause === undefined ? inOneGo(work) : inSlices(work, pause);
}

function hasCondition({ content }: PolicyDocument): boolean {
  return content.rules?.some(({ require }) => require?.when !== undefined) ?? false;
}
