/**
 * The Helm chart: what its schema lets through works, what it refuses is named, and with the same choices it installs what the kustomize
 * base and components install. With a real helm and a real API server; there is no kubelet, so no pod runs.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { readServeSettings } from '../../src/config/read-serve-settings.ts';
import { lint } from '../../src/rehearsal/lint.ts';
import { badValues, contradictions } from '../chart/bad-values.ts';
import {
  type Container,
  chartFolder,
  deploymentPod,
  environmentOf,
  features,
  objectsIn,
  type Rendered,
  scopegateContainer,
  valuesOf,
} from '../chart/chart-files.ts';
import { comparable, comparisons } from '../chart/comparisons.ts';
import { findHelm, type Helm, type HelmRun } from '../chart/helm.ts';
import { defineOperatorKinds } from '../chart/operators.ts';
import { type ApiServer, type Kubectl, startApiServer } from './api-server.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const release = ['scopegate', chartFolder, '--namespace', 'scopegate'];
const kubernetes = '1.37.2';

let helm: Helm;
let api: ApiServer;
let folder: string;

beforeAll(async () => {
  helm = await findHelm((line) => process.stderr.write(`${line}\n`));
  api = await startApiServer();
  await defineOperatorKinds(api);
  folder = await mkdtemp(join(tmpdir(), 'scopegate-chart-'));
  await succeed(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: namespaces.flatMap(place) }),
  );
}, 1_200_000);
afterAll(async () => {
  await api?.stop();
  await rm(folder, { recursive: true, force: true });
});

const namespaces = ['scopegate', 'scopegate-policies', 'injected'];

/** What the controllers of a cluster would make; Pod Security refuses and warns as in deploy/base. */
function place(name: string): readonly object[] {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
    ...(name === 'injected' ? { 'scopegate.dev/injection': 'enabled' } : {}),
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
  ];
}

async function succeed(args: readonly string[], input?: string): Promise<Kubectl> {
  const ended = await api.kubectl(args, input);
  expect(ended).toMatchObject({ code: 0 });
  return ended;
}

function template(args: readonly string[], version = kubernetes): Promise<HelmRun> {
  return helm.run(['template', ...release, '--kube-version', version, ...args]);
}

async function rendered(args: readonly string[], version?: string): Promise<readonly Rendered[]> {
  const { code, stdout, stderr } = await template(args, version);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return objectsIn(stdout);
}

describe('each values file of ci/', () => {
  it('are there', () => {
    expect(features.length).toBeGreaterThan(15);
  });

  it.each(features)('%s: lints', async (feature) => {
    const { code, stdout } = await helm.run([
      'lint',
      '--strict',
      chartFolder,
      '--kube-version',
      kubernetes,
      ...valuesOf(feature),
    ]);
    expect(stdout).toContain('0 chart(s) failed');
    expect(code).toBe(0);
  });

  it.each(features)('%s: Scopegate accepts every option', async (feature) => {
    const objects = await rendered(valuesOf(feature));
    expect(readServeSettings(new Map(), environmentOf(scopegateContainer(objects)))).toMatchObject({
      settings: { policySources: expect.anything() },
    });
  });

  it.each(features)(
    '%s: the API server takes all of it, under the restricted profile and without a warning',
    async (feature) => {
      const { stdout } = await template(valuesOf(feature));
      const { code, stderr } = await api.kubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], stdout);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );

  it.each(features)('%s: has no limit of CPU, no token by accident, and all mounts a volume', async (feature) => {
    const pod = deploymentPod(await rendered(valuesOf(feature)));
    const [container] = pod.containers as readonly (Container & { volumeMounts: readonly { name: string }[] })[];
    expect(container?.resources.limits).not.toHaveProperty('cpu');
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(pod.volumes.map(({ name }) => name).toSorted()).toEqual(
      container?.volumeMounts.map(({ name }) => name).toSorted(),
    );
  });
});

describe('the schema and the templates', () => {
  it.each(Object.entries(badValues))('%s', async (_name, { values, says }) => {
    const file = join(folder, 'values.yaml');
    await writeFile(file, values);
    const { code, stderr } = await template(['--values', file]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(says);
    // A line for what is wrong, and none for its consequences.
    expect(stderr.split('\n').filter((line) => line.startsWith('- at '))).toHaveLength(1);
  });

  it.each(Object.entries(contradictions))('%s', async (_name, { values, says, version }) => {
    const file = join(folder, 'values.yaml');
    await writeFile(file, values);
    const { code, stderr } = await template(['--values', file], version);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(says);
  });
});

describe('docs/helm.md', () => {
  const page = readFileSync(join(repository, 'docs/helm.md'), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n(# values\.yaml[^]*?)```/g)].map(([, text]): [string] => [text ?? '']);

  it('has values, and a command with what it says', async () => {
    expect(blocks.length).toBeGreaterThan(4);
    const [, command = '', says = ''] = /```console\n\$ helm template (.*)\n([^]*?)```/.exec(page) ?? [];
    const [, , ...flags] = command.split(' ');
    expect(await template(flags)).toMatchObject({ code: 1, stderr: expect.stringContaining(says) });
  });

  it.each(blocks)('%s: renders', async (values) => {
    const file = join(folder, 'values.yaml');
    await writeFile(file, values);
    expect(deploymentPod(await rendered(['--values', file])).containers).toHaveLength(1);
  });
});

describe('the same choices in kustomize', () => {
  it.each(Object.entries(comparisons))(
    '%s: the same objects',
    async (_name, { resources, components, args, kinds }) => {
      const list = (paths: readonly string[]): string =>
        JSON.stringify(paths.map((path) => relative(folder, join(repository, 'deploy', path))));
      await writeFile(
        join(folder, 'kustomization.yaml'),
        `resources: ${list(resources)}\ncomponents: ${list(components)}\n`,
      );
      const { stdout } = await succeed(['kustomize', folder]);
      const wanted = comparable(objectsIn(stdout)).filter(({ kind }) => kinds?.includes(kind) ?? kind !== 'Namespace');
      const { stdout: chart } = await template(['--no-hooks', ...args]);
      const found = comparable(objectsIn(chart)).filter(({ kind }) => kinds?.includes(kind) ?? true);
      expect(wanted.length).toBeGreaterThan(0);
      expect(found).toEqual(wanted);
    },
  );

  it('the defaults: the labels too', async () => {
    const { stdout } = await succeed(['kustomize', join(repository, 'deploy/base')]);
    const labels = (objects: readonly Rendered[]): object =>
      Object.fromEntries(objects.map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata['labels']]));
    const wanted = objectsIn(stdout).filter(({ kind }) => kind !== 'Namespace');
    expect(labels(await rendered(['--no-hooks']))).toMatchObject(labels(wanted));
  });
});

describe('Kubernetes 1.29, which has no preStop sleep', () => {
  it('the pod waits by means of Node', async () => {
    const old = scopegateContainer(await rendered([], '1.29.0'));
    expect(old).toMatchObject({
      lifecycle: { preStop: { exec: { command: ['/nodejs/bin/node', '--eval', 'setTimeout(() => {}, 5000)'] } } },
    });
    expect(scopegateContainer(await rendered([], '1.30.0'))).toMatchObject({
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    });
  });

  it('1.28 is refused', async () => {
    expect(await template([], '1.28.9')).toMatchObject({ code: 1, stderr: expect.stringContaining('>=1.29.0-0') });
  });
});

describe('a release', () => {
  const own = valuesOf('own-policy');
  const inNamespace = ['--namespace', 'scopegate'];

  async function stored(kind: string, name: string): Promise<Rendered> {
    const { stdout } = await succeed([...inNamespace, 'get', kind, name, '--output', 'json']);
    return JSON.parse(stdout) as Rendered;
  }

  it('a change of the policy changes the ConfigMap and restarts nothing; the policy stays when the release goes', async () => {
    const installed = await helm.run(['install', ...release, ...own], api.kubeconfig);
    expect(installed).toMatchObject({ code: 0 });
    const { code, stderr } = await helm.run(
      ['upgrade', ...release, ...own, '--set-string', 'policy.documents.rules\\.yaml=# changed'],
      api.kubeconfig,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const deployment = await stored('deployment', 'scopegate');
    expect(deployment.metadata['generation']).toBe(1);
    const { data } = await stored('configmap', 'scopegate-policy');
    expect(data).toMatchObject({ 'rules.yaml': '# changed' });
    expect(await helm.run(['uninstall', 'scopegate', ...inNamespace], api.kubeconfig)).toMatchObject({ code: 0 });
    await stored('configmap', 'scopegate-policy');
    expect(await api.kubectl([...inNamespace, 'get', 'deployment', 'scopegate'])).toMatchObject({ code: 1 });
  });

  it('its policy documents are free of mistakes, and their tests pass', async () => {
    const policy = (await rendered(own)).find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'scopegate-policy',
    );
    const data = policy?.['data'] as Record<string, string>;
    const files = Object.entries(data).map(([name, text]) => ({ name, text }));
    const { problems, rehearsals } = await lint(files, Date.parse('2026-11-01T12:00:00Z'));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(rehearsals).toHaveLength(1);
  });

  it('the notes name the Service, and the Envoy configuration in them is whole and closed', async () => {
    const { code, stdout } = await helm.run(
      ['install', 'edge', chartFolder, ...inNamespace, '--dry-run=server', '--set', 'service.port=8443'],
      api.kubeconfig,
    );
    expect(code).toBe(0);
    const notes = stdout.slice(stdout.indexOf('\nNOTES:'));
    expect(notes).toContain('Envoy asks it at edge-scopegate.scopegate.svc.cluster.local:8443');
    expect(notes).toContain('create configmap edge-scopegate-policy');
    const [filter, cluster] = [...notes.matchAll(/^ {5}- name: [^]*?(?=\n\n|\n {3}\S|\s*$(?![^]))/gm)].map(
      ([text]) => (parse(text) as readonly unknown[])[0],
    );
    expect(filter).toMatchObject({
      name: 'envoy.filters.http.ext_authz',
      typed_config: { failure_mode_allow: false, status_on_error: { code: 503 }, grpc_service: { timeout: '0.5s' } },
    });
    expect(cluster).toMatchObject({ name: 'scopegate', type: 'STRICT_DNS' });
    expect(JSON.stringify(cluster)).toContain(
      '"address":"edge-scopegate-headless.scopegate.svc.cluster.local","port_value":9001',
    );
  });
});

describe('injection', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace: 'injected', labels: { 'scopegate.dev/inject': 'true' } },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'app',
          image: 'app',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };

  interface Injected {
    readonly spec: { readonly initContainers?: readonly Container[]; readonly volumes?: readonly unknown[] };
  }

  async function created(): Promise<Injected> {
    const args = ['create', '--dry-run=server', '--output', 'json', '-f', '-'];
    return JSON.parse((await succeed(args, JSON.stringify(pod))).stdout) as Injected;
  }

  async function inject(feature: string): Promise<Injected> {
    const { stdout } = await template([...valuesOf(feature), '--show-only', 'templates/injection.yaml']);
    await succeed(['apply', '-f', '-'], stdout);
    // The API server's own cache learns of it a moment later.
    await vi.waitUntil(async () => (await created()).spec.initContainers !== undefined, {
      timeout: 20_000,
      interval: 200,
    });
    const injected = await created();
    await succeed(['delete', '-f', '-'], stdout);
    await vi.waitUntil(async () => (await created()).spec.initContainers === undefined, {
      timeout: 20_000,
      interval: 200,
    });
    return injected;
  }

  it('the sidecar is the one of components/sidecar', async () => {
    const { spec } = await inject('injection');
    const text = await readFile(join(repository, 'deploy/components/sidecar/sidecar.yaml'), 'utf8');
    const component = (objectsIn(text)[0] as unknown as { spec: { template: Injected } }).spec.template.spec;
    const [wanted] = component.initContainers ?? [];
    const [found] = spec.initContainers ?? [];
    expect(found).toMatchObject({ ...wanted, image: 'scopegate/scopegate:0.1.0', env: expect.anything() });
    const environment = environmentOf(found ?? expect.fail('no sidecar'));
    // Here it follows from the limit.
    expect(environment).toEqual({
      ...environmentOf(wanted ?? expect.fail()),
      NODE_OPTIONS: '--max-old-space-size=160',
    });
    expect(spec.volumes).toMatchObject(component.volumes ?? []);
    expect(readServeSettings(new Map(), { ...environment, SCOPEGATE_POLICY: '/policy' })).toHaveProperty('settings');
  });

  it('the policy may be a mounted file', async () => {
    const { spec } = await inject('injection-mounted');
    const [found] = spec.initContainers ?? [];
    expect(environmentOf(found ?? expect.fail('no sidecar'))).toEqual({
      SCOPEGATE_POLICY: '/etc/scopegate/policy',
      SCOPEGATE_GRPC: '127.0.0.1:9001',
      SCOPEGATE_ADMIN: '0.0.0.0:9002',
      SCOPEGATE_LOG_LEVEL: 'warn',
      SCOPEGATE_LOG_FORMAT: 'json',
      SCOPEGATE_DECISION_LOG: 'all',
      SCOPEGATE_DECISION_LOG_SAMPLE: '0.01',
      SCOPEGATE_DRAIN: '5s',
      NODE_OPTIONS: '--max-old-space-size=864',
    });
    expect(spec.volumes).toMatchObject([{ name: 'scopegate-policy', configMap: { name: 'orders-policy' } }]);
  });
});

describe('admission of labelled policies', () => {
  it('an empty ConfigMap is refused with the label, and none of ours without it', async () => {
    const { stdout } = await template([
      ...valuesOf('admission-labelled'),
      '--show-only',
      'templates/admission-policy.yaml',
    ]);
    await succeed(['apply', '-f', '-'], stdout);
    const empty = (labels: object): Promise<Kubectl> =>
      api.kubectl(
        ['create', '--dry-run=server', '-f', '-'],
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'team-a', namespace: 'scopegate', labels },
        }),
      );
    const labels = { 'scopegate.dev/policy': 'true' };
    await vi.waitUntil(async () => (await empty(labels)).code !== 0, { timeout: 20_000, interval: 200 });
    expect((await empty(labels)).stderr).toContain('needs a key under data that ends in .yaml');
    expect(await empty({})).toMatchObject({ code: 0 });
  });
});
