/**
 * Promises: how old the access tokens of our own are, and how asking for them goes.
 */
import type { Registry } from 'prom-client';
import { scrapedCounter, scrapedGauge } from './scraped.ts';

/** Clients with the age of their token in seconds; a client without a token is left out. */
export type ClientTokenAges = () => Iterable<readonly [client: string, seconds: number]>;

export interface ClientTokenMetrics {
  readonly requested: (client: string, result: string) => void;
  /** Sets where ages are read at each scrape. */
  readonly readAges: (ages: ClientTokenAges) => void;
  /** Series of other clients end. */
  readonly keepClients: (names: ReadonlySet<string>) => void;
}

export function createClientTokenMetrics(registry: Registry): ClientTokenMetrics {
  const requests = new Map<string, Map<string, number>>();
  let ages: ClientTokenAges = noAges;
  const age = {
    name: 'scopegate_client_token_age_seconds',
    help: 'Time since the access token of a client was asked for; absent without one.',
    labelNames: ['client'],
  };
  scrapedGauge(registry, age, () => [...ages()].map(([client, seconds]) => [{ client }, seconds] as const));
  const total = {
    name: 'scopegate_client_tokens_total',
    help: 'Requests for an access token of a client, by result.',
    labelNames: ['client', 'result'],
  };
  scrapedCounter(registry, total, () =>
    [...requests].flatMap(([client, results]) =>
      [...results].map(([result, count]) => [{ client, result }, count] as const),
    ),
  );
  return {
    requested: (client, result) => {
      const results = requests.get(client) ?? new Map<string, number>();
      requests.set(client, results.set(result, (results.get(result) ?? 0) + 1));
    },
    readAges: (source) => {
      ages = source;
    },
    keepClients: (names) => {
      for (const client of requests.keys()) {
        if (!names.has(client)) requests.delete(client);
      }
    },
  };
}

function noAges(): [] {
  return [];
}
