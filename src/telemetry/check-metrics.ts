/**
 * Promises: counts and times of checks; being told of one costs a map lookup and a histogram bucket.
 */
import { Histogram, type Registry } from 'prom-client';
import type { Decision } from '../decision/decision.ts';
import { outcome } from './outcome.ts';
import { scrapedCounter } from './scraped.ts';

export interface CheckMetrics {
  readonly done: (decision: Decision, seconds: number) => void;
  /** Series of other rules end. */
  readonly keepRules: (names: ReadonlySet<string>) => void;
}

/** From 50 µs, a remembered token, to 1 s, longer than Envoy waits. */
const durationBuckets = [5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export function createCheckMetrics(registry: Registry): CheckMetrics {
  const counts = new CheckCounts();
  const cache = { hit: 0, miss: 0 };
  const total = {
    name: 'scopegate_checks_total',
    help: 'Checks answered, by decision, reason and rule (empty: none applied).',
    labelNames: ['decision', 'reason', 'rule'],
  };
  scrapedCounter(registry, total, () => counts.samples());
  const lookups = {
    name: 'scopegate_token_cache_total',
    help: 'Tokens looked up among the verified ones, by result.',
    labelNames: ['result'],
  };
  scrapedCounter(registry, lookups, () => Object.entries(cache).map(([result, count]) => [{ result }, count] as const));
  const duration = new Histogram({
    name: 'scopegate_check_duration_seconds',
    help: 'Time from the bytes of a check to the bytes of its answer.',
    buckets: durationBuckets,
    registers: [registry],
  });
  return {
    done: (decision, seconds) => {
      counts.add(decision);
      const { tokenCache } = decision.told;
      if (tokenCache !== undefined) {
        cache[tokenCache] += 1;
      }
      duration.observe(seconds);
    },
    keepRules: (names) => counts.keepRules(names),
  };
}

/** Counts by decision, reason and rule in plain objects; prom-client's own counters hash their labels at each call. */
class CheckCounts {
  readonly #rows = new Map<string, { readonly labels: Readonly<Record<string, string>>; count: number }>();
  #rules: ReadonlySet<string> = new Set();

  add(decision: Decision): void {
    const [word, rule] = [outcome(decision), decision.told.rule ?? ''];
    const key = `${word} ${decision.reason} ${rule}`;
    const row = this.#rows.get(key);
    if (row === undefined) {
      this.#rows.set(key, { labels: { decision: word, reason: decision.reason, rule }, count: 1 });
    } else {
      row.count += 1;
    }
  }

  keepRules(names: ReadonlySet<string>): void {
    this.#rules = names;
  }

  /** Forgets here and not when the policy changes: a check that began under the old policy may still name its rule. */
  *samples(): Iterable<readonly [Readonly<Record<string, string>>, number]> {
    for (const [key, { labels, count }] of this.#rows) {
      const rule = labels['rule'] ?? '';
      if (rule === '' || this.#rules.has(rule)) {
        yield [labels, count];
      } else {
        this.#rows.delete(key);
      }
    }
  }
}
