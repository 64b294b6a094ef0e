/**
 * Promises: the policy store fed from its sources, told to whoever needs to know. At start every source is read once before any is
 * offered, in the order of their names, so that what is active does not depend on which file was read first (interface section 9).
 * A source that cannot be read keeps its last good version. Of what changes while the tests of a policy run nothing is lost: the store
 * settles it afterwards, in the order in which it came.
 */
import type { Problem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Offer, OfferResult, PolicyStore, Settlement } from '../policy/store.ts';
import type { PathState } from '../source/read-path.ts';

export interface PolicyFeedObserver {
  /** A new snapshot is current since this very turn. */
  applied(snapshot: PolicySnapshot, warnings: readonly Problem[]): void;
  /** `hasActive`: an older version of the source is still part of the policy. */
  refused(source: string, problems: readonly Problem[], hasActive: boolean): void;
  unreadable(source: string, reason: string): void;
  /** Something of `unreadable` or of the store may have changed. */
  changed(): void;
  /** A bug; what was delivered is lost, what was active stays. */
  fault(fault: unknown): void;
}

export interface PolicyFeed {
  /** Takes what a source holds now; the observer hears what comes of it. */
  deliver(path: string, state: PathState): void;
  /** Nothing is told afterwards. */
  close(): void;
  /** Sources that cannot be read, each with the reason. */
  readonly unreadable: ReadonlyMap<string, string>;
}

export function createPolicyFeed(
  store: PolicyStore,
  paths: readonly string[],
  observer: PolicyFeedObserver,
): PolicyFeed {
  const unreadable = new Map<string, string>();
  const awaited = new Set(paths);
  const first = new Map<string, PathState>();
  let isClosed = false;

  function deliver(path: string, state: PathState): void {
    awaited.delete(path);
    if (awaited.size > 0) {
      first.set(path, state);
      return;
    }
    const offers = [...first, [path, state] as const].flatMap(([name, held]) => offerOf(name, held));
    first.clear();
    if (offers.length === 0) observer.changed();
    else store.offerAll(offers, tell).catch((fault: unknown) => observer.fault(fault));
  }

  function tell({ results, swapped }: Settlement): void {
    if (isClosed) return;
    if (swapped !== undefined) observer.applied(swapped, warningsOf(results.values()));
    const going = new Set(store.rejected().flatMap(({ source, hasActive }) => (hasActive ? [source] : [])));
    for (const [source, { applied, problems }] of results) {
      if (!applied) observer.refused(source, problems, going.has(source));
    }
    observer.changed();
  }

  function offerOf(path: string, state: PathState): Offer[] {
    if (state.kind === 'content') {
      unreadable.delete(path);
      return [{ source: path, version: { files: state.files, order: path } }];
    }
    unreadable.set(path, state.reason);
    observer.unreadable(path, state.reason);
    return [];
  }

  function close(): void {
    isClosed = true;
  }

  return { deliver, close, unreadable };
}

/** Every version that was applied reports the warnings of the whole policy. */
function warningsOf(results: Iterable<OfferResult>): readonly Problem[] {
  for (const { applied, problems } of results) if (applied) return problems;
  return [];
}
