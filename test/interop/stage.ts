/**
 * Promises: Scopegate as a process of its own with a policy for one issuer, a real Envoy before it on two ports (plain, and TLS that asks for
 * client certificates), and behind that an upstream that says who it was told is asking.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { envoyConfig, type Json, type JsonObject } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import { type Certificate, type DpopKey, send } from './oauth-client.ts';

export const api = 'https://orders.example.com';
const host = new URL(api).host;
export const ordersUrl = `${api}/orders/7`;

export interface StageOptions {
  /** The issuers of the policy, as an operator writes them. */
  readonly issuers: readonly JsonObject[];
  /** What `/orders/**` requires; default the scope `orders:read`. */
  readonly require?: JsonObject;
  /** What the upstream shows anybody, by its path, which begins with `/app/`. */
  readonly pages?: Readonly<Record<string, string>>;
  /** Further options of `serve`. */
  readonly serve?: readonly string[];
}

export interface Call {
  readonly path?: string;
  readonly token?: string | undefined;
  /** Default Bearer. */
  readonly scheme?: 'Bearer' | 'DPoP';
  readonly proof?: string;
  /** Over TLS, with or without a certificate; default the plain port. */
  readonly tls?: Certificate | 'no certificate';
}

export class Stage {
  readonly serve: Serve;
  readonly #envoy: RunningEnvoy;
  readonly #tlsPort: number;
  readonly #policyFile: string;
  readonly #options: StageOptions;
  readonly #cleanUp: readonly (() => Promise<unknown>)[];

  private constructor(parts: {
    serve: Serve;
    envoy: RunningEnvoy;
    tlsPort: number;
    policyFile: string;
    options: StageOptions;
    cleanUp: readonly (() => Promise<unknown>)[];
  }) {
    this.serve = parts.serve;
    this.#envoy = parts.envoy;
    this.#tlsPort = parts.tlsPort;
    this.#policyFile = parts.policyFile;
    this.#options = parts.options;
    this.#cleanUp = parts.cleanUp;
  }

  static async create(options: StageOptions): Promise<Stage> {
    const cleanUp: (() => Promise<unknown>)[] = [];
    try {
      const folder = await mkdtemp(join(tmpdir(), 'scopegate-interop-'));
      cleanUp.push(() => rm(folder, { recursive: true }));
      const policyFile = join(folder, 'policy.yaml');
      await writeFile(policyFile, policyOf(options));
      const upstream = await startUpstream(options.pages);
      cleanUp.push(() => new Promise((closed) => upstream.close(closed)));
      const serve = await startServe('--policy', policyFile, '--grpc', '127.0.0.1:0', ...(options.serve ?? []));
      // No draining: nobody is left to drain for.
      cleanUp.push(() => serve.child.stop(0));
      await serve.logged('ready');
      const envoy = await startEnvoy(await envoyBinary(() => {}), bootstrap(serve, upstream));
      cleanUp.push(() => envoy.stop());
      return new Stage({ serve, envoy, tlsPort: await tlsPortOf(envoy), policyFile, options, cleanUp });
    } catch (error) {
      for (const end of cleanUp.toReversed()) await end();
      throw error;
    }
  }

  /** Port of Envoy's plain listener. */
  get port(): number {
    return this.#envoy.port;
  }

  /** Port of the one that speaks TLS. */
  get tlsPort(): number {
    return this.#tlsPort;
  }

  /** `200 client` with the client that the upstream was told, or the status and reason of the refusal. */
  async ask({ path = '/orders/7', token, scheme = 'Bearer', proof, tls }: Call): Promise<string> {
    const origin = tls === undefined ? `http://127.0.0.1:${this.port}` : `https://127.0.0.1:${this.#tlsPort}`;
    const headers: Record<string, string> = { host };
    if (token !== undefined) headers['authorization'] = `${scheme} ${token}`;
    if (proof !== undefined) headers['dpop'] = proof;
    const certificate = tls === 'no certificate' ? undefined : tls;
    const { status, body } = await send(`${origin}${path}`, { headers, certificate });
    return `${status} ${gist(body)}`;
  }

  /** As a client with a DPoP key asks: with a proof of its own for this request. */
  async askWithProof(key: DpopKey, token: string, call: Call = {}): Promise<string> {
    const proof = await key.proof({ method: 'GET', url: ordersUrl, token });
    return this.ask({ token, scheme: 'DPoP', proof, ...call });
  }

  /** Puts entries under `revocations` and waits until they are in force. */
  async revoke(revocations: readonly JsonObject[]): Promise<void> {
    const before = await this.#policyHash();
    await writeFile(this.#policyFile, policyOf(this.#options, revocations));
    while ((await this.#policyHash()) === before);
  }

  async stop(): Promise<void> {
    for (const end of this.#cleanUp.toReversed()) await end();
  }

  async #policyHash(): Promise<string> {
    const { body } = await this.serve.readyz();
    return JSON.stringify(body['policy']);
  }
}

/** Of an answer: what the upstream said, or the reason. */
export function gist(body: string): string {
  if (!body.startsWith('{')) return body;
  return String((JSON.parse(body) as { reason?: unknown }).reason);
}

/** JSON is YAML. */
function policyOf({ issuers, require = { scopes: ['orders:read'] } }: StageOptions, revocations: Json = []): string {
  return JSON.stringify({
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers,
    rules: [
      { name: 'orders', hosts: [host], paths: ['/orders/**'], methods: ['GET'], require },
      { name: 'app', hosts: [host], paths: ['/app/**'], methods: ['GET'], access: 'public' },
    ],
    defaults: {
      headers: { 'x-client-id': 'client_id', 'x-azp': 'azp', 'x-cid': 'cid', 'x-appid': 'appid' },
      origins: [api],
    },
    revocations,
  });
}

/** Claim headers are raw claims: which of them says the client is the provider's custom. */
const clientHeaders = ['x-client-id', 'x-azp', 'x-cid', 'x-appid'];

async function startUpstream(pages: StageOptions['pages'] = {}): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const page = pages[(incoming.url ?? '').replace(/\?.*/, '')];
    if (page !== undefined) {
      outgoing.end(page);
      return;
    }
    const client = clientHeaders.map((name) => incoming.headers[name]).find((value) => value !== undefined);
    outgoing.end(String(client ?? 'no client'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function bootstrap(serve: Serve, upstream: Server): JsonObject {
  const { port } = upstream.address() as AddressInfo;
  const config = envoyConfig({
    listenPort: 0,
    authz: endpointOf(serve.grpc[0]),
    upstream: { host: '127.0.0.1', port },
    // Two busy cores are shared with the issuer; how fast Scopegate is, is tested elsewhere.
    overrides: { timeout: '5s' },
  }) as { readonly static_resources: { readonly listeners: readonly JsonObject[] } };
  const [plain] = config.static_resources.listeners;
  const secured = JSON.parse(JSON.stringify(plain)) as { name: string; filter_chains: Record<string, Json>[] };
  secured.name = 'secured';
  for (const chain of secured.filter_chains) chain['transport_socket'] = downstreamTls;
  const listeners = [plain ?? {}, secured as unknown as JsonObject];
  return { ...config, static_resources: { ...config.static_resources, listeners } };
}

function pem(name: string): JsonObject {
  return { filename: fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url)) };
}

/** Any client certificate, or none: what a token is bound to is for Scopegate to say. */
const downstreamTls: JsonObject = {
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    common_tls_context: {
      tls_certificates: [{ certificate_chain: pem('server.pem'), private_key: pem('server-key.pem') }],
      validation_context: { trusted_ca: pem('client-ca.pem'), trust_chain_verification: 'ACCEPT_UNTRUSTED' },
    },
  },
};

async function tlsPortOf(envoy: RunningEnvoy): Promise<number> {
  const response = await fetch(`${envoy.admin}/listeners?format=json`);
  const { listener_statuses } = (await response.json()) as {
    listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
  };
  const found = listener_statuses.find(({ name }) => name === 'secured');
  if (found === undefined) throw new Error('Envoy has no second listener');
  return found.local_address.socket_address.port_value;
}
