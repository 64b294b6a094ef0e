/** DP-16: what a page on another origin may read of our refusals and nonces, with Envoy's CORS filter before ours as docs/dpop.md has it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { envoyConfig, type JsonObject } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { type Answered, DpopClient, send } from '../support/dpop-client.ts';
import { createSigner } from '../support/es256.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';

const issuer = 'https://idp.example.com';
const host = 'orders.example.com';
const origin = 'https://app.example.com';
const url = `https://${host}/orders/7`;
const dpop = new DpopClient();
let folder: string;
let upstream: Server;
let serve: Serve;
let envoy: RunningEnvoy;
let token: string;
let exposed: string;

beforeAll(async () => {
  const docs = await readFile(new URL('../../docs/dpop.md', import.meta.url), 'utf8');
  exposed = /^expose_headers: (.+)$/m.exec(docs)?.[1] ?? '';
  const signer = await createSigner('k1');
  token = await signer.token(issuer, { cnf: { jkt: dpop.thumbprint } });
  folder = await mkdtemp(join(tmpdir(), 'scopegate-browser-'));
  const policyFile = join(folder, 'policy.json');
  const jwks = { inline: { keys: [signer.jwk] } };
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'corp', issuer, audiences: ['api'], jwks, senderConstraint: 'dpop', dpop: { nonce: true } }],
    rules: [{ name: 'orders', hosts: [host], paths: ['/orders/**'], require: { scopes: ['read'] } }],
  };
  await writeFile(policyFile, JSON.stringify(document));
  upstream = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  serve = await startServe('--policy', policyFile, '--grpc', '127.0.0.1:0');
  await serve.logged('ready');
  envoy = await startEnvoy(await envoyBinary(() => {}), withCors());
});

afterAll(async () => {
  await Promise.all([envoy.stop(), serve.child.stop()]);
  upstream.close();
  await rm(folder, { recursive: true });
});

function withCors(): JsonObject {
  const { port } = upstream.address() as AddressInfo;
  const authz = endpointOf(serve.grpc[0]);
  const config = envoyConfig({ listenPort: 0, authz, upstream: { host: '127.0.0.1', port } });
  const type = 'type.googleapis.com/envoy.extensions.filters.http.cors.v3';
  const filter = { name: 'envoy.filters.http.cors', typed_config: { '@type': `${type}.Cors` } };
  const policy = {
    '@type': `${type}.CorsPolicy`,
    allow_origin_string_match: [{ exact: origin }],
    allow_headers: 'authorization, dpop',
    expose_headers: exposed,
  };
  return JSON.parse(JSON.stringify(config), (key, value: unknown) => {
    if (key === 'http_filters') return [filter, ...(value as object[])];
    if (key === 'virtual_hosts') {
      for (const virtualHost of value as object[]) {
        Object.assign(virtualHost, { typed_per_filter_config: { [filter.name]: policy } });
      }
      return value;
    }
    return value;
  }) as JsonObject;
}

function ask(nonce?: string): Promise<Answered> {
  const claims = nonce === undefined ? {} : { nonce };
  const headers = { origin, authorization: `DPoP ${token}`, dpop: dpop.proof(url, token, claims) };
  return send({ port: envoy.port, path: '/orders/7', host, headers });
}

it('DP-16 a refusal with a nonce, and the answer to the proof that has it: a page may read both headers', async () => {
  const asked = await ask();
  expect(asked).toMatchObject({ status: 401, reason: 'dpop_nonce_required' });
  expect(asked.headers['access-control-expose-headers']).toBe('WWW-Authenticate, DPoP-Nonce');
  expect(asked.headers['access-control-allow-origin']).toBe(origin);
  expect(asked.headers['www-authenticate']).toContain('error="use_dpop_nonce"');
  expect(asked.headers['cache-control']).toBe('no-store');
  const answered = await ask(String(asked.headers['dpop-nonce']));
  expect(answered.status).toBe(200);
  expect(answered.headers['access-control-expose-headers']).toBe('WWW-Authenticate, DPoP-Nonce');
});
