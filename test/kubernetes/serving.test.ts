/**
 * The Envoy configurations of the overlays, and those of deploy/envoy that are for the same, serve real requests, each with Scopegate as the same overlay starts it: over TCP and a unix
 * socket in a pod, over the network to the shared Deployment, and with mutual TLS. Only addresses and folders are other ones here.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Endpoint } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { createSigner, type Signer } from '../support/es256.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import { kubernetesAssets } from './assets.ts';
import { type Bootstrap, configMapIn, containerIn, deployPath, type Manifest, redirected } from './manifests.ts';

interface Overlay {
  readonly deployment: string;
  /** The same for an Envoy outside of these overlays: a file of deploy/envoy. */
  readonly bootstrap: string;
  /** Where the cluster `scopegate` of Envoy leads. */
  readonly address: object;
  /** What Scopegate is started with. */
  readonly grpc: string;
}

const inPod = { deployment: 'demo' };
const shared = {
  deployment: 'scopegate',
  address: { socket_address: { address: 'scopegate-headless.scopegate.svc.cluster.local', port_value: 9001 } },
  grpc: '0.0.0.0:9001',
};
const overlays: Record<string, Overlay> = {
  'sidecar-demo': {
    ...inPod,
    bootstrap: 'tcp.yaml',
    address: { socket_address: { address: '127.0.0.1', port_value: 9001 } },
    grpc: '127.0.0.1:9001',
  },
  'sidecar-unix-socket': {
    ...inPod,
    bootstrap: 'unix-socket.yaml',
    address: { pipe: { path: '/run/scopegate/grpc.sock' } },
    grpc: 'unix:/run/scopegate/grpc.sock',
  },
  gateway: { ...shared, bootstrap: 'shared.yaml' },
  'gateway-mtls': { ...shared, bootstrap: 'mtls.yaml' },
};

const certificates = new URL('../support/tls/', import.meta.url);

let kubectl: string;
let upstream: Server;
let signer: Signer;
let folder: string;
let scopegate: Serve | undefined;
let envoy: RunningEnvoy | undefined;

beforeAll(async () => {
  kubectl = join(await kubernetesAssets({ env: process.env, report: () => {} }), 'kubectl');
  signer = await createSigner('k1');
  upstream = createServer(({ headers }, response) => response.end(String(headers['x-user-id'])));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
});

afterAll(() => upstream.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-serving-'));
});

afterEach(async () => {
  await envoy?.stop();
  await scopegate?.child.stop();
  await rm(folder, { recursive: true });
});

function rendered(overlay: string): readonly Manifest[] {
  const text = execFileSync(kubectl, ['kustomize', deployPath(`overlays/${overlay}`)], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function optionsOf(manifests: readonly Manifest[], deployment: string): ReadonlyMap<string, string> {
  const { env = [] } = containerIn(manifests, deployment, 'scopegate');
  return new Map(env.map(({ name, value = '' }) => [name, value]));
}

/** Starts Scopegate with the options of the overlay that concern Envoy. */
async function startScopegate(options: ReadonlyMap<string, string>): Promise<Endpoint> {
  const policy = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [
      { name: 'corp', issuer: 'https://idp.test', audiences: ['api'], jwks: { inline: { keys: [signer.jwk] } } },
    ],
    rules: [
      {
        name: 'read',
        paths: ['/orders'],
        methods: ['GET'],
        require: { scopes: ['read'] },
        headers: { 'x-user-id': 'sub' },
      },
      { name: 'write', paths: ['/orders'], methods: ['POST'], require: { scopes: ['write'] } },
    ],
  };
  const file = join(folder, 'policy.json');
  await writeFile(file, JSON.stringify(policy));
  const socket = join(folder, 'grpc.sock');
  const isUnix = options.get('SCOPEGATE_GRPC')?.startsWith('unix:') === true;
  const carried = ['grpc-socket-mode', 'grpc-tls-cert', 'grpc-tls-key', 'grpc-tls-client-ca'].flatMap((name) => {
    const value = options.get(`SCOPEGATE_${name.replaceAll('-', '_').toUpperCase()}`);
    return value === undefined ? [] : [`--${name}`, value.replace('/etc/scopegate/', `${folder}/`)];
  });
  const address = isUnix ? `unix:${socket}` : '127.0.0.1:0';
  scopegate = await startServe('--policy', file, '--grpc', address, '--drain', '0s', ...carried);
  await scopegate.logged('ready');
  return isUnix ? { unix: socket } : endpointOf(scopegate.grpc[0]);
}

/** The Secrets of cert-manager, as the kubelet would mount them. */
async function mountSecrets(client: 'client' | 'other-client'): Promise<void> {
  const files = {
    'tls/tls.crt': 'server.pem',
    'tls/tls.key': 'server-key.pem',
    'tls/ca.crt': 'client-ca.pem',
    'envoy-tls/tls.crt': `${client}.pem`,
    'envoy-tls/tls.key': `${client}-key.pem`,
    'envoy-tls/ca.crt': 'ca.pem',
  };
  await mkdir(join(folder, 'tls'));
  await mkdir(join(folder, 'envoy-tls'));
  for (const [to, from] of Object.entries(files)) {
    await copyFile(new URL(from, certificates), join(folder, to));
  }
}

/** The files of Envoy's configuration, by name. */
function filesOf(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  return configMapIn(manifests, 'envoy');
}

function filesBeside(bootstrap: string): Readonly<Record<string, string>> {
  const stem = bootstrap.replace(/\.yaml$/, '');
  const names = globSync(`${stem}-*.yaml`, { cwd: deployPath('envoy') });
  const read = (name: string): string => readFileSync(deployPath(`envoy/${name}`), 'utf8');
  return Object.fromEntries([['envoy.yaml', read(bootstrap)], ...names.map((name) => [name, read(name)])]);
}

/** Starts Scopegate as the overlay does, and Envoy with `files`. */
async function start(overlay: string, files: Readonly<Record<string, string>>): Promise<void> {
  const authorizer = await startScopegate(optionsOf(rendered(overlay), overlays[overlay]?.deployment ?? ''));
  // The certificates of the tests are for localhost.
  const localized = Object.entries(files).map(([name, text]): [string, string] => [
    name,
    text
      .replaceAll('/etc/envoy', join(folder, 'envoy'))
      .replaceAll(/(sni|exact): scopegate-headless\.scopegate\.svc\b/g, '$1: localhost'),
  ]);
  await mkdir(join(folder, 'envoy'));
  for (const [name, text] of localized) await writeFile(join(folder, 'envoy', name), text);
  const bootstrap = parse(Object.fromEntries(localized)['envoy.yaml'] ?? '') as Bootstrap;
  const { port } = upstream.address() as AddressInfo;
  const application = { host: '127.0.0.1', port };
  const config = redirected(bootstrap, { scopegate: authorizer, app: application, upstream: application });
  envoy = await startEnvoy(await envoyBinary(() => {}), config);
}

async function ask(method: string, token?: string): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${envoy?.port}/orders`, { method, headers });
  const text = await response.text();
  return `${response.status} ${response.status === 200 ? text : ''}`.trim();
}

/** Until health checks and a first connection have come about. */
async function untilAsked(): Promise<void> {
  await vi.waitFor(async () => expect(await ask('GET')).not.toBe('503'), { timeout: 30_000, interval: 20 });
}

function authorizerOf(files: Readonly<Record<string, string>>): object | undefined {
  const { static_resources } = parse(files['envoy.yaml'] ?? '') as Bootstrap;
  return static_resources.clusters.find(({ name }) => name === 'scopegate');
}

describe.each(Object.entries(overlays))('overlay %s', (overlay, { deployment, bootstrap, address, grpc }) => {
  const sources: Record<string, () => Readonly<Record<string, string>>> = {
    'its own Envoy': () => filesOf(rendered(overlay)),
    [`deploy/envoy/${bootstrap}`]: () => filesBeside(bootstrap),
  };

  it.each(Object.entries(sources))('%s: asks where Scopegate listens', (_name, files) => {
    const endpoint = { lb_endpoints: [{ endpoint: { address } }] };
    expect(authorizerOf(files())).toMatchObject({ load_assignment: { endpoints: [endpoint] } });
    expect(optionsOf(rendered(overlay), deployment).get('SCOPEGATE_GRPC')).toBe(grpc);
  });

  it.each(Object.entries(sources))(
    'EA-02 %s: requests are decided, and refused once Scopegate is gone',
    async (_name, files) => {
      await mountSecrets('client');
      await start(overlay, files());
      await untilAsked();
      const token = await signer.token('https://idp.test');
      expect([await ask('GET'), await ask('GET', token), await ask('POST', token)]).toEqual(['401', '200 ada', '403']);
      await scopegate?.child.stop();
      expect(await ask('GET', token)).toBe('503');
    },
  );
});

it('mutual TLS: an Envoy with a certificate of another authority gets no answer', async () => {
  await mountSecrets('other-client');
  await start('gateway-mtls', filesOf(rendered('gateway-mtls')));
  const token = await signer.token('https://idp.test');
  const answers = await Promise.all([1, 2, 3].map(() => ask('GET', token)));
  expect(answers).toEqual(['503', '503', '503']);
  // It did try.
  const connections = await fetch(`${envoy?.admin}/stats?filter=cluster.scopegate.upstream_cx_total`);
  expect(await connections.text()).toMatch(/: [1-9]\d*$/m);
});
