/**
 * Promises: the metrics of several processes as if they were one: counts and times are added up, and what a process counted before it ended
 * goes on being counted, because to Prometheus a smaller sum is a restart, and all of it new.
 * Leaves to others: asking the other processes (workers/).
 */
import { AggregatorRegistry, type Registry } from 'prom-client';
import type { PolicyNames } from './policy-names.ts';

/** What one process counted, as it is sent to another. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export interface JoinedMetrics {
  /** Sets where snapshots of the other processes are asked for at each scrape. */
  readonly join: (others: () => Promise<readonly MetricsSnapshot[]>) => void;
  /** Told the last snapshot of a process that has ended. */
  readonly ended: (snapshot: MetricsSnapshot) => void;
  /** What ended processes counted of other rules, issuers and clients is forgotten. */
  readonly keepNames: (names: PolicyNames) => void;
  readonly text: () => Promise<string>;
}

const labels = ['rule', 'issuer', 'client'] as const;

export function createJoinedMetrics(registry: Registry): JoinedMetrics {
  let others: (() => Promise<readonly MetricsSnapshot[]>) | undefined;
  let past = Promise.resolve<MetricsSnapshot>([]);

  async function joinedText(ask: () => Promise<readonly MetricsSnapshot[]>): Promise<string> {
    const own = await registry.getMetricsAsJSON();
    const theirs = await ask();
    // Next to each other, so that a process which ends is in one of the two.
    return AggregatorRegistry.aggregate([own.map(withStart), await past, ...theirs.map(withStarts)]).metrics();
  }

  return {
    join: (ask) => {
      others = ask;
    },
    ended: (snapshot) => {
      const counts = snapshot.filter(({ type }) => /^(?:counter|histogram)$/.test(String(type)));
      past = past.then((before) => AggregatorRegistry.aggregate([before, counts]).getMetricsAsJSON());
    },
    keepNames: ({ rules, issuers, clients }) => {
      if (others === undefined) return;
      const kept = { rule: new Set(rules), issuer: new Set(issuers), client: new Set(clients) };
      past = past.then((before) =>
        before.map((metric) => ({
          ...metric,
          values: metric.values.filter((value) =>
            labels.every((label) => {
              const name = value.labels[label];
              return name === undefined || name === '' || kept[label].has(String(name));
            }),
          ),
        })),
      );
    },
    text: () => (others === undefined ? registry.metrics() : joinedText(others)),
  };
}

type Metric = MetricsSnapshot[number];

/** The library leaves the time of the start out; here it is that of the oldest process. */
function withStart(metric: Metric): Metric {
  return metric.aggregator === 'omit' ? { ...metric, aggregator: 'min' } : metric;
}

function withStarts(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.map(withStart);
}
