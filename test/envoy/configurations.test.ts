/**
 * Every Envoy bootstrap of deploy/ is one that a real Envoy takes, with the settings that we recommend; those of deploy/envoy/ serve
 * the demonstration of docs/mesh: no token, a reader who reads, a reader who writes.
 */
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultSettings, type Endpoint, envoyConfig, type JsonObject } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { startEnvoy } from '../../deploy/envoy/process.ts';
import {
  type Bootstrap,
  configMapIn,
  deployPath,
  manifestsOf,
  redirected,
  withEndpoints,
} from '../kubernetes/manifests.ts';
import { section } from '../support/readme.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';

const textOf = (file: string): string => readFileSync(deployPath(file), 'utf8');
const bootstraps = globSync('**/*.yaml', { cwd: deployPath('') })
  .filter((file) => /^static_resources:/m.test(textOf(file)))
  .toSorted();
const bootstrapOf = (file: string): Bootstrap => parse(textOf(file)) as Bootstrap;
const certificates = new URL('../support/tls/', import.meta.url);

let folder: string;
let upstream: Server;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  upstream = createServer(({ headers }, response) => response.end(String(headers['x-user-id'])));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
});

afterAll(() => upstream.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-bootstrap-'));
});

afterEach(async () => {
  for (const end of cleanUp.splice(0).toReversed()) await end();
  await rm(folder, { recursive: true });
});

/** The text of a bootstrap with its folders, and those of the files that it names, made here; certificates are those of the tests. */
async function installed(file: string): Promise<string> {
  const pems = { 'tls.crt': 'client.pem', 'tls.key': 'client-key.pem', 'ca.crt': 'ca.pem' };
  await mkdir(join(folder, 'envoy'));
  await mkdir(join(folder, 'envoy-tls'));
  for (const [to, from] of Object.entries(pems)) {
    await copyFile(new URL(from, certificates), join(folder, 'envoy-tls', to));
  }
  const source = dirname(deployPath(file));
  const localized = (text: string): string =>
    text
      .replaceAll('/etc/envoy', join(folder, 'envoy'))
      .replaceAll(/(sni|exact): scopegate-headless\.scopegate\.svc\b/g, '$1: localhost');
  for (const name of (await readdir(source)).filter((each) => each.endsWith('.yaml'))) {
    await writeFile(join(folder, 'envoy', name), localized(await readFile(join(source, name), 'utf8')));
  }
  return localized(textOf(file));
}

/** What of the connection manager and of the filter makes Scopegate's answer count. */
function settingsOf(bootstrap: JsonObject): object {
  const { static_resources } = bootstrap as unknown as Bootstrap;
  const manager = (static_resources.listeners[0] as unknown as Listener).filter_chains[0]?.filters[0]?.typed_config;
  return {
    normalize_path: manager?.['normalize_path'],
    merge_slashes: manager?.['merge_slashes'],
    path_with_escaped_slashes_action: manager?.['path_with_escaped_slashes_action'],
    common_http_protocol_options: manager?.['common_http_protocol_options'],
    http_filters: manager?.['http_filters'],
  };
}

interface Listener {
  readonly filter_chains: readonly { readonly filters: readonly { readonly typed_config: JsonObject }[] }[];
}

/** Where a client's status and, of a 200, the name that the upstream was told come from. */
async function demonstration(port: number): Promise<readonly string[]> {
  const [, reader = ''] = /^READER=(.*)$/m.exec(section('quickstart-tokens')) ?? [];
  const ask = async (method: string, headers: Readonly<Record<string, string>>): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/orders`, { method, headers });
    const text = await response.text();
    // Of an outage: Scopegate's own word for it, or nothing where Envoy had no answer.
    return response.status === 200 || response.status === 503 ? `${response.status} ${text}` : String(response.status);
  };
  // Health checks and a first connection have to come about.
  await expect.poll(() => ask('GET', {}), { timeout: 45_000, interval: 50 }).not.toMatch(/^503/);
  const authorization = `Bearer ${reader}`;
  return [await ask('GET', {}), await ask('GET', { authorization }), await ask('POST', { authorization })];
}

async function serve(...args: readonly string[]): Promise<Serve> {
  const policy = join(folder, 'policy.yaml');
  const manifests = manifestsOf('mesh-demo/policy/policy.yaml');
  await writeFile(policy, configMapIn(manifests, 'scopegate-policy')['policy.yaml'] ?? '');
  const started = await startServe('--policy', policy, '--drain', '0s', ...args);
  cleanUp.push(() => started.child.stop(0));
  await started.logged('ready');
  return started;
}

async function envoyOf(file: string, authorizers: readonly Endpoint[]): Promise<number> {
  const { port } = upstream.address() as AddressInfo;
  const app = { host: '127.0.0.1', port };
  const [first, ...others] = authorizers;
  if (first === undefined) throw new Error('no authorizer');
  const config = redirected(parse(await installed(file)) as Bootstrap, { scopegate: first, app });
  const envoy = await startEnvoy(await envoyBinary(() => {}), withEndpoints(config, 'scopegate', others));
  cleanUp.push(() => envoy.stop());
  return envoy.port;
}

describe.each(bootstraps)('%s', { timeout: 120_000 }, (file) => {
  it('a real Envoy takes it', async () => {
    const text = await installed(file);
    const path = join(folder, 'bootstrap.yaml');
    await writeFile(path, text);
    const binary = await envoyBinary(() => {});
    const { stdout, stderr } = await promisify(execFile)(binary, ['--mode', 'validate', '--config-path', path]);
    expect(stdout + stderr).toContain(`configuration '${path}' OK`);
  });

  it('EA-60 EA-02 paths, headers and the filter are as we recommend', () => {
    const recommended = envoyConfig(defaultSettings);
    expect(settingsOf(bootstrapOf(file) as unknown as JsonObject)).toEqual(settingsOf(recommended));
  });
});

describe('deploy/envoy serves', { timeout: 60_000 }, () => {
  const decided = ['401', '200 ada', '403'];

  it('tcp.yaml, at the address that Scopegate has by default', async () => {
    expect(textOf('envoy/tcp.yaml')).toContain('{ address: 127.0.0.1, port_value: 9001 }');
    const { grpc } = await serve('--grpc', '127.0.0.1:0');
    expect(await demonstration(await envoyOf('envoy/tcp.yaml', [endpointOf(grpc[0])]))).toEqual(decided);
  });

  it('unix-socket.yaml', async () => {
    const unix = join(folder, 'grpc.sock');
    await serve('--grpc', `unix:${unix}`);
    expect(await demonstration(await envoyOf('envoy/unix-socket.yaml', [{ unix }]))).toEqual(decided);
  });

  it('shared.yaml: all of several Scopegates are asked', async () => {
    const both = await Promise.all([serve('--grpc', '127.0.0.1:0'), serve('--grpc', '127.0.0.1:0')]);
    const port = await envoyOf(
      'envoy/shared.yaml',
      both.map(({ grpc }) => endpointOf(grpc[0])),
    );
    expect(await demonstration(port)).toEqual(decided);
    for (const { admin } of both) {
      const wasAsked = async (): Promise<boolean> =>
        /^scopegate_checks_total\{/m.test(await (await fetch(`http://${admin}/metrics`)).text());
      while (!(await wasAsked())) await demonstration(port);
    }
  });

  it('mtls.yaml, and without the certificate nobody is answered', async () => {
    const tls = (name: string): string => new URL(name, certificates).pathname;
    const server = ['--grpc-tls-cert', tls('server.pem'), '--grpc-tls-key', tls('server-key.pem')];
    const { grpc } = await serve('--grpc', '127.0.0.1:0', ...server, '--grpc-tls-client-ca', tls('client-ca.pem'));
    const port = await envoyOf('envoy/mtls.yaml', [endpointOf(grpc[0])]);
    expect(await demonstration(port)).toEqual(decided);
    await rm(join(folder, 'envoy'), { recursive: true });
    await rm(join(folder, 'envoy-tls'), { recursive: true });
    // Without TLS on Envoy's side.
    const stranger = await envoyOf('envoy/shared.yaml', [endpointOf(grpc[0])]);
    expect((await fetch(`http://127.0.0.1:${stranger}/healthz`)).status).toBe(503);
  });
});
