/**
 * Promises: which policy is active, since when, and how many versions were refused.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface PolicyMetrics {
  readonly applied: (hash: string, nowSeconds: number) => void;
  readonly rejected: () => void;
  /** How many sources take part in the active policy, and how many have a newest version that was refused. */
  readonly sources: (active: number, rejected: number) => void;
}

export function createPolicyMetrics(registry: Registry): PolicyMetrics {
  const registers = [registry];
  const info = new Gauge({
    name: 'scopegate_policy_info',
    help: 'Hash of the active policy; the same on every replica that runs it.',
    labelNames: ['hash'],
    aggregator: 'max',
    registers,
  });
  const sources = new Gauge({
    name: 'scopegate_policy_sources',
    help: 'Policy sources: active ones, and those whose newest version was refused.',
    labelNames: ['state'],
    aggregator: 'max',
    registers,
  });
  const rejections = new Counter({
    name: 'scopegate_policy_rejections_total',
    help: 'Versions of policy sources that were refused.',
    registers,
  });
  const lastApplied = new Gauge({
    name: 'scopegate_policy_last_applied_timestamp_seconds',
    help: 'When the active policy became active; 0 before there is one.',
    aggregator: 'max',
    registers,
  });
  return {
    applied: (hash, nowSeconds) => {
      info.reset();
      info.set({ hash }, 1);
      lastApplied.set(nowSeconds);
    },
    rejected: () => rejections.inc(),
    sources: (active, rejected) => {
      sources.set({ state: 'active' }, active);
      sources.set({ state: 'rejected' }, rejected);
    },
  };
}
