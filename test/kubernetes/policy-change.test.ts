/**
 * What `kubectl apply` does to the answers that a client gets from a real Envoy, with a real API server and a token that has only the
 * shipped Role. The client is the judge; what operators are told is looked up where they look.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningEnvoy } from '../../deploy/envoy/process.ts';
import type { Serve } from '../support/serve.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { succeed } from './cluster-access.ts';
import { answerUnder, policyName, Stage, samples, untilSample, untilWatching, type Version } from './stage.ts';

let api: ApiServer;
let stage: Stage;

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api?.stop());
afterEach(() => stage?.close());

/** A stage on which version `sub` decides. */
async function running(...args: readonly string[]): Promise<{ serve: Serve; envoy: RunningEnvoy }> {
  stage = await Stage.create(api);
  await stage.applyVersion('sub');
  const serve = await stage.serve(await stage.kubeconfig(), ...args);
  await serve.logged('ready');
  await untilWatching(serve, stage.source);
  // Here the API server only answers, and nothing has to be waited for.
  const envoy = await stage.envoy(serve, {});
  expect(await stage.ask(envoy)).toBe(answerUnder.sub);
  return { serve, envoy };
}

interface PolicyEvent {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly regarding: Readonly<Record<string, string>>;
}

async function events(): Promise<readonly PolicyEvent[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${stage.namespace}/events`;
  return ((await api.request('GET', path)) as { items: readonly PolicyEvent[] }).items;
}

/** Awaits an Event with this reason of which `note` is a part. */
async function untilEvent(reason: string, note = ''): Promise<PolicyEvent> {
  let found: PolicyEvent | undefined;
  await expect
    .poll(
      async () => {
        found = (await events()).find((event) => event.reason === reason && event.note.includes(note));
        return found;
      },
      { timeout: 30_000, interval: 100 },
    )
    .toBeDefined();
  return found as PolicyEvent;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const other: Readonly<Record<Version, Version>> = { sub: 'client_id', client_id: 'sub' };

describe('kubectl apply', () => {
  it('of a changed policy: another answer within 1 s of kubectl’s exit, 20 times of 20', async () => {
    const { envoy } = await running();
    const client = stage.client(envoy);
    const latenciesMs: number[] = [];
    let version: Version = 'sub';
    for (let round = 0; round < 20; round += 1) {
      version = other[version];
      const seen = client.seen(answerUnder[version]);
      await stage.applyVersion(version);
      const exitedMs = performance.now();
      latenciesMs.push((await seen) - exitedMs);
      await expectOnly(client, version);
    }
    const worst = Math.max(...latenciesMs);
    console.log(
      `kubectl apply to another answer through Envoy, after kubectl's exit (below 0: before it), 20 rounds: ` +
        `median ${median(latenciesMs).toFixed(0)} ms, worst ${worst.toFixed(0)} ms`,
    );
    expect(worst).toBeLessThan(1000);
  });

  /** The change is there for good: the next answers are all of the new version. */
  async function expectOnly(client: ReturnType<Stage['client']>, version: Version): Promise<void> {
    await client.forget();
    await client.seen(answerUnder[version]);
    expect(client.answers()).toEqual([answerUnder[version]]);
  }

  it('of a broken policy: the answer stays; Event, metrics, log and /readyz say where it is wrong', async () => {
    const { serve, envoy } = await running();
    const client = stage.client(envoy);
    const broken = stage.policy('client_id').replace('scopes: [read]', 'scopes: ["re ad"]');
    const line = broken.split('\n').findIndex((text) => text.includes('re ad')) + 1;
    const column = (broken.split('\n')[line - 1]?.indexOf('"re ad"') ?? 0) + 1;
    const place = `configmap/${stage.namespace}/${policyName}/policy.yaml:${line}:${column}`;
    await stage.apply(broken);
    const { problems, source } = await serve.logged('policy refused, its last good version stays');
    expect(JSON.stringify(problems)).toContain(`${place}: `);
    expect(source).toBe(`configmap/${stage.namespace}/${policyName}`);
    const event = await untilEvent('PolicyRejected', place);
    expect(event).toMatchObject({
      type: 'Warning',
      regarding: { kind: 'ConfigMap', namespace: stage.namespace, name: policyName },
    });
    expect((await samples(serve, 'scopegate_policy_sources')).get('{state="rejected"}')).toBe(1);
    expect((await samples(serve, 'scopegate_policy_rejections_total')).get('')).toBe(1);
    const { status, body } = await serve.readyz();
    expect(status).toBe(200);
    const file = place.replace(/:\d+:\d+$/, '');
    expect(body).toMatchObject({ rejected: [{ source, problems: [{ file, line, column }] }] });
    expect(client.answers()).toEqual([answerUnder.sub]);

    const mended = client.seen(answerUnder.client_id);
    await stage.applyVersion('client_id');
    await mended;
    await untilSample(serve, 'scopegate_policy_sources{state="rejected"}', 0);
    const [hash] = [...(await samples(serve, 'scopegate_policy_info')).keys()];
    expect(hash).toMatch(/^\{hash="[0-9a-f]{16}"\}$/);
    await untilEvent('PolicyApplied', hash?.slice(7, 23));
  });

  it('of a policy whose own test fails: the answer stays, the test is named', async () => {
    const { serve, envoy } = await running();
    const test = `tests:
  - name: nobody may read
    request: GET https://orders.example.com/api/a
    token: { issuer: corp, claims: { sub: ada, scope: read } }
    expect: { decision: deny }
`;
    await stage.apply(stage.policy('client_id') + test);
    const { problems } = await serve.logged('policy refused, its last good version stays');
    expect(JSON.stringify(problems)).toContain('nobody may read');
    expect(await stage.ask(envoy)).toBe(answerUnder.sub);
  });

  it('10 changes in 5 s at 200 requests a second: every answer is one that the policies give', async () => {
    const { serve, envoy } = await running();
    const client = stage.client(envoy, 200);
    await client.seen(answerUnder.sub);
    const path = `/api/v1/namespaces/${stage.namespace}/configmaps/${policyName}`;
    let version: Version = 'sub';
    const startedMs = performance.now();
    for (let change = 1; change <= 10; change += 1) {
      version = other[version];
      const seen = client.seen(answerUnder[version]);
      await api.request('PATCH', path, { data: { 'policy.yaml': stage.policy(version) } });
      await seen;
      await pause(startedMs + change * 500 - performance.now());
    }
    const tookMs = performance.now() - startedMs;
    await client.stop();
    const counts = Object.fromEntries(client.counts);
    const slowest = `slowest answer ${client.slowestMs.toFixed(0)} ms`;
    console.log(`10 changes in ${(tookMs / 1000).toFixed(1)} s: ${JSON.stringify(counts)}, ${slowest}`);
    expect(client.answers()).toEqual(Object.values(answerUnder).toSorted());
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(900);
    expect(serve.entries.filter(({ msg }) => msg === 'fault' || msg === 'stderr')).toEqual([]);
  });

  /** What is left of a pace; not a wait for anything. */
  async function pause(ms: number): Promise<void> {
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }
});

describe('a ConfigMap that comes and goes', () => {
  it('absent at start: listening and not ready, ready when it comes', async () => {
    stage = await Stage.create(api);
    const serve = await stage.serve(await stage.kubeconfig());
    const envoy = await stage.envoy(serve);
    await untilWatching(serve, stage.source);
    expect(await stage.ask(envoy)).toBe('503 policy_unavailable');
    expect((await serve.readyz()).status).toBe(503);
    await stage.applyVersion('sub');
    await serve.logged('ready');
    expect(await stage.ask(envoy)).toBe(answerUnder.sub);
  });

  it('deleted: the last good version stays and it is said; created again with another text: that one decides', async () => {
    const { serve, envoy } = await running();
    const client = stage.client(envoy);
    await client.seen(answerUnder.sub);
    await succeed(api, ['-n', stage.namespace, 'delete', 'configmap', policyName]);
    await serve.logged('policy source cannot be read, what was loaded of it before stays');
    await untilEvent('PolicyDeleted');
    const { status, body } = await serve.readyz();
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toContain(stage.source);
    await client.forget();
    await client.seen(answerUnder.sub);
    const seen = client.seen(answerUnder.client_id);
    await stage.applyVersion('client_id');
    const exitedMs = performance.now();
    expect((await seen) - exitedMs).toBeLessThan(1000);
    await serve.logged('policy source can be read again');
    expect(client.answers()).toEqual(Object.values(answerUnder).toSorted());
  });

  it('deleted and created again at once, and left without a document: the last good version stays', async () => {
    const { serve, envoy } = await running();
    await stage.apply('# nothing yet\n');
    await serve.logged('policy refused, its last good version stays');
    expect(await stage.ask(envoy)).toBe(answerUnder.sub);
    const client = stage.client(envoy);
    const seen = client.seen(answerUnder.client_id);
    await succeed(api, ['-n', stage.namespace, 'delete', 'configmap', policyName]);
    await stage.applyVersion('client_id');
    await seen;
    expect(client.answers()).toEqual(Object.values(answerUnder).toSorted());
  });
});

describe('configmaps: by a label', () => {
  const label = { 'scopegate.dev/policy': 'true' };

  function rule(name: string): string {
    return `apiVersion: scopegate.dev/v1
kind: Policy
rules:
  - name: ${name}
    paths: [/${name}]
    access: public
`;
  }

  it('each adds its rules; one that loses its label, or is deleted, takes them with it', async () => {
    stage = await Stage.create(api, ['labelled-sources']);
    const { namespace } = stage;
    const source = `configmaps:${namespace}?scopegate.dev/policy=true`;
    await stage.apply(stage.policy('sub'), 'issuers', label);
    await stage.apply(rule('red'), 'red', label);
    await stage.apply(rule('unlabelled'), 'unlabelled');
    const serve = await stage.start('--policy', source, '--kubeconfig', await stage.kubeconfig());
    await serve.logged('ready');
    await untilWatching(serve, source);
    const envoy = await stage.envoy(serve);
    const allowed = async (): Promise<readonly string[]> => {
      const paths = ['/api/a', '/red', '/blue', '/unlabelled'];
      const answers = await Promise.all(paths.map((path) => stage.ask(envoy, path)));
      return paths.filter((_, at) => answers[at]?.startsWith('200'));
    };
    const untilAllowed = (...paths: string[]): Promise<unknown> =>
      expect.poll(allowed, { timeout: 30_000, interval: 50 }).toEqual(paths);

    expect(await allowed()).toEqual(['/api/a', '/red']);
    await stage.apply(rule('blue'), 'blue', label);
    await untilAllowed('/api/a', '/red', '/blue');
    await succeed(api, ['-n', namespace, 'label', 'configmap', 'red', 'scopegate.dev/policy-']);
    await untilAllowed('/api/a', '/blue');
    await succeed(api, ['-n', namespace, 'delete', 'configmap', 'blue']);
    await untilAllowed('/api/a');
    await succeed(api, ['-n', namespace, 'label', 'configmap', 'red', 'scopegate.dev/policy=true']);
    await untilAllowed('/api/a', '/red');
    expect(await stage.ask(envoy, '/unlabelled')).toBe('403 no_rule');
  });

  it('one of several is bad: its last good version stays, the others change', async () => {
    stage = await Stage.create(api, ['labelled-sources']);
    const source = `configmaps:${stage.namespace}?scopegate.dev/policy=true`;
    await stage.apply(stage.policy('sub'), 'issuers', label);
    await stage.apply(rule('red'), 'red', label);
    const serve = await stage.start('--policy', source, '--kubeconfig', await stage.kubeconfig());
    await serve.logged('ready');
    const envoy = await stage.envoy(serve);
    await stage.apply(rule('red').replace('access: public', 'access: all'), 'red', label);
    const { problems } = await serve.logged('policy refused, its last good version stays');
    expect(JSON.stringify(problems)).toContain(`configmap/${stage.namespace}/red/policy.yaml:6:`);
    await stage.apply(stage.policy('client_id'), 'issuers', label);
    await expect.poll(() => stage.ask(envoy), { timeout: 30_000, interval: 50 }).toBe(answerUnder.client_id);
    expect(await stage.ask(envoy, '/red')).toMatch(/^200/);
  });
});
