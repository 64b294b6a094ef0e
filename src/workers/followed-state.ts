/**
 * Promises: the policy and the keys that the primary tells, in use in the order in which they were told. The primary has judged a policy and
 * run its tests; here it is only compiled again, and in use when it comes to the same hash.
 */
import { setImmediate } from 'node:timers/promises';
import type { MirroredKeySets } from '../keyset/mirrored-key-sets.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { createPolicyStore, type Offer, type PolicyStore, type SourceVersion } from '../policy/store.ts';
import type { Reporting } from '../sidecar/reporting.ts';
import type { WorkerPolicy, WorkerState } from './message.ts';

export interface FollowedState {
  /** Undefined before the first. */
  policy(): PolicySnapshot | undefined;
  /** Back when it is in use; false: it cannot be used. */
  take(change: WorkerState): Promise<boolean>;
  /** Back when all that was told until now is in use. */
  taken(): Promise<unknown>;
}

export function followState(keySets: MirroredKeySets, reporting: Reporting): FollowedState {
  const store = createPolicyStore(
    async (snapshot) => {
      // Before the policy is in use: its first check finds the keys.
      await keySets.update(snapshot.issuers.values());
      return [];
    },
    () => setImmediate(),
  );
  let sources: ReadonlyMap<string, SourceVersion> = new Map();
  let taking: Promise<unknown> = Promise.resolve();

  async function apply({ policy, keys }: WorkerState): Promise<boolean> {
    if (keys !== undefined) await keySets.take(keys);
    if (policy === undefined) return true;
    const next = new Map(policy.sources);
    await store.offerAll(offersOf(sources, next));
    sources = next;
    return tellFollowed(store, policy, reporting);
  }

  return {
    policy: () => store.current(),
    take: (change) => {
      const applied = taking.then(() => apply(change));
      taking = applied.catch(reporting.fault);
      return applied;
    },
    taken: () => taking,
  };
}

function offersOf(before: ReadonlyMap<string, SourceVersion>, next: ReadonlyMap<string, SourceVersion>): Offer[] {
  const gone = [...before.keys()].filter((source) => !next.has(source));
  const changed = [...next].filter(([source, version]) => !isSame(before.get(source), version));
  return [
    ...gone.map((source) => ({ source, version: undefined })),
    ...changed.map(([source, version]) => ({ source, version })),
  ];
}

function isSame(one: SourceVersion | undefined, other: SourceVersion): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function tellFollowed(store: PolicyStore, { hash }: WorkerPolicy, { log, metrics }: Reporting): boolean {
  const snapshot = store.current();
  if (snapshot?.hash !== hash) {
    log.error({ policy: snapshot?.hash, wanted: hash }, 'fault: this worker has come to another policy');
    return false;
  }
  const issuers = new Set([...snapshot.issuers.values()].map(({ name }) => name));
  const rules = snapshot.rules.map(({ name }) => name);
  metrics.policyApplied(hash, Date.now() / 1000, { rules, issuers, clients: snapshot.clients.map(({ name }) => name) });
  log.debug({ policy: hash }, 'policy followed');
  return true;
}
