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
  const checks = new RuleCounts();
  const shadow = new RuleCounts();
  const cache = { hit: 0, miss: 0 };
  const total = {
    name: 'scopegate_checks_total',
    help: 'Checks answered, by decision, reason and rule (empty: none applied).',
    labelNames: ['decision', 'reason', 'rule'],
  };
  scrapedCounter(registry, total, () => checks.samples());
  const verdicts = {
    name: 'scopegate_shadow_total',
    help: 'Verdicts of shadow rules (would_allow, would_deny), beside what was enforced.',
    labelNames: ['rule', 'decision', 'enforced'],
  };
  scrapedCounter(registry, verdicts, () => shadow.samples());
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
      const { tokenCache, rule = '', shadow: asked } = decision.told;
      const enforced = outcome(decision);
      checks.add(rule, { decision: enforced, reason: decision.reason });
      for (const verdict of asked) {
        shadow.add(verdict.rule, { decision: `would_${verdict.decision}`, enforced });
      }
      if (tokenCache !== undefined) {
        cache[tokenCache] += 1;
      }
      duration.observe(seconds);
    },
    keepRules: (names) => {
      checks.keepRules(names);
      shadow.keepRules(names);
    },
  };
}

/** Counts by rule and two more labels in plain objects; prom-client's own counters hash their labels at each call. */
class RuleCounts {
  readonly #rows = new Map<string, { readonly labels: Readonly<Record<string, string>>; count: number }>();
  #rules: ReadonlySet<string> = new Set();

  /** `labels` hold words of fixed sets, so they and the rule make a key. */
  add(rule: string, labels: Readonly<Record<string, string>>): void {
    const key = `${Object.values(labels).join(' ')} ${rule}`;
    const row = this.#rows.get(key);
    if (row === undefined) {
      this.#rows.set(key, { labels: { ...labels, rule }, count: 1 });
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
