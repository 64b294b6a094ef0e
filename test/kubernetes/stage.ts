/**
 * Scopegate with its policy in a ConfigMap of a real API server, before it a real Envoy, behind that an upstream which says who it was told
 * is asking. Credentials are those of the shipped Role in a namespace of the stage's own.
 */
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type EnvoyOverrides, envoyConfig } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { createSigner, type Signer } from '../support/es256.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import type { ApiServer } from './api-server.ts';
import { applyShippedRole, createNamespace, createToken, succeed } from './cluster-access.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { LyingProxy } from './lying-proxy.ts';
import { ask, SteadyClient } from './steady-client.ts';

/** Which claim the upstream is told: the rest of the policy is one and the same. */
export type Version = 'sub' | 'client_id';
/** What a request to `/api/a` is answered under each. */
export const answerUnder: Readonly<Record<Version, string>> = { sub: '200 ada', client_id: '200 web' };

const issuer = 'https://login.example.com/realms/corp';
export const policyName = 'scopegate-policy';

export class Stage {
  readonly api: ApiServer;
  readonly namespace: string;
  readonly signer: Signer;
  readonly token: string;
  readonly #cleanUp: (() => Promise<unknown>)[] = [];

  private constructor(api: ApiServer, namespace: string, signer: Signer, token: string) {
    this.api = api;
    this.namespace = namespace;
    this.signer = signer;
    this.token = token;
  }

  /** A namespace with the shipped Role; `components` as in `applyShippedRole`. */
  static async create(api: ApiServer, components: readonly string[] = []): Promise<Stage> {
    const stage = await Stage.createWithoutRole(api);
    await applyShippedRole(api, stage.namespace, components);
    return stage;
  }

  /** A namespace in which the token may do nothing yet. */
  static async createWithoutRole(api: ApiServer): Promise<Stage> {
    const namespace = await createNamespace(api);
    const signer = await createSigner('k1');
    return new Stage(api, namespace, signer, await signer.token(issuer));
  }

  /** As it is written after `--policy`. */
  get source(): string {
    return `configmap:${this.namespace}/${policyName}`;
  }

  /** The text of a policy, a line a field as a person writes it; the tests of positions count on it. */
  policy(version: Version): string {
    return `apiVersion: scopegate.dev/v1
kind: Policy
issuers:
  - name: corp
    issuer: ${issuer}
    audiences: [api]
    jwks: { inline: { keys: [${JSON.stringify(this.signer.jwk)}] } }
rules:
  - name: api
    paths: [/api/**]
    require: { scopes: [read] }
    headers: { x-who: ${version} }
`;
  }

  /** `kubectl apply` of a ConfigMap with this text. */
  async apply(text: string, name = policyName, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const metadata = { name, namespace: this.namespace, labels };
    const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'policy.yaml': text } };
    await succeed(this.api, ['apply', '-f', '-'], JSON.stringify(manifest));
  }

  async applyVersion(version: Version): Promise<void> {
    await this.apply(this.policy(version));
  }

  /** A kubeconfig that holds only the ServiceAccount's token; through `proxy` where there is one. */
  async kubeconfig(proxy: Pick<LyingProxy, 'url' | 'ca'> = { url: this.api.url, ca: this.api.ca }): Promise<string> {
    const path = join(this.api.folder, `${this.namespace}-${proxy.url.replace(/\D/g, '')}.kubeconfig`);
    const token = await createToken(this.api, this.namespace);
    await writeFile(path, kubeconfigText({ server: proxy.url, ca: proxy.ca, token }), { mode: 0o600 });
    return path;
  }

  /** `scopegate serve` of the stage's ConfigMap; it need not be ready yet. */
  async serve(kubeconfig: string, ...args: readonly string[]): Promise<Serve> {
    return this.start('--policy', this.source, '--kubeconfig', kubeconfig, ...args);
  }

  /** `scopegate serve` with any arguments. */
  async start(...args: readonly string[]): Promise<Serve> {
    const serve = await startServe('--grpc', '127.0.0.1:0', '--decision-log', 'off', ...args);
    // No draining: nobody is left to drain for.
    this.#cleanUp.push(() => serve.child.stop(0));
    return serve;
  }

  /**
   * With the recommended settings, but that it waits for an answer until an API server that starts on the same two cores has had its turn:
   * what is tested is which answer comes. `overrides` may say otherwise.
   */
  async envoy(serve: Serve, overrides: EnvoyOverrides = { timeout: '3s' }): Promise<RunningEnvoy> {
    const upstream = await startUpstream();
    this.#cleanUp.push(() => new Promise((closed) => upstream.close(closed)));
    const { port } = upstream.address() as AddressInfo;
    const config = envoyConfig({
      listenPort: 0,
      authz: endpointOf(serve.grpc[0]),
      upstream: { host: '127.0.0.1', port },
      overrides,
    });
    const envoy = await startEnvoy(await envoyBinary(() => {}), config);
    this.#cleanUp.push(() => envoy.stop());
    return envoy;
  }

  ask(envoy: RunningEnvoy, path = '/api/a'): Promise<string> {
    return ask({ port: envoy.port, path, token: this.token });
  }

  client(envoy: RunningEnvoy, perSecond = 100): SteadyClient {
    const client = new SteadyClient({ port: envoy.port, path: '/api/a', token: this.token, perSecond });
    this.#cleanUp.push(() => client.stop());
    return client;
  }

  /** Ended before what was started earlier. */
  cleanUp(end: () => Promise<unknown>): void {
    this.#cleanUp.push(end);
  }

  async close(): Promise<void> {
    for (const end of this.#cleanUp.splice(0).toReversed()) await end();
  }
}

async function startUpstream(): Promise<Server> {
  const server = createServer((incoming, outgoing) => outgoing.end(String(incoming.headers['x-who'])));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** The samples of one metric family by their labels as they are written: `{state="active"}`. */
export async function samples(serve: Serve, family: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${serve.admin}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${family}{`) || line.startsWith(`${family} `));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(family.length, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Awaits that a sample has this value. */
export async function untilSample(serve: Serve, name: string, value: number): Promise<void> {
  const [, family = name, labels = ''] = /^([a-z_]+)(\{.*\})?$/.exec(name) ?? [];
  await expect
    .poll(async () => (await samples(serve, family)).get(labels), { timeout: 60_000, interval: 50 })
    .toBe(value);
}

export async function untilWatching(serve: Serve, source: string): Promise<void> {
  await untilSample(serve, `scopegate_policy_watch_connected{source="${source}"}`, 1);
}
