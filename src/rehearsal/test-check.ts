/**
 * Promises: the tests of a policy as a check of it: those that fail are errors at their place, like every other (interface section 5).
 */
import type { Problem } from '../policy/problem.ts';
import type { SnapshotCheck } from '../policy/store.ts';
import type { Rehearsal } from './rehearsal.ts';
import { rehearse } from './rehearse.ts';
import { actualWords, expectedWords, oneLine } from './wording.ts';

/** `now` in milliseconds since the epoch; asked once for all tests of a policy. */
export function createTestCheck(now: () => number): SnapshotCheck {
  return async (snapshot) => failedTests(await rehearse(snapshot, now()));
}

export function failedTests(rehearsals: readonly Rehearsal[]): readonly Problem[] {
  return rehearsals.filter(({ passed }) => !passed).map(problemOf);
}

function problemOf(rehearsal: Rehearsal): Problem {
  const { test, why } = rehearsal;
  const message = `test \`${oneLine(test.name)}\` expects ${expectedWords(rehearsal)}, and it is ${actualWords(rehearsal)}`;
  return { severity: 'error', ...test.place, code: 'test_failed', message, hint: why };
}
