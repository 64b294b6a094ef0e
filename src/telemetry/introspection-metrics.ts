/**
 * Promises: how asking issuers about opaque tokens goes.
 */
import type { Registry } from 'prom-client';
import { scrapedCounter } from './scraped.ts';

export interface IntrospectionMetrics {
  readonly asked: (issuer: string, result: string) => void;
  /** Series of other issuers end. */
  readonly keepIssuers: (names: ReadonlySet<string>) => void;
}

export function createIntrospectionMetrics(registry: Registry): IntrospectionMetrics {
  const questions = new Map<string, Map<string, number>>();
  const total = {
    name: 'scopegate_introspections_total',
    help: 'Questions to an issuer about an opaque token, by result; what is remembered asks nothing.',
    labelNames: ['issuer', 'result'],
  };
  scrapedCounter(registry, total, () =>
    [...questions].flatMap(([issuer, results]) =>
      [...results].map(([result, count]) => [{ issuer, result }, count] as const),
    ),
  );
  return {
    asked: (issuer, result) => {
      const results = questions.get(issuer) ?? new Map<string, number>();
      questions.set(issuer, results.set(result, (results.get(result) ?? 0) + 1));
    },
    keepIssuers: (names) => {
      for (const issuer of questions.keys()) {
        if (!names.has(issuer)) questions.delete(issuer);
      }
    },
  };
}
