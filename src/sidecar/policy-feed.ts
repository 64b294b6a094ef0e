/**
 * Promises: the policy store fed from its sources, told to whoever needs to know. At start every source is read once before any is
 * offered, in the order of their names, so that what is active does not depend on which file was read first (interface section 9).
 * A source that cannot be read keeps its last good version.
 */
import type { Problem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Offer, OfferResult, PolicyStore } from '../policy/store.ts';
import type { PathState } from '../source/read-path.ts';

export interface PolicyFeedObserver {
  /** A new snapshot is current. */
  applied(snapshot: PolicySnapshot, warnings: readonly Problem[]): void;
  refused(source: string, problems: readonly Problem[]): void;
  unreadable(source: string, reason: string): void;
  /** Something of `unreadable` or of the store may have changed. */
  changed(): void;
}

export interface PolicyFeed {
  /** Takes what a source holds now. */
  deliver(path: string, state: PathState): void;
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

  function deliver(path: string, state: PathState): void {
    awaited.delete(path);
    if (awaited.size > 0) {
      first.set(path, state);
      return;
    }
    take(new Map([...first, [path, state]]));
    first.clear();
    observer.changed();
  }

  function take(states: ReadonlyMap<string, PathState>): void {
    const before = store.current();
    const results = store.offerAll([...states].flatMap(([path, state]) => offerOf(path, state)));
    for (const [source, { applied, problems }] of results) {
      if (!applied) observer.refused(source, problems);
    }
    const now = store.current();
    if (now !== undefined && now !== before) observer.applied(now, warningsOf(results.values()));
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

  return { deliver, unreadable };
}

/** Every version that was applied reports the warnings of the whole policy. */
function warningsOf(results: Iterable<OfferResult>): readonly Problem[] {
  for (const { applied, problems } of results) if (applied) return problems;
  return [];
}
