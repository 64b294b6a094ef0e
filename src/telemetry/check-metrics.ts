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
  const checks = new RuleCounts('reason');
  const shadow = new RuleCounts('enforced');
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
      checks.add(rule, decision.reason, enforced);
      for (const verdict of asked) {
        shadow.add(verdict.rule, enforced, `would_${verdict.decision}`);
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

interface Row {
  readonly labels: Readonly<Record<string, string>>;
  count: number;
}

/** Counts by rule and two more labels, `detail` and the decision, in plain maps; prom-client's own counters hash their labels at each call. */
class RuleCounts {
  readonly #rules = new Map<string, Map<string, Map<string, Row>>>();
  readonly #label: string;
  #kept: ReadonlySet<string> = new Set();

  constructor(label: 'reason' | 'enforced') {
    this.#label = label;
  }

  add(rule: string, detail: string, decision: string): void {
    const row = this.#rules.get(rule)?.get(detail)?.get(decision);
    if (row === undefined) this.#create(rule, detail, decision);
    else row.count += 1;
  }

  keepRules(names: ReadonlySet<string>): void {
    this.#kept = names;
  }

  /** Forgets here and not when the policy changes: a check that began under the old policy may still name its rule. */
  *samples(): Iterable<readonly [Readonly<Record<string, string>>, number]> {
    for (const [rule, details] of this.#rules) {
      if (rule !== '' && !this.#kept.has(rule)) {
        this.#rules.delete(rule);
        continue;
      }
      for (const decisions of details.values()) {
        for (const { labels, count } of decisions.values()) yield [labels, count];
      }
    }
  }

  #create(rule: string, detail: string, decision: string): void {
    const details = this.#rules.get(rule) ?? new Map<string, Map<string, Row>>();
    const decisions = details.get(detail) ?? new Map<string, Row>();
    decisions.set(decision, { labels: { decision, [this.#label]: detail, rule }, count: 1 });
    this.#rules.set(rule, details.set(detail, decisions));
  }
}
