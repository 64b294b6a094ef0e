/** Several processes as one to Prometheus: what is added up, what is not, and what an ended one leaves. */
import { describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { allow } from './decisions.ts';

/** A process that has allowed so many checks of rule `orders`. */
function answered(checks: number): Metrics {
  const metrics = createMetrics();
  metrics.policyApplied('abcd', 100, { rules: ['orders'], issuers: ['corp'], clients: [] });
  for (let check = 0; check < checks; check += 1) {
    metrics.checkDone(allow({ rule: 'orders', tokenCache: 'hit' }), 0.001);
  }
  return metrics;
}

/** As it arrives from another process. */
async function sent(metrics: Metrics): Promise<Awaited<ReturnType<Metrics['snapshot']>>> {
  return JSON.parse(JSON.stringify(await metrics.snapshot())) as Awaited<ReturnType<Metrics['snapshot']>>;
}

function valuesOf(text: string, series: string): readonly number[] {
  const lines = text.split('\n').filter((line) => line.startsWith(series) && !line.startsWith('#'));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

const names = { rules: ['orders'], issuers: ['corp'], clients: [] };

describe('metrics of several processes', () => {
  it('counts and times are added up, the active policy is there once', async () => {
    const primary = answered(0);
    const [one, other] = await Promise.all([sent(answered(2)), sent(answered(3))]);
    primary.workers.join(async () => [one, other]);
    const text = await primary.text();
    expect(valuesOf(text, 'scopegate_checks_total')).toEqual([5]);
    expect(valuesOf(text, 'scopegate_token_cache_total{result="hit"}')).toEqual([5]);
    expect(valuesOf(text, 'scopegate_check_duration_seconds_count')).toEqual([5]);
    expect(valuesOf(text, 'scopegate_policy_info')).toEqual([1]);
    expect(valuesOf(text, 'scopegate_policy_last_applied_timestamp_seconds')).toEqual([100]);
    expect(valuesOf(text, 'process_start_time_seconds')).toHaveLength(1);
  });

  it('a process ends: what it counted stays, what it measured does not', async () => {
    const primary = answered(0);
    const gone = await sent(answered(7));
    primary.workers.join(async () => []);
    const before = valuesOf(await primary.text(), 'process_resident_memory_bytes')[0] ?? 0;
    primary.workers.ended(gone);
    const text = await primary.text();
    expect(valuesOf(text, 'scopegate_checks_total')).toEqual([7]);
    expect(valuesOf(text, 'scopegate_check_duration_seconds_count')).toEqual([7]);
    expect(valuesOf(text, 'process_resident_memory_bytes')[0]).toBeLessThan(before * 1.5);
  });

  it('a rule is gone: what an ended process counted of it ends too, and the rest stays', async () => {
    const primary = answered(0);
    primary.workers.join(async () => []);
    primary.workers.ended(await sent(answered(7)));
    primary.policyApplied('ef01', 200, { ...names, rules: ['other'] });
    const text = await primary.text();
    expect(valuesOf(text, 'scopegate_checks_total')).toEqual([]);
    expect(valuesOf(text, 'scopegate_check_duration_seconds_count')).toEqual([7]);
  });

  it('one process: no series of workers', async () => {
    expect(await answered(1).text()).not.toContain('scopegate_worker');
    const primary = answered(0);
    primary.workers.begin().running(2);
    expect(valuesOf(await primary.text(), 'scopegate_workers_running')).toEqual([2]);
    expect(valuesOf(await primary.text(), 'scopegate_worker_restarts_total')).toEqual([0]);
  });
});
