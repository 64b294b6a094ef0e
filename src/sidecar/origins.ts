/**
 * Promises: the sources that there should be now, from the newest states of all origins (what each `--policy` names). Level-based: it is
 * the same whatever came before and in whichever order.
 */
import type { Member, OriginState } from './origin.ts';

/** Why an origin that has not spoken yet cannot be read. */
export const silence = 'it has not answered yet';

export interface Origins {
  take(origin: string, state: OriginState): void;
  /** Every origin has said something, or is not waited for any longer. */
  isComplete(): boolean;
  /** Gives those that were waited for until now. */
  waitNoLonger(): readonly string[];
  /**
   * By source. One that is selected twice is there once, as the first origin in order has it. An origin that has not been well yet stands
   * with what was saved of it.
   */
  wanted(): ReadonlyMap<string, Member>;
  /** What the origin holds by its newest good state. */
  membersOf(origin: string): readonly Member[];
  /** Origins that cannot be read, each with the reason. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** `saved`: what was in force before the start. */
export function createOrigins(names: readonly string[], saved: readonly Member[]): Origins {
  const awaited = new Set(names);
  const unreadable = new Map<string, string>();
  const members = new Map<string, readonly Member[]>();

  function take(origin: string, state: OriginState): void {
    awaited.delete(origin);
    if (state.kind === 'content') {
      unreadable.delete(origin);
      members.set(origin, state.members);
    } else {
      unreadable.set(origin, state.reason);
    }
  }

  function waitNoLonger(): readonly string[] {
    const silent = [...awaited];
    for (const origin of silent) unreadable.set(origin, silence);
    awaited.clear();
    return silent;
  }

  function membersOf(origin: string): readonly Member[] {
    return members.get(origin) ?? saved.filter((member) => member.origin === origin);
  }

  function wanted(): ReadonlyMap<string, Member> {
    const sources = new Map<string, Member>();
    for (const member of names.flatMap(membersOf)) {
      const other = sources.get(member.source);
      // What is there now counts more than what was.
      if (other === undefined || (other.savedMs !== undefined && member.savedMs === undefined))
        sources.set(member.source, member);
    }
    return sources;
  }

  return { take, isComplete: () => awaited.size === 0, waitNoLonger, wanted, membersOf, unreadable };
}
