/**
 * Promises: the composition root of `serve`: every room built and joined, with one start and one end. No decision is made here.
 * Leaves to others: argv and signals (commands/).
 */
import { setImmediate as nextTurn } from 'node:timers';
import { setImmediate } from 'node:timers/promises';
import { createAuthorizer } from '../authorizer/authorize.ts';
import { createTokenVerifier } from '../authorizer/token-verifier.ts';
import { createVerificationLane, type LanePorts } from '../authorizer/verification-lane.ts';
import { type Check, type CheckPorts, createCheck, createOverloaded } from '../check.ts';
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
import { createGrpcServer, type GrpcServer } from '../server/grpc.ts';
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

/** Rejects with an error of one clear line when an address cannot be bound, a TLS file is bad, or no cluster is known. */
export async function startSidecar(settings: ServeSettings): Promise<Sidecar> {
  const reporting = createReporting(settings);
  const cluster = await openClusterOf(settings, reporting);
  const kept = await openKeptState(settings, reporting);
  const sender = await openSender(settings, reporting).catch((error: unknown) => {
    cluster?.close();
    throw error;
  });
  const parts = build(settings, reporting, { cluster, kept, sender });
  const { server, admin, keySets, clientTokens, introspections, feed, ready } = parts;
  const { stopAdmission, ...addresses } = await listen(settings, reporting, parts).catch((error: unknown) => {
    cluster?.close();
    sender.close();
    throw error;
  });
  reporting.announce(addresses, 'listening');
  const sources = watchSources(settings, reporting, { feed, cluster });

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
  readonly server: GrpcServer;
  readonly admin: AdminServer;
  readonly feed: PolicyFeed;
  readonly ready: Readiness;
}

interface Surroundings {
  /** Undefined where no source needs one. */
  readonly cluster: Cluster | undefined;
  readonly kept: KeptState;
  readonly sender: SystemSender;
}

function build(settings: ServeSettings, reporting: Reporting, { cluster, kept, sender }: Surroundings): Parts {
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
  const server = createGrpc(
    settings,
    reporting,
    checkOf(settings, reporting, { store, keySets, clientTokens, introspections, sender }),
  );
  const recordEvent: RecordEvent =
    settings.kubernetesEvents === 'on' ? (event) => cluster?.recordEvent(event) : () => undefined;
  const life = createPolicyLife(settings, reporting, {
    store,
    keySets,
    clientTokens,
    server,
    recordEvent,
    saved: kept.sources,
    save: (active) => kept.saveSources(active),
  });
  onKeys.push(life.look);
  const admin = createAdmin(settings, reporting, life);
  return { store, keySets, clientTokens, introspections, server, admin, feed: life.feed, ready: life.ready };
}

const lanePorts: LanePorts = { now: () => performance.now(), nextTurn: (task) => void nextTurn(task) };

interface Checks {
  readonly check: Check;
  readonly overloaded: () => Uint8Array;
}

function checkOf(
  settings: ServeSettings,
  reporting: Reporting,
  {
    store,
    keySets,
    clientTokens,
    introspections,
    sender,
  }: Pick<Parts, 'store' | 'keySets' | 'clientTokens' | 'introspections'> & Pick<Surroundings, 'sender'>,
): Checks {
  const { metrics, decisionLog, fault } = reporting;
  const verify = createTokenVerifier(
    {
      resolveKeys: keySets.resolve,
      introspect: introspections.introspect,
      lane: createVerificationLane(lanePorts),
      now: Date.now,
    },
    settings,
  );
  const authorizer = createAuthorizer({
    policy: () => store.current(),
    verify,
    checkSender: sender.check,
    clientToken: clientTokens.resolve,
    now: Date.now,
  });
  const observe: CheckPorts['observe'] = (request, decision, elapsedMs) => {
    metrics.checkDone(decision, elapsedMs / 1000);
    decisionLog(request, decision, elapsedMs * 1000);
  };
  const check = createCheck({ authorizer, monotonicMs: () => performance.now(), observe, onFault: fault });
  return { check, overloaded: createOverloaded({ authorizer, observe }) };
}

function createGrpc(settings: ServeSettings, { log, fault }: Reporting, checks: Checks): GrpcServer {
  const { grpcTls, grpcAddresses: addresses, grpcSocketMode: socketMode } = settings;
  return createGrpcServer({
    addresses,
    socketMode,
    maxMessageBytes: settings.maxMessageBytes,
    maxConnections: settings.maxConnections,
    ...checks,
    transport: settings.transport,
    onFault: fault,
    tls: grpcTls && { cert: grpcTls.certFile, key: grpcTls.keyFile, clientCa: grpcTls.clientCaFile },
    onTlsProblem: ({ file, reason }) => log.error({ file, reason }, 'TLS file refused, the old ones stay'),
    onTransportLog: (level, text) => log[level]({ text }, 'gRPC library'),
    onTlsReload: () => log.info('TLS files reloaded'),
  });
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
