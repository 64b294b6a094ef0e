/**
 * What an API server does to the answers of a client when it dies, hangs, comes back, or when something between lies: nothing, until it
 * can be heard again, and then what was changed in the meantime decides soon. And what it costs the API server to be missed.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Serve } from '../support/serve.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { applyShippedRole, createToken, succeed } from './cluster-access.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { type Lie, type LyingProxy, startLyingProxy } from './lying-proxy.ts';
import { answerUnder, Stage, samples, untilSample, untilWatching } from './stage.ts';
import type { SteadyClient } from './steady-client.ts';

const recoveryMs = 5000;
const outageMs = 20_000;
const maxAttempts = 15;

let api: ApiServer;
let stage: Stage;

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api?.stop());
afterEach(async () => {
  await stage?.close();
  // After a test that failed while it was away.
  await api?.revive();
});

interface Running {
  readonly serve: Serve;
  readonly proxy: LyingProxy;
  readonly client: SteadyClient;
}

async function startProxy(): Promise<LyingProxy> {
  const proxy = await startLyingProxy(api);
  stage.cleanUp(() => proxy.close());
  return proxy;
}

/** Scopegate behind a proxy that has not lied yet, and a client that asks it through Envoy; version `sub` decides. */
async function running(...args: readonly string[]): Promise<Running> {
  stage = await Stage.create(api);
  await stage.applyVersion('sub');
  const proxy = await startProxy();
  return { proxy, ...(await serving(await stage.kubeconfig(proxy), ...args)) };
}

async function serving(kubeconfig: string, ...args: readonly string[]): Promise<Omit<Running, 'proxy'>> {
  const serve = await stage.serve(kubeconfig, ...args);
  await serve.logged('ready');
  await untilWatching(serve, stage.source);
  const client = stage.client(await stage.envoy(serve));
  await client.seen(answerUnder.sub);
  return { serve, client };
}

/**
 * How long it took, from the end of `recover`, until the version decides that was applied when nobody could see it, or was applied by
 * `recover` itself. No other answer may come before, in between or afterwards.
 */
async function recovery({ client, serve }: Omit<Running, 'proxy'>, recover: () => unknown): Promise<number> {
  expect(client.answers()).toEqual([answerUnder.sub]);
  const seen = client.seen(answerUnder.client_id);
  await recover();
  const recoveredMs = performance.now();
  const tookMs = (await seen) - recoveredMs;
  await untilWatching(serve, stage.source);
  expect(client.answers()).toEqual(Object.values(answerUnder).toSorted());
  return tookMs;
}

function answering(status: number, headers: Readonly<Record<string, string>> = {}): Lie {
  return { kind: 'answer', status, headers };
}

/** While they are told, no list and no watch comes about. */
const outages: Record<string, Lie> = {
  'closes every connection': { kind: 'drop' },
  'resets every connection': { kind: 'reset' },
  'answers 401': answering(401),
  'answers 403': answering(403),
  'answers 410': answering(410),
  'answers 429': answering(429),
  'answers 429 with Retry-After': answering(429, { 'retry-after': '2' }),
  'answers 500': answering(500),
};

/** The lists are true, and the watches are not; `end` is what Scopegate says of them. */
const lies: Record<string, { readonly lie: Lie; readonly end?: string }> = {
  'ends each watch within a line': { lie: { kind: 'truncate' }, end: 'the API server ended the watch' },
  'writes gibberish into watches': { lie: { kind: 'gibberish' }, end: 'a line of the watch is not an event' },
  'says 410 in watches': { lie: { kind: 'expire' }, end: 'too old resource version: 1 (2)' },
  'holds back each piece for 1.5 s': { lie: { kind: 'delay', ms: 1500 } },
};

describe('something between that', () => {
  it.each(Object.entries(outages))('%s: the policy decides, a change arrives afterwards', async (_name, lie) => {
    const { serve, proxy, client } = await running();
    proxy.tell(lie);
    await proxy.attempted(3);
    await untilSample(serve, `scopegate_policy_watch_connected{source="${stage.source}"}`, 0);
    await stage.applyVersion('client_id');
    expect((await serve.readyz()).status).toBe(200);
    expect(await recovery({ serve, client }, () => proxy.tellTheTruth())).toBeLessThan(recoveryMs);
  });

  it.each(Object.entries(lies))('%s: the policy decides, changes arrive all the same', async (_name, { lie, end }) => {
    const { serve, proxy, client } = await running('--log-level', 'debug');
    proxy.tell(lie);
    expect(await recovery({ serve, client }, () => stage.applyVersion('client_id'))).toBeLessThan(recoveryMs);
    if (end !== undefined) await serve.logged('watch ended', ({ reason }) => reason === end);
    proxy.tellTheTruth();
    const seen = client.seen(answerUnder.sub);
    await stage.applyVersion('sub');
    const exitedMs = performance.now();
    expect((await seen) - exitedMs).toBeLessThan(recoveryMs);
    expect(client.answers()).toEqual(Object.values(answerUnder).toSorted());
  });

  it('forgets the open connection without a word: found out after --watch-idle-timeout, then a change arrives', async () => {
    const idleMs = 11_000;
    const { serve, proxy, client } = await running('--watch-idle-timeout', '11s', '--log-level', 'debug');
    proxy.tell({ kind: 'strand' });
    const strandedMs = performance.now();
    await stage.applyVersion('client_id');
    const tookMs = await recovery({ serve, client }, () =>
      serve.logged('watch ended', ({ reason }) => reason === 'nothing was heard from the API server for 11 s'),
    );
    expect(tookMs).toBeLessThan(recoveryMs);
    expect(performance.now() - strandedMs).toBeLessThan(idleMs + recoveryMs);
  });

  it('swallows every byte of every connection: the policy decides, a change arrives when it is over', async () => {
    const { serve, proxy, client } = await running('--watch-idle-timeout', '11s');
    proxy.tell({ kind: 'swallow' });
    await stage.applyVersion('client_id');
    await proxy.attempted(2);
    expect(await recovery({ serve, client }, () => proxy.tellTheTruth())).toBeLessThan(recoveryMs);
  });
});

describe('credentials that change', () => {
  it('a token that is refused and replaced in its file: the policy decides, then a change arrives', async () => {
    stage = await Stage.create(api);
    await stage.applyVersion('sub');
    const proxy = await startProxy();
    const tokenFile = join(api.folder, `${stage.namespace}.token`);
    const kubeconfig = join(api.folder, `${stage.namespace}.kubeconfig`);
    await writeFile(tokenFile, await createToken(api, stage.namespace));
    await writeFile(kubeconfig, kubeconfigText({ server: proxy.url, ca: proxy.ca, tokenFile }));
    const { serve, client } = await serving(kubeconfig);
    // Tokens are bound to the account that was there: one of the same name is another.
    await succeed(api, ['-n', stage.namespace, 'delete', 'serviceaccount', 'scopegate']);
    await applyShippedRole(api, stage.namespace);
    // The API server remembers for 10 s that it accepted a token.
    const refused = async (): Promise<number> => {
      cutConnections(proxy);
      return refusals(serve, 'list', '401');
    };
    await expect.poll(refused, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(2);
    await stage.applyVersion('client_id');
    const token = await createToken(api, stage.namespace);
    expect(await recovery({ serve, client }, () => writeFile(tokenFile, `${token}\n`))).toBeLessThan(recoveryMs);
  });

  it('a server with a certificate of another authority: refused until the kubeconfig names it', async () => {
    const { serve, proxy, client } = await running();
    const kubeconfig = await stage.kubeconfig(proxy);
    const ca = proxy.renewCertificate();
    cutConnections(proxy);
    await serve.logged('list failed', ({ reason }) => String(reason).startsWith('certificate problem'));
    await stage.applyVersion('client_id');
    const text = kubeconfigText({ server: proxy.url, ca, token: await createToken(api, stage.namespace) });
    expect(await recovery({ serve, client }, () => writeFile(kubeconfig, text))).toBeLessThan(recoveryMs);
  });

  /** Whoever comes back is let in. */
  function cutConnections(proxy: LyingProxy): void {
    proxy.tell({ kind: 'drop' });
    proxy.tellTheTruth();
  }

  async function refusals(serve: Serve, verb: string, code: string): Promise<number> {
    const all = await samples(serve, 'scopegate_kubernetes_requests_total');
    return all.get(`{verb="${verb}",code="${code}"}`) ?? 0;
  }
});

describe('no API server at start', () => {
  it('unreachable: listening, not ready, every answer 503; ready within 5 s of its coming', async () => {
    stage = await Stage.create(api);
    await stage.applyVersion('sub');
    const kubeconfig = await stage.kubeconfig();
    await api.kill();
    const serve = await stage.serve(kubeconfig);
    const envoy = await stage.envoy(serve);
    await serve.logged('list failed');
    expect(await stage.ask(envoy)).toBe('503 policy_unavailable');
    expect((await serve.readyz()).status).toBe(503);
    await api.restart();
    const backMs = performance.now();
    await serve.logged('ready');
    expect(performance.now() - backMs).toBeLessThan(recoveryMs);
    expect(await stage.ask(envoy)).toBe(answerUnder.sub);
  });

  it('a token without the Role: not ready, and says what the Role must allow; ready within 5 s of the Role', async () => {
    stage = await Stage.createWithoutRole(api);
    await stage.applyVersion('sub');
    await api.request('POST', `/api/v1/namespaces/${stage.namespace}/serviceaccounts`, {
      metadata: { name: 'scopegate' },
    });
    const serve = await stage.serve(await stage.kubeconfig());
    const { reason } = await serve.logged('list failed');
    expect(reason).toContain('403');
    expect(reason).toContain(`list on configmaps "scopegate-policy" in namespace "${stage.namespace}"`);
    expect(await serve.readyz()).toMatchObject({ status: 503 });
    await applyShippedRole(api, stage.namespace);
    const allowedMs = performance.now();
    await serve.logged('ready');
    expect(performance.now() - allowedMs).toBeLessThan(recoveryMs);
  });
});

describe(`an outage of ${outageMs / 1000} s`, () => {
  /** The outage itself, whose length is what the test is about. */
  async function lasts(): Promise<void> {
    await delay(outageMs);
  }

  it('killed: the policy decides, fewer than 15 requests, a change after the restart arrives', async () => {
    const { serve, proxy, client } = await running();
    const before = proxy.attempts();
    await api.kill();
    await lasts();
    const attempts = proxy.attempts() - before;
    const tookMs = await recovery({ serve, client }, async () => {
      await api.restart();
      await stage.applyVersion('client_id');
    });
    console.log(`killed: ${attempts} requests in ${outageMs / 1000} s, recovered ${tookMs.toFixed(0)} ms after it`);
    expect(attempts).toBeGreaterThan(0);
    expect(attempts).toBeLessThan(maxAttempts);
    expect(tookMs).toBeLessThan(recoveryMs);
  });

  it('frozen: the policy decides, fewer than 15 requests, a change after the thaw arrives', async () => {
    const { serve, proxy, client } = await running('--watch-idle-timeout', '11s');
    const before = proxy.attempts();
    api.freeze();
    await lasts();
    api.thaw();
    const attempts = proxy.attempts() - before;
    const tookMs = await recovery({ serve, client }, () => stage.applyVersion('client_id'));
    console.log(`frozen: ${attempts} requests in ${outageMs / 1000} s, recovered ${tookMs.toFixed(0)} ms after it`);
    expect(attempts).toBeGreaterThan(0);
    expect(attempts).toBeLessThan(maxAttempts);
    expect(tookMs).toBeLessThan(recoveryMs);
  });

  it('restarted at once: a change afterwards arrives', async () => {
    const { serve, client } = await running();
    const tookMs = await recovery({ serve, client }, async () => {
      await api.restart();
      await stage.applyVersion('client_id');
    });
    expect(tookMs).toBeLessThan(recoveryMs);
  });

  it('every way of being away: fewer than 15 requests, and the change of the meantime within 5 s of the end', async () => {
    stage = await Stage.create(api);
    await stage.applyVersion('sub');
    const ways: Record<string, Lie> = { ...outages, 'swallows every byte': { kind: 'swallow' } };
    const all = await Promise.all(
      Object.entries(ways).map(async ([name, lie]) => {
        const proxy = await startProxy();
        const serve = await stage.serve(await stage.kubeconfig(proxy), '--watch-idle-timeout', '11s');
        await untilWatching(serve, stage.source);
        return { name, lie, proxy, serve, applied: await serve.logged('policy applied') };
      }),
    );
    for (const { proxy, lie } of all) proxy.tell(lie);
    const before = all.map(({ proxy }) => proxy.attempts());
    await lasts();
    const attempts = all.map(({ proxy }, at) => proxy.attempts() - (before[at] ?? 0));
    await stage.applyVersion('client_id');
    const recoveredMs = performance.now();
    const recoveries = all.map(async ({ proxy, serve, applied }) => {
      proxy.tellTheTruth();
      await serve.logged('policy applied', ({ policy }) => policy !== applied['policy']);
      return performance.now() - recoveredMs;
    });
    const tookMs = await Promise.all(recoveries);
    for (const [at, { name }] of all.entries()) {
      console.log(
        `${name}: ${attempts[at]} requests in ${outageMs / 1000} s, recovered after ${tookMs[at]?.toFixed(0)} ms`,
      );
    }
    expect(Math.min(...attempts)).toBeGreaterThan(0);
    expect(Math.max(...attempts)).toBeLessThan(maxAttempts);
    expect(Math.max(...tookMs)).toBeLessThan(recoveryMs);
    for (const { serve } of all) expect((await serve.readyz()).status).toBe(200);
  });
});
