/**
 * Promises: what follows when the policy or the keys change: keys are fetched for the issuers it names, metrics, log and Events say so, and
 * we become ready when it is time.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { ClientTokens } from '../egress/client-tokens.ts';
import type { KeySets } from '../keyset/key-sets.ts';
import { formatProblem, type Problem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { PolicyStore } from '../policy/store.ts';
import type { Member } from './origin.ts';
import { createPolicyEvents, type RecordEvent } from './policy-events.ts';
import { createPolicyFeed, type PolicyFeed, type PolicyFeedObserver } from './policy-feed.ts';
import { policyReports } from './policy-reports.ts';
import { createReadiness, keyless, type Readiness, type ReadinessFacts } from './readiness.ts';
import type { Reporting } from './reporting.ts';
import type { Serving } from './serving.ts';

export interface PolicyParts {
  readonly store: PolicyStore;
  readonly keySets: KeySets;
  readonly clientTokens: ClientTokens;
  readonly server: Pick<Serving, 'setServing' | 'followers'>;
  readonly recordEvent: RecordEvent;
  /** What was in force before the start. */
  readonly saved: readonly Member[];
  /** Told what is in force, each time it may have changed. */
  readonly save: (active: readonly Member[]) => void;
}

export interface PolicyLife {
  readonly feed: PolicyFeed;
  readonly ready: Readiness;
  /** Looks whether we have become ready. */
  readonly look: () => void;
}

export function createPolicyLife(settings: ServeSettings, reporting: Reporting, parts: PolicyParts): PolicyLife {
  const { store, keySets, server } = parts;
  let isTimeOver = false;
  let timer: NodeJS.Timeout | undefined;
  let wasReady = false;
  const names = settings.policySources.map(({ text }) => text);
  const onApplied = (): void => {
    timer ??= setTimeout(() => {
      isTimeOver = true;
      look();
    }, settings.readyTimeoutMs).unref();
  };
  const feed = createPolicyFeed(store, names, observerOf(reporting, parts, { onApplied, onChanged }), parts.saved);
  const facts = (): ReadinessFacts => ({
    policy: store.current()?.hash,
    rejected: store.rejected(),
    unreadable: feed.unreadable,
    fromState: fromState(feed.active()),
    issuers: keySets.status(),
    clients: parts.clientTokens.status(),
    workers: server.followers?.counts(),
  });
  const ready = createReadiness({ facts, isTimeOver: () => isTimeOver });
  return { feed, ready, look };

  function onChanged(): void {
    parts.save(feed.active());
    look();
  }

  function look(): void {
    reporting.metrics.sources(store.activeSources(), feed.failing());
    if (!ready.update() || wasReady) return;
    wasReady = true;
    server.setServing(true);
    const withoutKeys = keyless(facts());
    reporting.announce(withoutKeys.length > 0 ? { issuersWithoutKeys: withoutKeys } : {}, 'ready');
  }
}

interface Hooks {
  readonly onApplied: () => void;
  readonly onChanged: () => void;
}

function observerOf(reporting: Reporting, parts: PolicyParts, { onApplied, onChanged }: Hooks): PolicyFeedObserver {
  const { store, keySets, clientTokens, recordEvent } = parts;
  const reports = policyReports(reporting);
  const events = createPolicyEvents(recordEvent);
  let warnings = 0;
  return {
    ...reports,
    changed: onChanged,
    deleted: (member) => events.deleted(member),
    // In the same turn as the swap: a check under the new policy finds its issuers and clients.
    applied: (snapshot, problems) => {
      keySets.update(snapshot.issuers.values());
      clientTokens.update(snapshot.clients);
      warnings = problems.length;
      tellApplied(reporting, snapshot, problems);
      onApplied();
    },
    entered: (member) => {
      reports.entered(member);
      const policy = store.current();
      if (policy === undefined) return;
      events.entered(member, { hash: policy.hash, rules: policy.rules.length, issuers: policy.issuers.size, warnings });
    },
    left: (member) => {
      reports.left(member);
      events.left(member);
    },
    refused: (refusal) => {
      reports.refused(refusal);
      events.refused(refusal);
    },
  };
}

function tellApplied({ log, metrics }: Reporting, snapshot: PolicySnapshot, warnings: readonly Problem[]): void {
  const issuers = [...new Set([...snapshot.issuers.values()].map(({ name }) => name))];
  const names = { rules: namesOf(snapshot.rules), issuers, clients: namesOf(snapshot.clients) };
  metrics.policyApplied(snapshot.hash, Date.now() / 1000, names);
  log.info({ policy: snapshot.hash, rules: snapshot.rules.length, issuers: issuers.length }, 'policy applied');
  for (const warning of warnings) log.warn({ problem: formatProblem(warning) }, 'policy warning');
}

function namesOf(named: readonly { readonly name: string }[]): readonly string[] {
  return named.map(({ name }) => name);
}

function fromState(active: readonly Member[]): ReadonlyMap<string, number> {
  return new Map(active.flatMap(({ source, savedMs }) => (savedMs === undefined ? [] : [[source, savedMs] as const])));
}
