/**
 * The life of the process under a real Envoy: what a restart, a rollout, an outage of the issuer and a changed policy do to requests.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Endpoint, envoyConfig, type Json } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { createSigner, type Signer } from '../support/es256.ts';
import { type JwksServer, startJwksServer } from '../support/jwks-server.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';
import { ask as askPort, Traffic } from '../support/traffic.ts';

let signer: Signer;
let issuer: JwksServer;
let upstream: Server;
let folder: string;
let policyFile: string;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  signer = await createSigner('k1');
  upstream = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
});

afterAll(() => upstream.close());

beforeEach(async () => {
  issuer = await startJwksServer();
  issuer.publish([signer.jwk]);
  issuer.discover();
  folder = await mkdtemp(join(tmpdir(), 'scopegate-life-'));
  policyFile = join(folder, 'policy.yaml');
  await writeFile(policyFile, policy('read'));
});

afterEach(async () => {
  for (const end of cleanUp.splice(0).toReversed()) await end();
  await issuer.close();
  await rm(folder, { recursive: true });
});

function policy(scope: string): string {
  return JSON.stringify({
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'corp', issuer: issuer.origin, audiences: ['api'], insecure: { allowHttp: true } }],
    rules: [
      { name: 'api', paths: ['/api/**'], require: { scopes: [scope] }, headers: { 'x-user-id': 'sub' } },
      { name: 'open', paths: ['/open'], access: 'public' },
    ],
  });
}

async function serve(...args: string[]): Promise<Serve> {
  const started = await startServe('--policy', policyFile, ...args);
  cleanUp.push(() => started.child.stop());
  return started;
}

/** An Envoy that asks any of `authorizers`, and looks at their health often. */
async function envoyFor(...authorizers: Endpoint[]): Promise<RunningEnvoy> {
  const [first] = authorizers;
  const { port } = upstream.address() as AddressInfo;
  const upstreamEndpoint = { host: '127.0.0.1', port };
  if (first === undefined) throw new Error('no authorizer');
  const base = envoyConfig({
    listenPort: 0,
    authz: first,
    upstream: upstreamEndpoint,
    overrides: { healthCheck: true },
  });
  const config = JSON.parse(JSON.stringify(base), (key, value: Json) =>
    key.endsWith('interval') && value === '2s' ? '0.2s' : value,
  ) as {
    static_resources: { clusters: { load_assignment: { endpoints: { lb_endpoints: Json[] }[] } }[] };
  };
  const [cluster] = config.static_resources.clusters;
  for (const other of authorizers.slice(1)) {
    if ('unix' in other) throw new Error('one unix socket is enough');
    const address = { socket_address: { address: other.host, port_value: other.port } };
    cluster?.load_assignment.endpoints[0]?.lb_endpoints.push({ endpoint: { address } });
  }
  const envoy = await startEnvoy(await envoyBinary(() => {}), config);
  cleanUp.push(() => envoy.stop());
  return envoy;
}

function ask(envoy: RunningEnvoy, path: string, token?: string): Promise<number> {
  return askPort(envoy.port, path, token);
}

/** Asks until the answer is `status`, and returns it; the test's own timeout ends it. */
async function until(status: number, answer: () => Promise<number>): Promise<number> {
  while ((await answer()) !== status);
  return status;
}

describe('the process under Envoy', { timeout: 60_000 }, () => {
  it('SIGTERM of one of two under load: every request is answered by the policy', async () => {
    const [first, second] = await Promise.all([serve('--grpc', '127.0.0.1:0'), serve('--grpc', '127.0.0.1:0')]);
    await Promise.all([first.logged('ready'), second.logged('ready')]);
    const envoy = await envoyFor(endpointOf(first.grpc[0]), endpointOf(second.grpc[0]));
    const token = await signer.token(issuer.origin);
    await until(200, () => ask(envoy, '/api/a', token));
    const traffic = new Traffic(8, () => ask(envoy, '/api/a', token));
    await traffic.atLeast(500);
    const stopped = first.child.stop(30_000);
    await first.logged('draining');
    expect((await first.readyz()).body).toMatchObject({ status: 'draining' });
    await stopped;
    expect(await first.child.ended).toBe('exited with code 0');
    await traffic.atLeast(500);
    expect([...(await traffic.stop()).keys()]).toEqual([200]);
  });

  it('killed and started again on the same address: recovers without help', async () => {
    const first = await serve('--grpc', '127.0.0.1:0');
    await first.logged('ready');
    const address = first.grpc[0] ?? '';
    const envoy = await envoyFor(endpointOf(address));
    const token = await signer.token(issuer.origin);
    await until(200, () => ask(envoy, '/api/a', token));
    process.kill(first.child.pid ?? 0, 'SIGKILL');
    await first.child.ended;
    expect(await ask(envoy, '/api/a', token)).toBe(503);
    expect(await ask(envoy, '/open')).toBe(503);
    await serve('--grpc', address);
    await until(200, () => ask(envoy, '/api/a', token));
  });

  it('over a unix socket, killed and started again: the stale socket is in nobody’s way', async () => {
    const path = join(folder, 'authz.sock');
    const first = await serve('--grpc', `unix:${path}`);
    await first.logged('ready');
    const envoy = await envoyFor({ unix: path });
    const token = await signer.token(issuer.origin);
    await until(200, () => ask(envoy, '/api/a', token));
    process.kill(first.child.pid ?? 0, 'SIGKILL');
    await first.child.ended;
    await serve('--grpc', `unix:${path}`);
    expect(await until(200, () => ask(envoy, '/api/a', token))).toBe(200);
  });

  it('a changed policy decides, a broken one does not, and a file that is replaced is seen', async () => {
    const process_ = await serve('--grpc', '127.0.0.1:0');
    await process_.logged('ready');
    const envoy = await envoyFor(endpointOf(process_.grpc[0]));
    const token = await signer.token(issuer.origin);
    await until(200, () => ask(envoy, '/api/a', token));
    await writeFile(policyFile, policy('write'));
    await until(403, () => ask(envoy, '/api/a', token));
    await writeFile(policyFile, 'rules: [');
    const refused = await process_.logged('policy refused, its last good version stays');
    expect(JSON.stringify(refused['problems'])).toContain(`${policyFile}:1:`);
    expect(await ask(envoy, '/api/a', token)).toBe(403);
    expect((await process_.readyz()).status).toBe(200);
    const metrics = await (await fetch(`http://${process_.admin}/metrics`)).text();
    expect(metrics).toContain('scopegate_policy_sources{state="active"} 1\n');
    expect(metrics).toContain('scopegate_policy_sources{state="rejected"} 1\n');
    await writeFile(`${policyFile}.new`, policy('read'));
    await rename(`${policyFile}.new`, policyFile);
    await until(200, () => ask(envoy, '/api/a', token));
  });

  it('no good policy at start: listens, is not ready, answers 503, and becomes ready with the first one', async () => {
    await writeFile(policyFile, 'kind: Nonsense');
    const process_ = await serve('--grpc', '127.0.0.1:0');
    const envoy = await envoyFor(endpointOf(process_.grpc[0]));
    await process_.logged('policy refused, no version of it is in force');
    expect(await process_.readyz()).toMatchObject({ status: 503, body: { status: 'not_ready', policy: null } });
    expect(await ask(envoy, '/open')).toBe(503);
    await writeFile(policyFile, policy('read'));
    await process_.logged('ready');
    await until(200, () => ask(envoy, '/open'));
  });

  it('DI-05 the issuer is away at start: not ready, public paths answered, tokens 503, ready when it comes', async () => {
    const port = Number(new URL(issuer.origin).port);
    await issuer.close();
    const process_ = await serve('--grpc', '127.0.0.1:0', '--jwks-cooldown', '1s');
    const envoy = await envoyFor(endpointOf(process_.grpc[0]));
    await process_.logged('keys cannot be fetched');
    const token = await signer.token(issuer.origin);
    expect(await process_.readyz()).toMatchObject({
      status: 503,
      body: { missing: ['issuer corp has no keys: no connection, or it broke'] },
    });
    expect(await ask(envoy, '/api/a', token)).toBe(503);
    issuer = await startJwksServer({ port });
    issuer.publish([signer.jwk]);
    issuer.discover();
    await process_.logged('ready');
    await until(200, () => ask(envoy, '/api/a', token));
  });

  it('--ready-timeout: ready without the keys of an issuer, and says which', async () => {
    await issuer.close();
    const process_ = await serve('--grpc', '127.0.0.1:0', '--ready-timeout', '200ms');
    expect(await process_.logged('ready')).toMatchObject({ issuersWithoutKeys: ['corp'] });
    expect(await process_.readyz()).toMatchObject({
      status: 200,
      body: { missing: [expect.stringContaining('corp')] },
    });
    issuer = await startJwksServer();
  });

  it('JWK-08 the issuer goes away: tokens of known keys are answered, and 10,000 random kids cause one fetch a cool-down', async () => {
    const process_ = await serve('--grpc', '127.0.0.1:0', '--jwks-cooldown', '2s', '--jwks-refresh', '1s');
    await process_.logged('ready');
    const envoy = await envoyFor(endpointOf(process_.grpc[0]));
    const token = await signer.token(issuer.origin);
    await until(200, () => ask(envoy, '/api/a', token));
    for (const path of ['/jwks', '/.well-known/openid-configuration']) issuer.serve(path, { status: 500 });
    await process_.logged('keys cannot be fetched');
    const before = issuer.requests.length;
    const began = performance.now();
    const body = token.split('.').slice(1).join('.');
    for (let sent = 0; sent < 10_000; sent += 100) {
      const kids = Array.from({ length: 100 }, (_, at) => ({
        alg: 'ES256',
        typ: 'at+jwt',
        kid: `random-${sent + at}`,
      }));
      const headers = kids.map((header) => Buffer.from(JSON.stringify(header)).toString('base64url'));
      const statuses = await Promise.all(headers.map((header) => ask(envoy, '/api/a', `${header}.${body}`)));
      expect(new Set(statuses)).toEqual(new Set([503]));
      expect(await ask(envoy, '/api/a', token)).toBe(200);
    }
    const coolDowns = Math.ceil((performance.now() - began) / 2000);
    // An attempt asks both places of discovery.
    expect(issuer.requests.length - before).toBeLessThanOrEqual(2 * (coolDowns + 1));
    expect(process_.entries.filter((entry) => entry['msg'] === 'fault')).toEqual([]);
  });
});
