/**
 * Promises: what Prometheus reads. Series of rules and issuers that are gone disappear, so the number of series is bounded by the policy.
 * Leaves to others: serving the text (server/), and when to tell (sidecar.ts).
 */
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Decision } from '../decision/decision.ts';
import { createCheckMetrics } from './check-metrics.ts';
import { type ClientTokenMetrics, createClientTokenMetrics } from './client-token-metrics.ts';
import { createIntrospectionMetrics } from './introspection-metrics.ts';
import { createJoinedMetrics, type JoinedMetrics, type MetricsSnapshot } from './joined-metrics.ts';
import { createKeyMetrics, type JwksAges } from './key-metrics.ts';
import { createKubernetesMetrics, type KubernetesMetrics } from './kubernetes-metrics.ts';
import { createPolicyMetrics } from './policy-metrics.ts';
import type { PolicyNames } from './policy-names.ts';
import { createProofMetrics, type ProofMetrics } from './proof-metrics.ts';
import { createWorkerMetrics, type WorkerMetrics } from './worker-metrics.ts';

export interface Metrics {
  readonly checkDone: (decision: Decision, seconds: number) => void;
  readonly decisionLogDropped: () => void;
  readonly policyApplied: (hash: string, nowSeconds: number, names: PolicyNames) => void;
  readonly policyRejected: () => void;
  /** How many sources take part in the active policy, and how many have a newest version that was refused. */
  readonly sources: (active: number, rejected: number) => void;
  readonly kubernetes: KubernetesMetrics;
  readonly clientTokens: Pick<ClientTokenMetrics, 'requested' | 'readAges'>;
  readonly proofs: ProofMetrics;
  readonly introspected: (issuer: string, result: string) => void;
  readonly jwksFetch: (issuer: string, result: string) => void;
  /** Sets where ages are read at each scrape. */
  readonly jwksAges: (ages: JwksAges) => void;
  /** For other processes that answer in place of this one, which then tells of them all. */
  readonly workers: Pick<JoinedMetrics, 'join' | 'ended'> & { readonly begin: () => WorkerMetrics };
  /** What this process counted, for another one. */
  readonly snapshot: () => Promise<MetricsSnapshot>;
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

/** Instead of every 10 ms: an idle sidecar should not wake up a hundred times a second to measure itself. */
const eventLoopSampleMs = 100;

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopSampleMs });
  const checks = createCheckMetrics(registry);
  const policy = createPolicyMetrics(registry);
  const keys = createKeyMetrics(registry);
  const clientTokens = createClientTokenMetrics(registry);
  const introspections = createIntrospectionMetrics(registry);
  const joined = createJoinedMetrics(registry);
  const dropped = new Counter({
    name: 'scopegate_decision_log_dropped_total',
    help: 'Log lines that were not written: decisions over --decision-log-rate, and lines that nobody reads from stdout.',
    registers: [registry],
  });
  return {
    checkDone: checks.done,
    decisionLogDropped: () => dropped.inc(),
    policyApplied: (hash, nowSeconds, names) => {
      policy.applied(hash, nowSeconds);
      checks.keepRules(new Set(names.rules));
      keys.keepIssuers(new Set(names.issuers));
      introspections.keepIssuers(new Set(names.issuers));
      clientTokens.keepClients(new Set(names.clients));
      joined.keepNames(names);
    },
    policyRejected: policy.rejected,
    sources: policy.sources,
    kubernetes: createKubernetesMetrics(registry),
    clientTokens,
    introspected: introspections.asked,
    proofs: createProofMetrics(registry),
    jwksFetch: keys.fetched,
    jwksAges: keys.readAges,
    workers: { join: joined.join, ended: joined.ended, begin: () => createWorkerMetrics(registry) },
    snapshot: () => registry.getMetricsAsJSON(),
    text: joined.text,
    contentType: registry.contentType,
  };
}
