import { expect, it } from 'vitest';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { allow, deny, metadataDocument } from './decisions.ts';

/** Lines of one metric, without comments. */
async function series(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

const names = (rules: string[], issuers: string[] = [], clients: string[] = []) => ({ rules, issuers, clients });

it('checks: counted by decision, reason and rule', async () => {
  const metrics = createMetrics();
  metrics.policyApplied('aa', 1, names(['orders']));
  metrics.checkDone(allow({ rule: 'orders' }), 0.001);
  metrics.checkDone(allow({ rule: 'orders' }), 0.001);
  metrics.checkDone(deny('no_rule'), 0.001);
  metrics.checkDone(metadataDocument(), 0.001);
  expect(await series(metrics, 'scopegate_checks_total')).toStrictEqual([
    'scopegate_checks_total{decision="allow",reason="allowed",rule="orders"} 2',
    'scopegate_checks_total{decision="deny",reason="no_rule",rule=""} 1',
    'scopegate_checks_total{decision="deny",reason="resource_metadata",rule=""} 1',
  ]);
});

it('a rule that is gone: its series ends, also when a late check names it; the others go on', async () => {
  const metrics = createMetrics();
  metrics.policyApplied('aa', 1, names(['old', 'kept']));
  metrics.checkDone(allow({ rule: 'old' }), 0.001);
  metrics.checkDone(allow({ rule: 'kept' }), 0.001);
  metrics.policyApplied('bb', 2, names(['kept']));
  metrics.checkDone(allow({ rule: 'old' }), 0.001);
  metrics.checkDone(allow({ rule: 'kept' }), 0.001);
  const expected = ['scopegate_checks_total{decision="allow",reason="allowed",rule="kept"} 2'];
  expect(await series(metrics, 'scopegate_checks_total')).toStrictEqual(expected);
  expect(await series(metrics, 'scopegate_checks_total')).toStrictEqual(expected);
});

it('shadow rules: verdicts beside what was enforced; a rule that is gone ends', async () => {
  const metrics = createMetrics();
  metrics.policyApplied('aa', 1, names(['next', 'gone']));
  const deny401 = { rule: 'next', decision: 'deny', reason: 'token_expired' } as const;
  metrics.checkDone(allow({ shadow: [deny401] }), 0.001);
  metrics.checkDone(allow({ shadow: [{ ...deny401, reason: 'insufficient_scope' }] }), 0.001);
  metrics.checkDone(deny('no_rule', { shadow: [{ rule: 'gone', decision: 'allow', reason: 'allowed' }] }), 0.001);
  const next = 'scopegate_shadow_total{decision="would_deny",enforced="allow",rule="next"} 2';
  expect(await series(metrics, 'scopegate_shadow_total')).toStrictEqual([
    next,
    'scopegate_shadow_total{decision="would_allow",enforced="deny",rule="gone"} 1',
  ]);
  metrics.policyApplied('bb', 2, names(['next']));
  expect(await series(metrics, 'scopegate_shadow_total')).toStrictEqual([next]);
});

it('times of checks: buckets from 50 µs to 1 s', async () => {
  const metrics = createMetrics();
  metrics.checkDone(deny('no_rule'), 0.000_04);
  metrics.checkDone(deny('no_rule'), 2);
  const buckets = await series(metrics, 'scopegate_check_duration_seconds_bucket');
  expect([buckets[0], buckets.at(-2), buckets.at(-1)]).toStrictEqual([
    'scopegate_check_duration_seconds_bucket{le="0.00005"} 1',
    'scopegate_check_duration_seconds_bucket{le="1"} 1',
    'scopegate_check_duration_seconds_bucket{le="+Inf"} 2',
  ]);
});

it('remembered tokens: hits and misses; checks without a token count as neither', async () => {
  const metrics = createMetrics();
  metrics.checkDone(allow({ tokenCache: 'hit' }), 0.001);
  metrics.checkDone(deny('no_rule'), 0.001);
  expect(await series(metrics, 'scopegate_token_cache_total')).toStrictEqual([
    'scopegate_token_cache_total{result="hit"} 1',
    'scopegate_token_cache_total{result="miss"} 0',
  ]);
});

it('policy: one hash at a time, and when it was applied', async () => {
  const metrics = createMetrics();
  metrics.policyApplied('aa', 1000, names([]));
  metrics.policyApplied('bb', 2000.5, names([]));
  metrics.policyRejected();
  metrics.sources(2, 1);
  const shown = await Promise.all(
    [
      'scopegate_policy_info',
      'scopegate_policy_last_applied_timestamp_seconds',
      'scopegate_policy_rejections_total',
      'scopegate_policy_sources',
    ].map(async (name) => series(metrics, name)),
  );
  expect(shown.flat()).toStrictEqual([
    'scopegate_policy_info{hash="bb"} 1',
    'scopegate_policy_last_applied_timestamp_seconds 2000.5',
    'scopegate_policy_rejections_total 1',
    'scopegate_policy_sources{state="active"} 2',
    'scopegate_policy_sources{state="rejected"} 1',
  ]);
});

it('before any policy: no hash, and nothing rejected', async () => {
  const metrics = createMetrics();
  expect(await series(metrics, 'scopegate_policy_info')).toStrictEqual([]);
  expect(await series(metrics, 'scopegate_policy_rejections_total')).toStrictEqual([
    'scopegate_policy_rejections_total 0',
  ]);
});

it('JWK-08 keys: ages as they are at the scrape, fetches by result; issuers that are gone disappear', async () => {
  const metrics = createMetrics();
  const ages = new Map([['corp', 12]]);
  metrics.jwksAges(() => ages);
  metrics.jwksFetch('corp', 'ok');
  metrics.jwksFetch('corp', 'ok');
  metrics.jwksFetch('corp', 'timeout');
  metrics.jwksFetch('gone', 'ok');
  ages.set('corp', 13.5);
  metrics.policyApplied('aa', 1, names([], ['corp']));
  expect(await series(metrics, 'scopegate_jwks_age_seconds')).toStrictEqual([
    'scopegate_jwks_age_seconds{issuer="corp"} 13.5',
  ]);
  expect(await series(metrics, 'scopegate_jwks_fetches_total')).toStrictEqual([
    'scopegate_jwks_fetches_total{issuer="corp",result="ok"} 2',
    'scopegate_jwks_fetches_total{issuer="corp",result="timeout"} 1',
  ]);
  ages.clear();
  expect(await series(metrics, 'scopegate_jwks_age_seconds')).toStrictEqual([]);
});

it('dropped decision lines: counted', async () => {
  const metrics = createMetrics();
  metrics.decisionLogDropped();
  expect(await series(metrics, 'scopegate_decision_log_dropped_total')).toStrictEqual([
    'scopegate_decision_log_dropped_total 1',
  ]);
});

it('the text: Prometheus format, with metrics of the process, and every metric with its HELP', async () => {
  const metrics = createMetrics();
  const text = await metrics.text();
  expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text).toContain('\nprocess_resident_memory_bytes ');
  expect(text.match(/^# HELP scopegate_\w+ \S/gm)).toHaveLength(18);
  expect(text.match(/^# TYPE scopegate_/gm)).toHaveLength(18);
});

it('watches: no series before one is watched, then 0 until it is connected and heard', async () => {
  const metrics = createMetrics();
  const shown = async (): Promise<string[]> => [
    ...(await series(metrics, 'scopegate_policy_watch_connected')),
    ...(await series(metrics, 'scopegate_policy_watch_last_event_timestamp_seconds')),
  ];
  expect(await shown()).toStrictEqual([]);
  metrics.kubernetes.watchConnected('configmap:a/b', false);
  expect(await shown()).toStrictEqual([
    'scopegate_policy_watch_connected{source="configmap:a/b"} 0',
    'scopegate_policy_watch_last_event_timestamp_seconds{source="configmap:a/b"} 0',
  ]);
  metrics.kubernetes.watchConnected('configmap:a/b', true);
  metrics.kubernetes.watchHeard('configmap:a/b', 12.5);
  expect(await shown()).toStrictEqual([
    'scopegate_policy_watch_connected{source="configmap:a/b"} 1',
    'scopegate_policy_watch_last_event_timestamp_seconds{source="configmap:a/b"} 12.5',
  ]);
  metrics.kubernetes.watchConnected('configmap:a/b', false);
  expect(await shown()).toStrictEqual([
    'scopegate_policy_watch_connected{source="configmap:a/b"} 0',
    'scopegate_policy_watch_last_event_timestamp_seconds{source="configmap:a/b"} 12.5',
  ]);
});

it('requests to the API server: by verb and code', async () => {
  const metrics = createMetrics();
  metrics.kubernetes.requested('list', '200');
  metrics.kubernetes.requested('list', '200');
  metrics.kubernetes.requested('watch', 'error');
  expect(await series(metrics, 'scopegate_kubernetes_requests_total')).toStrictEqual([
    'scopegate_kubernetes_requests_total{verb="list",code="200"} 2',
    'scopegate_kubernetes_requests_total{verb="watch",code="error"} 1',
  ]);
});

it('client tokens: ages as they are at the scrape, requests by result; clients that are gone disappear', async () => {
  const metrics = createMetrics();
  metrics.clientTokens.requested('billing', 'oauth_invalid_client');
  metrics.clientTokens.requested('billing', 'ok');
  metrics.clientTokens.requested('gone', 'ok');
  metrics.clientTokens.readAges(() => [['billing', 12]]);
  metrics.policyApplied('h', 0, names([], [], ['billing']));
  const text = await metrics.text();
  expect(text).toContain('scopegate_client_tokens_total{client="billing",result="oauth_invalid_client"} 1\n');
  expect(text).toContain('scopegate_client_tokens_total{client="billing",result="ok"} 1\n');
  expect(text).toContain('scopegate_client_token_age_seconds{client="billing"} 12\n');
  expect(text).not.toContain('gone');
});

it('DP-14 proofs: by what the memory knew, from the start; a store only where there is one', async () => {
  const metrics = createMetrics();
  metrics.proofs.remembered('new');
  metrics.proofs.remembered('new');
  metrics.proofs.remembered('repeated');
  expect(await series(metrics, 'scopegate_proof_memory_total')).toStrictEqual([
    'scopegate_proof_memory_total{result="new"} 2',
    'scopegate_proof_memory_total{result="repeated"} 1',
    'scopegate_proof_memory_total{result="unknown"} 0',
  ]);
  expect(await series(metrics, 'scopegate_proof_store_up')).toStrictEqual([]);
  metrics.proofs.storeUp(true);
  metrics.proofs.storeUp(false);
  expect(await series(metrics, 'scopegate_proof_store_up')).toStrictEqual(['scopegate_proof_store_up 0']);
});
