/** `--state`: a restart while the API server is away, by what a client gets from a real Envoy. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Serve } from '../support/serve.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { succeed } from './cluster-access.ts';
import { answerUnder, policyName, Stage, untilWatching } from './stage.ts';

let api: ApiServer;
let stage: Stage;
let kubeconfig: string;
let state: string;

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api?.stop());
afterEach(async () => {
  await stage?.close();
  await api?.revive();
});

/** Version `sub` was in force, then Scopegate and the API server ended. */
async function endOfBoth(): Promise<void> {
  stage = await Stage.create(api);
  state = await mkdtemp(join(api.folder, 'state-'));
  kubeconfig = await stage.kubeconfig();
  await stage.applyVersion('sub');
  const first = await start();
  await first.logged('ready');
  // A clean end writes what is to be kept; that a killed process has kept it as well is another test's subject.
  await first.child.stop();
  await api.kill();
}

function start(): Promise<Serve> {
  return stage.serve(kubeconfig, '--state', state);
}

it('a restart while the API server is away: what was in force decides, and it is said', async () => {
  await endOfBoth();
  const second = await start();
  await second.logged('ready');
  const envoy = await stage.envoy(second);
  expect(await stage.ask(envoy)).toBe(answerUnder.sub);
  await second.logged('policy source is served from the saved state');
  const { status, body } = await second.readyz();
  expect(status).toBe(200);
  expect(JSON.stringify(body)).toContain(`policy source configmap/${stage.namespace}/${policyName} is served from`);
});

it('the API server comes back with another version: that one decides within 5 s', async () => {
  await endOfBoth();
  const second = await start();
  const client = stage.client(await stage.envoy(second));
  await client.seen(answerUnder.sub);
  const seen = client.seen(answerUnder.client_id);
  await api.restart();
  const backMs = performance.now();
  await stage.applyVersion('client_id');
  expect((await seen) - backMs).toBeLessThan(5000);
  expect(client.answers()).toEqual(Object.values(answerUnder).toSorted());
  await untilWatching(second, stage.source);
  expect(JSON.stringify((await second.readyz()).body)).not.toContain('is served from the saved state');
});

it('the API server comes back without the ConfigMap: what was in force stays', async () => {
  await endOfBoth();
  await api.restart();
  await succeed(api, ['-n', stage.namespace, 'delete', 'configmap', policyName]);
  const second = await start();
  await untilWatching(second, stage.source);
  await second.logged('ready');
  expect(await stage.ask(await stage.envoy(second))).toBe(answerUnder.sub);
  expect(JSON.stringify((await second.readyz()).body)).toContain(stage.source);
});

it('killed soon after a change was applied: the change is what a restart decides by', async () => {
  stage = await Stage.create(api);
  state = await mkdtemp(join(api.folder, 'state-'));
  kubeconfig = await stage.kubeconfig();
  await stage.applyVersion('sub');
  const first = await start();
  await first.logged('ready');
  await stage.applyVersion('client_id');
  await expect.poll(kept, { timeout: 30_000, interval: 10 }).toContain('x-who: client_id');
  await first.child.stop(0);
  await api.kill();
  const second = await start();
  await second.logged('ready');
  expect(await stage.ask(await stage.envoy(second))).toBe(answerUnder.client_id);
});

/** Nobody waits for the state to be written: the file says when it is. */
function kept(): Promise<string> {
  return readFile(join(state, 'sources.json'), 'utf8').catch(() => '');
}
