/**
 * Promises: how old the keys of each issuer are, and how fetching them goes.
 */
import type { Registry } from 'prom-client';
import { scrapedCounter, scrapedGauge } from './scraped.ts';

/** Issuers with the age of their keys in seconds; an issuer without keys is left out. */
export type JwksAges = () => Iterable<readonly [issuer: string, seconds: number]>;

export interface KeyMetrics {
  readonly fetched: (issuer: string, result: string) => void;
  readonly readAges: (ages: JwksAges) => void;
  /** Series of other issuers end. */
  readonly keepIssuers: (names: ReadonlySet<string>) => void;
}

export function createKeyMetrics(registry: Registry): KeyMetrics {
  const fetches = new Map<string, Map<string, number>>();
  let ages: JwksAges = noAges;
  const age = {
    name: 'scopegate_jwks_age_seconds',
    help: 'Time since the last good fetch of the keys of an issuer; absent without one.',
    labelNames: ['issuer'],
  };
  scrapedGauge(registry, age, () => [...ages()].map(([issuer, seconds]) => [{ issuer }, seconds] as const));
  const total = {
    name: 'scopegate_jwks_fetches_total',
    help: 'Fetches of the keys of an issuer, by result.',
    labelNames: ['issuer', 'result'],
  };
  scrapedCounter(registry, total, () =>
    [...fetches].flatMap(([issuer, results]) =>
      [...results].map(([result, count]) => [{ issuer, result }, count] as const),
    ),
  );
  return {
    fetched: (issuer, result) => {
      const results = fetches.get(issuer) ?? new Map<string, number>();
      fetches.set(issuer, results.set(result, (results.get(result) ?? 0) + 1));
    },
    readAges: (source) => {
      ages = source;
    },
    keepIssuers: (names) => {
      for (const issuer of fetches.keys()) {
        if (!names.has(issuer)) {
          fetches.delete(issuer);
        }
      }
    },
  };
}

function noAges(): [] {
  return [];
}
