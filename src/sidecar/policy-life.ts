/**
 * Promises: what follows when the policy or the keys change: keys are fetched for the issuers it names, metrics and log say so, and we
 * become ready when it is time.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { KeySets } from '../keyset/key-sets.ts';
import { formatProblem, type Problem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { PolicyStore } from '../policy/store.ts';
import type { GrpcServer } from '../server/grpc.ts';
import { createPolicyFeed, type PolicyFeed } from './policy-feed.ts';
import { createReadiness, keyless, type Readiness, type ReadinessFacts } from './readiness.ts';
import { policyReports, type Reporting } from './reporting.ts';

export interface PolicyParts {
  readonly store: PolicyStore;
  readonly keySets: KeySets;
  readonly server: GrpcServer;
}

export interface PolicyLife {
  readonly feed: PolicyFeed;
  readonly ready: Readiness;
  /** Looks whether we have become ready. */
  readonly look: () => void;
}

export function createPolicyLife(settings: ServeSettings, reporting: Reporting, parts: PolicyParts): PolicyLife {
  const { store, keySets, server } = parts;
  const { log, announce, metrics } = reporting;
  let isTimeOver = false;
  let timer: NodeJS.Timeout | undefined;
  let wasReady = false;
  const feed = createPolicyFeed(
    store,
    settings.policySources.map(({ text }) => text),
    { ...policyReports(reporting), applied, changed: look },
  );
  const facts = (): ReadinessFacts => ({
    policy: store.current()?.hash,
    rejected: store.rejected(),
    unreadable: feed.unreadable,
    issuers: keySets.status(),
  });
  const ready = createReadiness({ facts, isTimeOver: () => isTimeOver });
  return { feed, ready, look };

  // In the same turn as the swap: a check under the new policy finds its issuers.
  function applied(snapshot: PolicySnapshot, warnings: readonly Problem[]): void {
    keySets.update(snapshot.issuers.values());
    const issuers = [...snapshot.issuers.values()].map(({ name }) => name);
    metrics.policyApplied(snapshot.hash, Date.now() / 1000, { rules: snapshot.rules.map(({ name }) => name), issuers });
    log.info({ policy: snapshot.hash, rules: snapshot.rules.length, issuers: issuers.length }, 'policy applied');
    for (const warning of warnings) log.warn({ problem: formatProblem(warning) }, 'policy warning');
    timer ??= setTimeout(() => {
      isTimeOver = true;
      look();
    }, settings.readyTimeoutMs).unref();
  }

  function look(): void {
    const failing = new Set([...store.rejected().map(({ source }) => source), ...feed.unreadable.keys()]);
    metrics.sources(store.activeSources(), failing.size);
    if (!ready.update() || wasReady) return;
    wasReady = true;
    server.setServing(true);
    const withoutKeys = keyless(facts());
    announce(withoutKeys.length > 0 ? { issuersWithoutKeys: withoutKeys } : {}, 'ready');
  }
}
