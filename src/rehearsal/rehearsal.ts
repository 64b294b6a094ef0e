/**
 * Promises: the types of a policy test that was run.
 */
import type { PolicyTest } from '../policy/snapshot.ts';

/** What a request of a test came to. */
export interface Outcome {
  readonly decision: 'allow' | 'deny';
  readonly status: number;
  readonly reason: string;
  readonly rule: string | undefined;
  /** Identity headers that are set, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
}

/** One test that was run. */
export interface Rehearsal {
  readonly test: PolicyTest;
  readonly passed: boolean;
  readonly actual: Outcome;
  /** Why it came to that, in one line. */
  readonly why: string;
}
