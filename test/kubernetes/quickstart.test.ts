/**
 * The quick start of the README: its manifest and its `kubectl` commands against a real API server, and the application, Envoy and
 * Scopegate of the manifest as processes here, with the rights of its ServiceAccount. What the README shows under each command has to
 * be what comes out.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Child, startChild } from '../../deploy/envoy/child.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { lint } from '../../src/rehearsal/lint.ts';
import { section } from '../support/readme.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { kubernetesAssets } from './assets.ts';
import { succeed } from './cluster-access.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { bootstrapOf, configMapIn, containerIn, deployPath, manifestsOf } from './manifests.ts';

const namespace = 'scopegate-quickstart';
const manifests = manifestsOf('quickstart.yaml');
const policyText = configMapIn(manifests, 'scopegate-policy')['policy.yaml'] ?? '';
const tokens = Object.fromEntries(
  section('quickstart-tokens')
    .split('\n')
    .map((line): [string, string] => {
      const [name = '', token = ''] = line.split('=');
      return [name, token];
    }),
);

let api: ApiServer;
let app: Child;
let scopegate: Serve;
let envoy: RunningEnvoy;

beforeAll(async () => {
  api = await startApiServer();
  await succeed(api, ['apply', '-f', deployPath('quickstart.yaml')]);
  const appPort = await freePort();
  const { command = [] } = containerIn(manifests, 'demo', 'app');
  const [, ...args] = command;
  app = startChild(process.execPath, args, { env: { ...process.env, PORT: String(appPort) } });
  scopegate = await startServe(...(await serveArguments()));
  await scopegate.logged('ready');
  const config = bootstrapOf(manifests, {
    scopegate: endpointOf(scopegate.grpc[0]),
    app: { host: '127.0.0.1', port: appPort },
  });
  envoy = await startEnvoy(await envoyBinary(() => {}), config);
  // Through Envoy and Scopegate, as the readiness probe of the pod does it.
  while ((await fetch(`http://127.0.0.1:${envoy.port}/healthz`)).status !== 200);
});

afterAll(async () => {
  await envoy?.stop();
  await scopegate?.child.stop();
  await app?.stop();
  await api?.stop();
});

/** The policy source of the manifest, and a token of the pod's ServiceAccount, as the kubelet would mount it. */
async function serveArguments(): Promise<readonly string[]> {
  const { env = [] } = containerIn(manifests, 'demo', 'scopegate');
  const source = env.find(({ name }) => name === 'SCOPEGATE_POLICY')?.value ?? '';
  const token = (await succeed(api, ['-n', namespace, 'create', 'token', 'demo'])).trim();
  const kubeconfig = join(api.folder, 'demo.kubeconfig');
  await writeFile(kubeconfig, kubeconfigText({ server: api.url, ca: api.ca, token }));
  const policy = source.replace('$(POD_NAMESPACE)', namespace);
  return ['--policy', policy, '--kubeconfig', kubeconfig, '--grpc', '127.0.0.1:0', '--drain', '0s'];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The words of a command, quotes and variables understood as far as the README uses them. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) =>
      single ?? (double ?? plain ?? '').replaceAll(/\$([A-Z]+)/g, (_, name: string) => tokens[name] ?? ''),
  );
}

/** What `curl -sw ' %{http_code}\n'` prints. */
async function curl(command: string): Promise<string> {
  const [program, options, format, ...rest] = wordsOf(command);
  expect([program, options, format]).toEqual(['curl', '-sw', ' %{http_code}\\n']);
  const valuesOf = (flag: string): readonly string[] =>
    rest.flatMap((word, index) => (rest[index - 1] === flag ? [word] : []));
  const headers = valuesOf('-H').map((line) => line.split(': ', 2) as [string, string]);
  const url = new URL(`http://${rest.at(-1)}`);
  expect(url.host).toBe('localhost:8000');
  const response = await fetch(`http://127.0.0.1:${envoy.port}${url.pathname}`, {
    method: valuesOf('-X')[0] ?? 'GET',
    headers,
  });
  return `${await response.text()} ${response.status}`;
}

/** The commands of `text`, with what really comes out under each. */
async function played(text: string): Promise<string> {
  const lines: string[] = [];
  for (const [, command = ''] of text.matchAll(/^\$ (.*)$/gm)) {
    lines.push(`$ ${command}`, command.startsWith('kubectl') ? await shell(command) : await curl(command));
  }
  return lines.join('\n');
}

/** What the command prints; of one that applies a policy, when Scopegate has judged that. */
async function shell(command: string): Promise<string> {
  const before = scopegate.entries.length;
  const assets = await kubernetesAssets({ env: process.env, report: () => {} });
  const env = { ...process.env, PATH: `${assets}${delimiter}${process.env['PATH']}`, KUBECONFIG: api.kubeconfig };
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], { env });
  if (command.includes('kubectl apply')) {
    await vi.waitFor(() => {
      const messages = scopegate.entries.slice(before).map(({ msg }) => String(msg));
      expect(messages).toContainEqual(expect.stringMatching(/^policy (applied|refused)/));
    }, 10_000);
  }
  return stdout.trimEnd();
}

describe('the quick start of the README', () => {
  it('no token, a reader and a writer: each answer as shown', async () => {
    expect(await played(section('quickstart-output'))).toBe(section('quickstart-output'));
  });

  it('a changed policy: the same request, the other answer, as shown', async () => {
    expect(await played(section('quickstart-change'))).toBe(section('quickstart-change'));
  });

  it('a broken policy: the answer stays, as shown', async () => {
    const events = `-n ${namespace} get events --field-selector reason=PolicyRejected`;
    const [apply, ...rest] = section('quickstart-mistake').split(/\n(?=\$ )/);
    expect(await played(apply ?? '')).toBe(apply);
    // An Event is written beside the decision, not before it.
    await vi.waitFor(async () => expect(await succeed(api, events.split(' '))).toContain('PolicyRejected'), 10_000);
    expect(await played(rest.join('\n'))).toBe(rest.join('\n'));
    expect((await scopegate.readyz()).status).toBe(200);
  });

  it('without Scopegate: 503, and never the application', async () => {
    await scopegate.child.stop();
    expect(await curl(`curl -sw ' %{http_code}\\n' localhost:8000/healthz`)).toMatch(/ 503$/);
  });
});

describe('the policy of the quick start', () => {
  it('good, without a warning', async () => {
    const { problems } = await lint([{ name: 'policy.yaml', text: policyText }], Date.now());
    expect(problems).toEqual([]);
  });

  it('its tokens live for years', () => {
    const expiries = Object.values(tokens).map((token) => {
      const [, payload = ''] = token.split('.');
      return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number }).exp;
    });
    expect(expiries).toHaveLength(2);
    expect(Math.min(...expiries)).toBeGreaterThan(Date.UTC(2035, 0) / 1000);
  });
});
