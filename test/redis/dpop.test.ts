/**
 * DPoP proofs over several replicas with a real Redis between them: what is refused where, and what an outage of the store does. Each replica
 * is a process of its own behind an Envoy of its own.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { envoyConfig } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { startEnvoy } from '../../deploy/envoy/process.ts';
import { type Answered, DpopClient, send } from '../support/dpop-client.ts';
import { createSigner, type Signer } from '../support/es256.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import { RedisServer } from './redis-server.ts';

const issuer = 'https://idp.example.com';
const host = 'orders.example.com';
const url = `https://${host}/orders/7`;
const tls = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));

let signer: Signer;
let upstream: Server;
let folder: string;
const client = new DpopClient();
let token: string;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  signer = await createSigner('k1');
  token = await signer.token(issuer, { cnf: { jkt: client.thumbprint } });
  upstream = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
});

afterAll(() => upstream.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-redis-'));
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy(false)));
});

afterEach(async () => {
  for (const end of cleanUp.splice(0).toReversed()) await end();
  await rm(folder, { recursive: true });
});

function policy(nonce: boolean): object {
  const jwks = { inline: { keys: [signer.jwk] } };
  return {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'corp', issuer, audiences: ['api'], jwks, senderConstraint: 'any', dpop: { nonce } }],
    rules: [
      { name: 'orders', hosts: [host], paths: ['/orders/**'], require: { scopes: ['read'] } },
      { name: 'open', paths: ['/open'], access: 'public' },
    ],
  };
}

async function store(options: Parameters<typeof RedisServer.start>[0] = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  cleanUp.push(() => server.stop());
  return server;
}

interface Replica {
  readonly serve: Serve;
  /** A request at its Envoy, with a proof or without. */
  readonly ask: (proof?: string, headers?: Readonly<Record<string, string>>) => Promise<Answered>;
}

async function replica(...args: string[]): Promise<Replica> {
  const serve = await startServe('--policy', join(folder, 'policy.json'), '--grpc', '127.0.0.1:0', ...args);
  cleanUp.push(() => serve.child.stop());
  await serve.logged('ready');
  const { port } = upstream.address() as AddressInfo;
  const authz = endpointOf(serve.grpc[0]);
  const config = envoyConfig({ listenPort: 0, authz, upstream: { host: '127.0.0.1', port } });
  const envoy = await startEnvoy(await envoyBinary(() => {}), config);
  cleanUp.push(() => envoy.stop());
  const ask: Replica['ask'] = (proof, more = {}) => {
    const sent = proof === undefined ? {} : { authorization: `DPoP ${token}`, dpop: proof };
    return send({
      port: envoy.port,
      path: proof === undefined ? '/open' : '/orders/7',
      host,
      headers: { ...sent, ...more },
    });
  };
  return { serve, ask };
}

const shared = ({ port }: RedisServer): string[] => ['--dpop-replay-store', `redis://127.0.0.1:${port}`];

async function twoReplicas(args: string[]): Promise<[Replica, Replica]> {
  const replicas = await Promise.all([replica(...args), replica(...args)]);
  await Promise.all(replicas.map(({ serve }) => serve.logged('proof store connected')));
  return replicas;
}

/** Asks with new proofs until one is taken. */
async function untilTaken({ ask }: Replica): Promise<void> {
  while ((await ask(client.proof(url, token))).status !== 200);
}

const taken = { status: 200 };
const replayed = { status: 401, reason: 'dpop_proof_invalid' };
const unavailable = { status: 503, reason: 'proof_memory_unavailable' };

describe('replicas without a shared store', () => {
  it('DP-14 a proof that was used at one: taken once more by another, as documented', async () => {
    const [first, second] = await Promise.all([replica(), replica()]);
    const proof = client.proof(url, token);
    expect(await first.ask(proof)).toMatchObject(taken);
    expect(await first.ask(proof)).toMatchObject(replayed);
    expect(await second.ask(proof)).toMatchObject(taken);
  });
});

describe('replicas that share a store', () => {
  it('DP-14 a proof that was used at one: refused by both; a new one is taken by either', async () => {
    const [first, second] = await twoReplicas(shared(await store()));
    const proof = client.proof(url, token);
    expect(await first.ask(proof)).toMatchObject(taken);
    expect(await second.ask(proof)).toMatchObject(replayed);
    expect(await first.ask(proof)).toMatchObject(replayed);
    expect(await second.ask(client.proof(url, token))).toMatchObject(taken);
    const metrics = await (await fetch(`http://${second.serve.admin}/metrics`)).text();
    expect(metrics).toContain('\nscopegate_proof_store_up 1\n');
    expect(metrics).toContain('\nscopegate_proof_memory_total{result="repeated"} 1\n');
  });

  it('DP-14 one proof at both at the same moment, many times: one of them takes it', async () => {
    const [first, second] = await twoReplicas(shared(await store()));
    for (let round = 0; round < 20; round++) {
      const proof = client.proof(url, token);
      const answers = await Promise.all([first.ask(proof), second.ask(proof)]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
    }
  });

  it('EA-55 the same x-request-id makes no retry of a replay: a client can choose it', async () => {
    const [first, second] = await twoReplicas(shared(await store()));
    const proof = client.proof(url, token);
    const id = { 'x-request-id': 'a4f0c1de-0000-4000-8000-000000000001' };
    expect(await first.ask(proof, id)).toMatchObject(taken);
    expect(await first.ask(proof, id)).toMatchObject(replayed);
    expect(await second.ask(proof, id)).toMatchObject(replayed);
  });

  it('the store is killed: 503 for proofs at once, what needs none goes on, still ready; it is back: taken', async () => {
    const server = await store();
    const [first] = await twoReplicas(shared(server));
    await server.kill();
    await first.serve.logged('proof store lost, DPoP is answered 503');
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
    expect(await first.ask()).toMatchObject(taken);
    expect((await first.serve.readyz()).status).toBe(200);
    expect(await (await fetch(`http://${first.serve.admin}/metrics`)).text()).toContain(
      '\nscopegate_proof_store_up 0\n',
    );
    await server.restart();
    await untilTaken(first);
  });

  it('the store is frozen: answers are bounded, then at once; it goes on: taken', async () => {
    const server = await store();
    const [first] = await twoReplicas(shared(server));
    server.signal('SIGSTOP');
    // Below the 500 ms after which Envoy would have answered by itself, with an empty body.
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
    await first.serve.logged('proof store lost, DPoP is answered 503', ({ reason }) => reason === 'timeout');
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
    server.signal('SIGCONT');
    await untilTaken(first);
  });

  it('the store has forgotten everything: its own proofs a replica still knows, another takes them once more, as documented', async () => {
    const server = await store();
    const [first, second] = await twoReplicas(shared(server));
    const proof = client.proof(url, token);
    expect(await first.ask(proof)).toMatchObject(taken);
    await server.kill();
    await server.restart();
    await untilTaken(first);
    await untilTaken(second);
    expect(await first.ask(proof)).toMatchObject(replayed);
    expect(await second.ask(proof)).toMatchObject(taken);
    expect(await second.ask(proof)).toMatchObject(replayed);
  });

  it('no store at the start: it listens, is ready, and takes proofs once there is one', async () => {
    const server = await store();
    await server.kill();
    const first = await replica(...shared(server));
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
    await server.restart();
    await untilTaken(first);
  });
});

describe('rights and limits of the store', () => {
  it('TLS, a user with the documented rights, and a database: taken, and refused when repeated', async () => {
    const password = 'correct-horse';
    const rights = ['scopegate', 'on', `>${password}`, '~scopegate:dpop:*', '+set', '+get', '+select', '+info'];
    const files = ['--tls-cert-file', tls('server.pem'), '--tls-key-file', tls('server-key.pem')];
    const tlsArgs = [...files, '--tls-ca-cert-file', tls('ca.pem'), '--tls-auth-clients', 'no'];
    const server = await store({ tls: true, args: [...tlsArgs, '--user', ...rights] });
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, `${password}\n`);
    const [first, second] = await twoReplicas([
      '--dpop-replay-store',
      `rediss://scopegate@localhost:${server.port}/3`,
      '--dpop-replay-store-password-file',
      passwordFile,
      '--dpop-replay-store-ca',
      tls('ca.pem'),
    ]);
    const proof = client.proof(url, token);
    expect(await first.ask(proof)).toMatchObject(taken);
    expect(await second.ask(proof)).toMatchObject(replayed);
    expect(JSON.stringify(first.serve.entries)).not.toContain(password);
  });

  it('a certificate of somebody else: never trusted, and said so', async () => {
    const files = ['--tls-cert-file', tls('server.pem'), '--tls-key-file', tls('server-key.pem')];
    const server = await store({ tls: true, args: [...files, '--tls-auth-clients', 'no'] });
    const first = await replica(
      '--dpop-replay-store',
      `rediss://localhost:${server.port}`,
      '--dpop-replay-store-ca',
      tls('other-ca.pem'),
    );
    const { reason } = await first.serve.logged('proof store cannot be reached, DPoP is answered 503');
    expect(reason).toMatch(/^(?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED_CERT_IN_CHAIN)/);
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
  });

  it('a wrong password, then the right one in the file: used without a restart', async () => {
    const server = await store({ args: ['--requirepass', 'right'] });
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'wrong');
    const first = await replica(...shared(server), '--dpop-replay-store-password-file', passwordFile);
    const { reason } = await first.serve.logged('proof store cannot be reached, DPoP is answered 503');
    expect(reason).toBe('WRONGPASS');
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
    await writeFile(passwordFile, 'right\n');
    await untilTaken(first);
  });

  it('a full store that forgets nothing: 503; one that would forget: a warning', async () => {
    const full = await store({ args: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'] });
    const first = await replica(...shared(full));
    const { reason } = await first.serve.logged('proof store cannot be reached, DPoP is answered 503');
    expect(reason).toBe('OOM');
    expect(await first.ask(client.proof(url, token))).toMatchObject(unavailable);
    const forgetful = await store({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
    const second = await replica(...shared(forgetful));
    const warning = await second.serve.logged('proof store may forget proofs early: set maxmemory-policy noeviction');
    expect(warning).toMatchObject({ policy: 'allkeys-lru' });
  });
});

describe('keys of nonces', () => {
  it('DP-10 DP-15 replicas with one file take the nonces of each other; with keys of their own they ask again', async () => {
    await writeFile(join(folder, 'policy.json'), JSON.stringify(policy(true)));
    const keyFile = join(folder, 'nonce-keys');
    await writeFile(keyFile, `${'ab'.repeat(32)}\n`);
    const [first, second, other] = await Promise.all([
      replica('--dpop-nonce-key', keyFile),
      replica('--dpop-nonce-key', keyFile),
      replica(),
    ]);
    const asked = await first.ask(client.proof(url, token));
    expect(asked).toMatchObject({ status: 401, reason: 'dpop_nonce_required' });
    const nonce = asked.headers['dpop-nonce'];
    expect(nonce).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(await second.ask(client.proof(url, token, { nonce }))).toMatchObject(taken);
    expect(await other.ask(client.proof(url, token, { nonce }))).toMatchObject({ reason: 'dpop_nonce_required' });
  });

  it('a file without a key: no start, one line', async () => {
    const keyFile = join(folder, 'nonce-keys');
    await writeFile(keyFile, 'tooshort\n');
    await expect(replica('--dpop-nonce-key', keyFile)).rejects.toThrow(/key 1 is shorter than 32 bytes/);
  });
});
