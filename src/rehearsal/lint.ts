/**
 * Promises: all that can be said of policy files before they are applied: the problems of each, of all together, and of their own tests.
 * The files make one policy, as the sources of `serve` do.
 * Leaves to others: reading them, and showing what was found (report/).
 */
import type { Trial } from '../policy/compile.ts';
import { compilePolicy } from '../policy/compile-policy.ts';
import type { PolicyFile } from '../policy/document.ts';
import { readPolicyFile } from '../policy/manifest.ts';
import { byPlace, type Problem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Rehearsal } from './rehearsal.ts';
import { rehearse } from './rehearse.ts';

export interface LintResult {
  /** Sorted by place; failed tests are not among them. */
  readonly problems: readonly Problem[];
  /** Undefined exactly when a problem is an error. */
  readonly snapshot: PolicySnapshot | undefined;
  /** The policy's tests; empty when it is bad. */
  readonly rehearsals: readonly Rehearsal[];
  /** Tests of a bad policy that fail whatever its errors are about. */
  readonly failing: readonly Rehearsal[];
}

/** `nowMs`, in milliseconds since the epoch, is the instant of the tests. */
export async function lint(files: readonly PolicyFile[], nowMs: number): Promise<LintResult> {
  const parsed = files.map(readPolicyFile);
  const compiled = await compilePolicy(parsed.flatMap(({ documents }) => documents));
  const problems = [...parsed.flatMap((file) => file.problems), ...compiled.problems].toSorted(byPlace);
  const isGood = !problems.some(({ severity }) => severity === 'error');
  if (isGood && compiled.snapshot !== undefined) {
    return { problems, snapshot: compiled.snapshot, rehearsals: await rehearse(compiled.snapshot, nowMs), failing: [] };
  }
  return { problems, snapshot: undefined, rehearsals: [], failing: await failingAnyway(compiled.trial, nowMs) };
}

async function failingAnyway(trial: Trial | undefined, nowMs: number): Promise<readonly Rehearsal[]> {
  if (trial === undefined) return [];
  const rehearsals = await rehearse(trial.snapshot, nowMs);
  return rehearsals.filter(({ passed, actual }) => !passed && !trial.touched.has(actual.rule ?? ''));
}
