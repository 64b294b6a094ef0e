/**
 * Promises: counts of a replay in bounded memory, however long and however odd the log.
 */
import type { RecordedDecision } from './record.ts';
import type { Compared, Verdict } from './verdict.ts';

export type VerdictCounts = Record<Verdict, number>;

export interface ShadowCounts {
  /** Decisions that the rule would not have changed. */
  readonly agreed: number;
  /** Refused, and the rule would have allowed. */
  readonly wouldAllow: number;
  /** Allowed, and the rule would have refused. */
  readonly wouldDeny: number;
}

export interface Summary extends Readonly<VerdictCounts> {
  readonly decisions: number;
  /** Decisions by a policy that is not at hand. */
  readonly byOtherPolicy: number;
  /** Lines that are no decisions. */
  readonly otherLines: number;
  /** Lines that are no JSON, or decisions that lack something. */
  readonly brokenLines: number;
  readonly allowToDeny: number;
  readonly denyToAllow: number;
  /** Undecidable in their reason only. */
  readonly deniedEitherWay: number;
  /** By the rule that decided; an empty name: none. */
  readonly rules: ReadonlyMap<string, Readonly<VerdictCounts>>;
  /** What would have to be known, most frequent first. */
  readonly unknown: readonly (readonly [what: string, count: number])[];
  /** By shadow rule of the log. */
  readonly shadow: ReadonlyMap<string, ShadowCounts>;
}

export interface Tally {
  readonly other: () => void;
  readonly broken: () => void;
  readonly byOtherPolicy: () => void;
  readonly decided: (record: RecordedDecision, compared: Compared) => void;
  readonly summary: () => Summary;
}

/** Names come from the log, which may be anything; what comes after these is counted together. */
const maxNames = 10_000;
const otherNames = '(others)';

export function createTally(): Tally {
  const counts = {
    otherLines: 0,
    brokenLines: 0,
    decisions: 0,
    byOtherPolicy: 0,
    allowToDeny: 0,
    denyToAllow: 0,
    deniedEitherWay: 0,
  };
  const totals: VerdictCounts = { same: 0, changed: 0, undecidable: 0 };
  const rules = new Map<string, VerdictCounts>();
  const unknown = new Map<string, { count: number }>();
  const shadow = new Map<string, { agreed: number; wouldAllow: number; wouldDeny: number }>();

  function decided(record: RecordedDecision, compared: Compared): void {
    const { verdict, unknown: lacks } = compared;
    counts.decisions += 1;
    totals[verdict] += 1;
    entry(rules, record.rule ?? '', () => ({ same: 0, changed: 0, undecidable: 0 }))[verdict] += 1;
    const direction = directionOf(record, compared);
    if (direction !== undefined) counts[direction] += 1;
    for (const what of lacks) entry(unknown, what, () => ({ count: 0 })).count += 1;
    for (const { rule, decision } of record.shadow) {
      const shadowCounts = entry(shadow, rule, () => ({ agreed: 0, wouldAllow: 0, wouldDeny: 0 }));
      const kind = decision === record.decision ? 'agreed' : decision === 'allow' ? 'wouldAllow' : 'wouldDeny';
      shadowCounts[kind] += 1;
    }
  }

  return {
    other: () => {
      counts.otherLines += 1;
    },
    broken: () => {
      counts.brokenLines += 1;
    },
    byOtherPolicy: () => {
      counts.byOtherPolicy += 1;
    },
    decided,
    summary: () => ({
      ...counts,
      ...totals,
      rules,
      unknown: [...unknown].map(([what, { count }]) => [what, count] as const).toSorted(([, a], [, b]) => b - a),
      shadow,
    }),
  };
}

function directionOf(
  record: RecordedDecision,
  { verdict, now }: Compared,
): 'allowToDeny' | 'denyToAllow' | 'deniedEitherWay' | undefined {
  if (verdict === 'undecidable') return now.decision === 'deny' ? 'deniedEitherWay' : undefined;
  if (now.decision === record.decision) return undefined;
  return now.decision === 'allow' ? 'denyToAllow' : 'allowToDeny';
}

function entry<Value>(map: Map<string, Value>, name: string, create: () => Value): Value {
  const key = map.has(name) || map.size < maxNames ? name : otherNames;
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}
