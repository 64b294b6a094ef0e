/**
 * Promises: one recorded decision against the candidate. `same` only where every way in which the candidate may decide is the recorded one;
 * `changed` only where none is and the decision is certain; anything else is undecidable.
 */
import type { Outlook } from './outlook.ts';
import type { RecordedDecision } from './record.ts';

export type Verdict = 'same' | 'changed' | 'undecidable';

export interface Compared {
  readonly verdict: Verdict;
  readonly now: CandidateDecision;
  /** What would have to be known; empty when it is decided. */
  readonly unknown: readonly string[];
}

export interface CandidateDecision {
  /** Undefined: it cannot be told. */
  readonly decision: 'allow' | 'deny' | undefined;
  /** One, or those that it may be, sorted; empty: it may be any. */
  readonly reasons: readonly string[];
  readonly rule: string | undefined;
}

export function compare(record: RecordedDecision, { rule, reasons, unknown }: Outlook): Compared {
  const possible = [...(reasons ?? [])].toSorted();
  const decisions = new Set(possible.map(decisionOf));
  const [first] = decisions;
  const decision = decisions.size === 1 ? first : undefined;
  const now: CandidateDecision = { decision, reasons: possible, rule };
  if (decision === undefined) return { verdict: 'undecidable', now, unknown };
  const isPossible = rule === record.rule && possible.includes(record.reason);
  if (!isPossible) return { verdict: 'changed', now, unknown: [] };
  return possible.length === 1 ? { verdict: 'same', now, unknown: [] } : { verdict: 'undecidable', now, unknown };
}

function decisionOf(reason: string): 'allow' | 'deny' {
  return reason === 'allowed' || reason === 'allowed_public' ? 'allow' : 'deny';
}
