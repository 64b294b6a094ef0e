/**
 * The quick start of the README, without a cluster: the application, Envoy and Scopegate of deploy/quickstart.yaml run here with
 * what stands in it, so that what the README promises of each command is what comes out.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../../deploy/envoy/child.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { lint } from '../../src/rehearsal/lint.ts';
import { section } from '../support/readme.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import { bootstrapOf, configMapIn, containerIn, manifestsOf } from './manifests.ts';

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

let folder: string;
let app: Child;
let scopegate: Serve;
let envoy: RunningEnvoy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-quickstart-'));
  await apply(policyText);
  const appPort = await freePort();
  const { command = [] } = containerIn(manifests, 'demo', 'app');
  const [, ...args] = command;
  app = startChild(process.execPath, args, { env: { ...process.env, PORT: String(appPort) } });
  scopegate = await startServe('--policy', folder, '--grpc', '127.0.0.1:0', '--drain', '0s');
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
  await rm(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What `kubectl apply` brings about: the policy of the source is `text`. */
async function apply(text: string): Promise<void> {
  const file = join(folder, 'policy.yaml');
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
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

/** The part of the README, with what really comes out under each command. */
async function played(name: string): Promise<string> {
  const lines: string[] = [];
  for (const command of section(name)
    .matchAll(/^\$ (.*)$/gm)
    .map(([, text = '']) => text)) {
    lines.push(`$ ${command}`, command.startsWith('kubectl') ? await edit(command) : await curl(command));
  }
  return lines.join('\n');
}

let applied = policyText;

/** Applies the policy after the `sed` of the command, and waits until Scopegate has judged it. */
async function edit(command: string): Promise<string> {
  const [, from = '', to = ''] = / sed 's\/([^/]+)\/([^/]+)\/' /.exec(command) ?? [];
  expect(applied).toContain(from);
  const before = scopegate.entries.length;
  applied = applied.replaceAll(from, to);
  await apply(applied);
  await Promise.race(
    ['policy applied', 'policy refused, its last good version stays'].map((msg) =>
      scopegate.logged(msg, (entry) => scopegate.entries.indexOf(entry) >= before),
    ),
  );
  return 'configmap/scopegate-policy configured';
}

describe('the quick start of the README', { timeout: 120_000 }, () => {
  it('no token, a reader and a writer: each answer as shown', async () => {
    expect(await played('quickstart-output')).toBe(section('quickstart-output'));
  });

  it('a changed policy: the same request, the other answer, as shown', async () => {
    expect(await played('quickstart-change')).toBe(section('quickstart-change'));
  });

  it('a broken policy: the answer stays, as shown', async () => {
    expect(await played('quickstart-mistake')).toBe(section('quickstart-mistake'));
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
