/**
 * Promises: the policy store fed from its origins, told to whoever needs to know. At start every origin has spoken once before any source
 * is offered, in their order, so that what is active does not depend on who was read first (interface section 9); `waitNoLonger` ends
 * that. An origin that cannot be read keeps its last good versions, at start those that were saved. Of what changes while the tests of a
 * policy run nothing is lost: the store settles it afterwards, in the order in which it came.
 */
import type { Problem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { OfferResult, PolicyStore, Settlement } from '../policy/store.ts';
import { isSameVersion, type Member, type OriginState } from './origin.ts';
import { createOrigins, type Origins, silence } from './origins.ts';
import { type Changes, createStandings, type Refusal } from './standings.ts';

export interface PolicyFeedObserver {
  /** A new snapshot is current since this very turn. */
  applied(snapshot: PolicySnapshot, warnings: readonly Problem[]): void;
  /** This version is part of the policy since this turn; told after `applied`. */
  entered(member: Member): void;
  /** The source is gone, and its rules with it. */
  left(member: Member): void;
  refused(refusal: Refusal): void;
  /** The source is gone, and its last good version stays. */
  deleted(member: Member): void;
  unreadable(origin: string, kind: Exclude<OriginState['kind'], 'content'>, reason: string): void;
  /** It could not be read before. */
  readable(origin: string): void;
  /** Something of `unreadable`, of `active` or of the store may have changed. */
  changed(): void;
  /** A bug; what was delivered is lost, what was active stays. */
  fault(fault: unknown): void;
}

export interface PolicyFeed {
  /** Takes what an origin holds now; the observer hears what comes of it. */
  deliver(origin: string, state: OriginState): void;
  /** Offers what there is; an origin that has not spoken yet is unreadable until it does. */
  waitNoLonger(): void;
  /** Nothing is told afterwards. */
  close(): void;
  /** Origins that cannot be read, each with the reason. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** The versions that are in force. */
  active(): readonly Member[];
  /** How many sources are not in force in their newest version; an origin that cannot be read is one, and none beside one of its own. */
  failing(): number;
}

/** `names`: the origins, as `--policy` was typed. `saved`: what was in force before the start. */
export function createPolicyFeed(
  store: PolicyStore,
  names: readonly string[],
  observer: PolicyFeedObserver,
  saved: readonly Member[] = [],
): PolicyFeed {
  return new Feed(store, createOrigins(names, saved), observer, saved);
}

class Feed implements PolicyFeed {
  readonly #store: PolicyStore;
  readonly #origins: Origins;
  readonly #observer: PolicyFeedObserver;
  readonly #standings = createStandings();
  /** Saved versions that were not needed yet. */
  readonly #spare: Map<string, Member>;
  /** Origins whose only ConfigMap is known to be gone. */
  readonly #deleted = new Set<string>();
  #wanted: ReadonlyMap<string, Member> = new Map();
  #isClosed = false;

  constructor(store: PolicyStore, origins: Origins, observer: PolicyFeedObserver, saved: readonly Member[]) {
    this.#store = store;
    this.#origins = origins;
    this.#observer = observer;
    this.#spare = new Map(saved.map((member) => [member.source, member]));
  }

  get unreadable(): ReadonlyMap<string, string> {
    return this.#origins.unreadable;
  }

  active(): readonly Member[] {
    return this.#standings.active();
  }

  failing(): number {
    const rejected = new Set(this.#store.rejected().map(({ source }) => source));
    const isCounted = (origin: string): boolean =>
      this.#origins.membersOf(origin).some(({ source }) => rejected.has(source));
    const unreadable = [...this.#origins.unreadable.keys()].filter((origin) => !isCounted(origin));
    return rejected.size + unreadable.length;
  }

  deliver(origin: string, state: OriginState): void {
    const wasUnreadable = this.#origins.unreadable.has(origin);
    const before = this.#origins.membersOf(origin);
    this.#origins.take(origin, state);
    if (state.kind !== 'content') this.#observer.unreadable(origin, state.kind, state.reason);
    else if (wasUnreadable) this.#observer.readable(origin);
    this.#tellDeleted(origin, state, before);
    if (this.#origins.isComplete()) this.#catchUp();
  }

  waitNoLonger(): void {
    const silent = this.#origins.waitNoLonger();
    for (const origin of silent) this.#observer.unreadable(origin, 'unavailable', silence);
    if (silent.length > 0) this.#catchUp();
  }

  close(): void {
    this.#isClosed = true;
  }

  #tellDeleted(origin: string, { kind }: OriginState, before: readonly Member[]): void {
    if (kind === 'content') this.#deleted.delete(origin);
    if (kind !== 'absent' || this.#deleted.has(origin)) return;
    this.#deleted.add(origin);
    for (const member of before) this.#observer.deleted(member);
  }

  #catchUp(): void {
    const next = this.#origins.wanted();
    const changes = new Map<string, Member | undefined>();
    for (const source of this.#wanted.keys()) if (!next.has(source)) changes.set(source, undefined);
    for (const [source, member] of next) {
      const known = this.#wanted.get(source);
      if (known === undefined || !isSameVersion(known, member)) changes.set(source, member);
    }
    this.#wanted = next;
    if (changes.size > 0) this.#offer(changes);
    else this.#observer.changed();
  }

  #offer(changes: Changes): void {
    const offers = [...changes].map(([source, version]) => ({ source, version }));
    this.#store
      .offerAll(offers, (settlement) => this.#settled(changes, settlement))
      .catch((fault: unknown) => this.#observer.fault(fault));
  }

  #settled(changes: Changes, { results, swapped }: Settlement): void {
    if (this.#isClosed) return;
    const { entered, left, refusals } = this.#standings.settle(changes, results, this.#store.rejected());
    if (swapped !== undefined) this.#observer.applied(swapped, warningsOf(results.values()));
    for (const member of entered) {
      this.#spare.delete(member.source);
      this.#observer.entered(member);
    }
    for (const member of left) this.#observer.left(member);
    const rescued = refusals.flatMap((refusal) => this.#rescue(refusal));
    for (const refusal of refusals) if (this.#isWorthTelling(refusal, rescued)) this.#observer.refused(refusal);
    if (rescued.length === 0) {
      this.#observer.changed();
      return;
    }
    this.#offer(new Map(rescued.map((member) => [member.source, member])));
    // Once more, and as it is now: what was refused goes on being the newest version.
    this.#offer(new Map(rescued.map(({ source }) => [source, this.#wanted.get(source)])));
  }

  /** The saved version of a source whose live one was refused before any was active: a restart must not cost the last good version. */
  #rescue({ member, hasActive }: Refusal): readonly Member[] {
    const version = this.#spare.get(member.source);
    this.#spare.delete(member.source);
    return version === undefined || hasActive || member.savedMs !== undefined ? [] : [version];
  }

  #isWorthTelling({ member }: Refusal, rescued: readonly Member[]): boolean {
    const isRescued = rescued.some(({ source }) => source === member.source);
    const isRescue = member.savedMs !== undefined && this.#wanted.get(member.source) !== member;
    return !isRescued && !isRescue;
  }
}

/** Every version that was applied reports the warnings of the whole policy. */
function warningsOf(results: Iterable<OfferResult>): readonly Problem[] {
  for (const { applied, problems } of results) if (applied) return problems;
  return [];
}
