/**
 * Promises: which version of each source is in force, and which ones are refused, followed from settlement to settlement. A source that
 * was not offered can change too: another one may have mended it.
 */
import type { Problem } from '../policy/problem.ts';
import type { OfferResult, RejectedVersion } from '../policy/store.ts';
import type { Member } from './origin.ts';

/** By source; undefined: it is gone. */
export type Changes = ReadonlyMap<string, Member | undefined>;

/** A version that is not in force. */
export interface Refusal {
  /** The version; of a source that is gone, the one that stays. */
  readonly member: Member;
  readonly problems: readonly Problem[];
  /** An older version of the source is still part of the policy. */
  readonly hasActive: boolean;
  /** The source is gone, and what remains without it would be bad. */
  readonly isLeaving: boolean;
}

export interface Moves {
  /** Versions that have become part of the policy. */
  readonly entered: readonly Member[];
  /** Sources that are gone, and their rules with them. */
  readonly left: readonly Member[];
  /** Of the versions that were offered. */
  readonly refusals: readonly Refusal[];
}

export interface Standings {
  /** `rejected` are those of the store after it. */
  settle(changes: Changes, results: ReadonlyMap<string, OfferResult>, rejected: readonly RejectedVersion[]): Moves;
  /** The versions that are in force. */
  active(): readonly Member[];
}

/** `newest` is undefined for a source that is gone. */
interface Standing {
  readonly newest: Member | undefined;
  readonly active: Member | undefined;
}

export function createStandings(): Standings {
  const standings = new Map<string, Standing>();

  const settle: Standings['settle'] = (changes, results, rejected) => {
    for (const [source, newest] of changes) standings.set(source, { active: standings.get(source)?.active, newest });
    const refused = new Map(rejected.map((version) => [version.source, version]));
    const refusals: Refusal[] = [];
    for (const source of results.keys()) {
      const version = refused.get(source);
      const member = standings.get(source)?.newest ?? standings.get(source)?.active;
      if (version !== undefined && member !== undefined) refusals.push({ ...version, member });
    }
    return { ...move((source) => refused.has(source)), refusals };
  };

  function move(isRefused: (source: string) => boolean): Pick<Moves, 'entered' | 'left'> {
    const entered: Member[] = [];
    const left: Member[] = [];
    for (const [source, { newest, active }] of standings) {
      if (isRefused(source)) continue;
      if (newest === undefined) {
        standings.delete(source);
        if (active !== undefined) left.push(active);
      } else if (newest !== active) {
        standings.set(source, { newest, active: newest });
        entered.push(newest);
      }
    }
    return { entered, left };
  }

  return { settle, active: () => [...standings.values()].flatMap(({ active }) => active ?? []) };
}
