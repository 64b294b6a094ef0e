/**
 * Promises: the composition root of `serve`: every room built and joined, with one start and one end. No decision is made here.
 * Leaves to others: argv and signals (commands/).
 */
import { setImmediate } from 'node:timers/promises';
import type { ServeSettings } from '../config/settings.ts';
import type { ClientTokens } from '../egress/client-tokens.ts';
import type { Introspections } from '../introspection/introspections.ts';
import { createKeySets, type KeySets } from '../keyset/key-sets.ts';
import { systemPorts } from '../keyset/ports.ts';
import type { RefreshOptions } from '../keyset/refresh.ts';
import type { Cluster } from '../kubernetes/cluster-ports.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { createPolicyStore, type PolicyStore } from '../policy/store.ts';
import { createTestCheck } from '../rehearsal/test-check.ts';
import type { AdminServer } from '../server/admin.ts';
import { createSystemClientTokens } from './client-tokens.ts';
import { openClusterOf } from './cluster-sources.ts';
import { createSystemIntrospections } from './introspection.ts';
import { type KeptState, openKeptState } from './kept-state.ts';
import { listen } from './listeners.ts';
import { createAdmin } from './pages.ts';
import type { RecordEvent } from './policy-events.ts';
import type { PolicyFeed } from './policy-feed.ts';
import { createPolicyLife } from './policy-life.ts';
import type { Readiness } from './readiness.ts';
import { createReporting, keyReports, type Reporting } from './reporting.ts';
import { openSender, type SystemSender } from './sender.ts';
import { type CreateServing, type Serving, serveHere } from './serving.ts';
import { watchSources } from './watch-sources.ts';

export interface Sidecar {
  /** Real addresses, in the order of the settings. */
  readonly grpc: readonly string[];
  readonly admin: string;
  /** Says not serving, answers until traffic has gone or the limit is reached, then ends. */
  drain(): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
}

/** Shortest drain and quiet time of interface section 1. */
const drainMinMs = 2000;
const drainQuietMs = 1000;

/**
 * Rejects with an error of one clear line when an address cannot be bound, a TLS file is bad, or no cluster is known. `createServing`
 * makes what answers.
 */
export async function startSidecar(
  settings: ServeSettings,
  createServing: CreateServing = serveHere,
): Promise<Sidecar> {
  const reporting = createReporting(settings);
  const cluster = await openClusterOf(settings, reporting);
  const kept = await openKeptState(settings, reporting);
  const sender = await openSender(settings, reporting).catch((error: unknown) => {
    cluster?.close();
    throw error;
  });
  const parts = build(settings, reporting, { cluster, kept, sender, createServing });
  const { server, admin, keySets, clientTokens, introspections, feed, ready } = parts;
  const { stopAdmission, ...addresses } = await listen(settings, reporting, parts).catch((error: unknown) => {
    cluster?.close();
    sender.close();
    throw error;
  });
  reporting.announce(addresses, 'listening');
  const sources = watchSources(settings, reporting, { feed, cluster });
  // The first version will need it, and is still on its way.
  await import('../policy/document.ts');

  async function end(endServer: () => Promise<unknown>): Promise<void> {
    ready.drain();
    await endServer();
    await stopAdmission();
    sources.close();
    feed.close();
    keySets.stop();
    clientTokens.stop();
    introspections.stop();
    sender.close();
    cluster?.close();
    await kept.close();
    await admin.stop();
    await reporting.close();
  }

  return {
    grpc: addresses.grpc,
    admin: addresses.admin,
    drain: () =>
      end(async () => {
        reporting.log.info('draining');
        const limits = { minMs: drainMinMs, quietMs: drainQuietMs, maxMs: settings.drainMs };
        const outcome = await server.drain(limits);
        reporting.log.info({ outcome }, 'drained');
      }),
    stop: () => end(() => server.stop()),
  };
}

interface Parts {
  readonly store: PolicyStore;
  readonly keySets: KeySets;
  readonly clientTokens: ClientTokens;
  readonly introspections: Introspections;
  readonly server: Serving;
  readonly admin: AdminServer;
  readonly feed: PolicyFeed;
  readonly ready: Readiness;
}

interface Surroundings {
  /** Undefined where no source needs one. */
  readonly cluster: Cluster | undefined;
  readonly kept: KeptState;
  readonly sender: SystemSender;
  readonly createServing: CreateServing;
}

function build(
  settings: ServeSettings,
  reporting: Reporting,
  { cluster, kept, sender, createServing }: Surroundings,
): Parts {
  const store = createPolicyStore(createTestCheck(Date.now), () => setImmediate());
  // Readiness is built last, and keys tell of themselves only later.
  const onKeys: (() => void)[] = [];
  const sourceOf = (name: string): string | undefined => keySourceOf(store.current(), name);
  const reports = keyReports(reporting, {
    changed: () => onKeys.forEach((tell) => tell()),
    fetched: () => kept.saveKeys(keySets.toSave()),
    sourceOf,
  });
  const keySets = createKeySets(refreshOptions(settings), { ...systemPorts(reports), saved: kept.keys });
  reporting.metrics.jwksAges(() => keyAges(keySets));
  const clientTokens = createSystemClientTokens(reporting, () => store.current());
  const introspections = createSystemIntrospections(reporting, keySets.resolve);
  const server = createServing(settings, reporting, { store, keySets, clientTokens, introspections, sender });
  const { followers } = server;
  const recordEvent: RecordEvent =
    settings.kubernetesEvents === 'on' ? (event) => cluster?.recordEvent(event) : () => undefined;
  const life = createPolicyLife(settings, reporting, {
    store,
    keySets,
    clientTokens,
    server,
    recordEvent,
    saved: kept.sources,
    save: (active) => {
      kept.saveSources(active);
      followers?.policyChanged(active);
    },
  });
  onKeys.push(() => followers?.keysChanged(), life.look);
  followers?.onCounts(life.look);
  const admin = createAdmin(settings, reporting, life);
  return { store, keySets, clientTokens, introspections, server, admin, feed: life.feed, ready: life.ready };
}

function refreshOptions(settings: ServeSettings): RefreshOptions {
  return {
    refreshMs: settings.jwksRefreshMs,
    minRefreshMs: settings.jwksMinRefreshMs,
    cooldownMs: settings.jwksCooldownMs,
    maxStaleMs: settings.jwksMaxStaleMs,
  };
}

function keyAges(keySets: KeySets): readonly (readonly [string, number])[] {
  return [...keySets.status()].flatMap(([name, { ageSeconds }]) =>
    ageSeconds === undefined ? [] : [[name, ageSeconds]],
  );
}

function keySourceOf(snapshot: PolicySnapshot | undefined, name: string): string | undefined {
  const issuer = [...(snapshot?.issuers.values() ?? [])].find((candidate) => candidate.name === name);
  if (issuer?.jwks.kind === 'uri') return issuer.jwks.uri;
  // The name does not tell which of its tenants it is.
  return issuer?.tenant === undefined ? issuer?.issuer : issuer.issuer.replace(issuer.tenant, '{tenantid}');
}
