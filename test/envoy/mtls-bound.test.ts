/**
 * Tokens bound to a client certificate, and to a DPoP key, through an Envoy that ends TLS: what counts is the certificate of the
 * connection, however the request is dressed.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { Agent, type AgentOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envoyConfig, type JsonObject } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { DpopClient } from '../support/dpop-client.ts';
import { createSigner, type Signer } from '../support/es256.ts';
import { certificateThumbprint, envoyCertificate } from '../support/proofs.ts';
import { endpointOf, type Serve, startServe } from '../support/serve.ts';

const issuer = 'https://idp.example.com';
const strictIssuer = 'https://strict.example.com';
const host = 'orders.example.com';
const file = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));

let signer: Signer;
let folder: string;
let upstream: Server;
let serve: Serve;
/** As deployed by us, and without `include_peer_certificate`. */
let envoy: RunningEnvoy;
let blindEnvoy: RunningEnvoy;
let bound: string;
let plain: string;

beforeAll(async () => {
  signer = await createSigner('k1');
  const print = certificateThumbprint('client');
  bound = await signer.token(issuer, { cnf: { 'x5t#S256': print } });
  plain = await signer.token(issuer);
  folder = await mkdtemp(join(tmpdir(), 'scopegate-mtls-'));
  const policyFile = join(folder, 'policy.json');
  const jwks = { inline: { keys: [signer.jwk] } };
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [
      { name: 'corp', issuer, audiences: ['api'], jwks },
      { name: 'strict', issuer: strictIssuer, audiences: ['api'], jwks, senderConstraint: 'mtls' },
    ],
    rules: [{ name: 'orders', hosts: [host], paths: ['/orders/**'], require: { scopes: ['read'] } }],
  };
  await writeFile(policyFile, JSON.stringify(document));
  upstream = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  serve = await startServe('--policy', policyFile, '--grpc', '127.0.0.1:0');
  await serve.logged('ready');
  [envoy, blindEnvoy] = await Promise.all([startTlsEnvoy(true), startTlsEnvoy(false)]);
});

afterAll(async () => {
  await Promise.all([envoy.stop(), blindEnvoy.stop(), serve.child.stop()]);
  upstream.close();
  await rm(folder, { recursive: true });
});

/** Certificates are asked for and none is required; one whose chain is not trusted is let through to us (MT-04). */
async function startTlsEnvoy(showsCertificate: boolean): Promise<RunningEnvoy> {
  const { port } = upstream.address() as AddressInfo;
  const base = envoyConfig({
    listenPort: 0,
    authz: endpointOf(serve.grpc[0]),
    upstream: { host: '127.0.0.1', port },
  });
  const config = structuredClone(base) as {
    static_resources: { listeners: { filter_chains: JsonObject[] }[] };
  };
  for (const chain of config.static_resources.listeners.flatMap(({ filter_chains }) => filter_chains)) {
    Object.assign(chain, {
      transport_socket: {
        name: 'envoy.transport_sockets.tls',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
          require_client_certificate: false,
          common_tls_context: {
            tls_certificates: [
              {
                certificate_chain: { filename: file('server.pem') },
                private_key: { filename: file('server-key.pem') },
              },
            ],
            validation_context: {
              trusted_ca: { filename: file('client-ca.pem') },
              trust_chain_verification: 'ACCEPT_UNTRUSTED',
            },
          },
        },
      },
    });
  }
  const text = JSON.stringify(config);
  const shown = showsCertificate
    ? text
    : text.replace('"include_peer_certificate":true', '"include_peer_certificate":false');
  return startEnvoy(await envoyBinary(() => {}), JSON.parse(shown) as JsonObject);
}

async function certificateOf(name: string): Promise<AgentOptions> {
  return { cert: await readFile(file(`${name}.pem`), 'utf8'), key: await readFile(file(`${name}-key.pem`), 'utf8') };
}

interface Answered {
  readonly status: number | undefined;
  readonly reason?: unknown;
  readonly challenge?: string | undefined;
  readonly isResumed: boolean;
}

interface Sent {
  readonly agent: Agent;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: RunningEnvoy;
}

async function ask({ agent, token, headers = {}, at = envoy }: Sent): Promise<Answered> {
  const ca = await readFile(file('ca.pem'), 'utf8');
  const all = { host, authorization: `Bearer ${token}`, ...headers };
  return new Promise((resolve, reject) => {
    const options = {
      agent,
      host: 'localhost',
      servername: 'localhost',
      port: at.port,
      path: '/orders/7',
      headers: all,
      ca,
    };
    request(options, (response) => {
      const isResumed = 'isSessionReused' in response.socket && (response.socket.isSessionReused as () => boolean)();
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        const reason: unknown = body.startsWith('{') ? Reflect.get(JSON.parse(body) as object, 'reason') : undefined;
        const challenge = response.headers['www-authenticate'];
        resolve({ status: response.statusCode, isResumed, reason, challenge });
      });
    })
      .on('error', reject)
      .end();
  });
}

const refused = { status: 401, reason: 'sender_constraint_failed' };

describe('a token that is bound to a certificate', () => {
  it('MT-01 over a connection with that certificate: reaches the upstream', async () => {
    const agent = new Agent(await certificateOf('client'));
    expect(await ask({ agent, token: bound })).toMatchObject({ status: 200 });
  });

  it('MT-01 MT-04 with another certificate, trusted or not: refused with invalid_token', async () => {
    const agent = new Agent(await certificateOf('other-client'));
    const answer = await ask({ agent, token: bound });
    expect(answer).toMatchObject(refused);
    expect(answer.challenge).toBe('Bearer realm="scopegate", error="invalid_token"');
  });

  it('MT-01 with none: refused', async () => {
    expect(await ask({ agent: new Agent(), token: bound })).toMatchObject(refused);
  });

  it('MT-02 with the certificate in headers of the request only: refused', async () => {
    const certificate = envoyCertificate('client');
    const headers = {
      'x-forwarded-client-cert': `Hash=0;Cert="${certificate}";Chain="${certificate}"`,
      'client-cert': `:${Buffer.from(decodeURIComponent(certificate)).toString('base64')}:`,
      'x-ssl-cert': certificate,
    };
    expect(await ask({ agent: new Agent(), token: bound, headers })).toMatchObject(refused);
    const other = new Agent(await certificateOf('other-client'));
    expect(await ask({ agent: other, token: bound, headers })).toMatchObject(refused);
  });

  it('MT-03 where Envoy does not pass certificates on: refused, not taken for unbound', async () => {
    const agent = new Agent(await certificateOf('client'));
    expect(await ask({ agent, token: bound, at: blindEnvoy })).toMatchObject(refused);
    expect(await ask({ agent, token: plain, at: blindEnvoy })).toMatchObject({ status: 200 });
  });

  it('MT-01 over a resumed session, in which no certificate is sent: the one of the first handshake counts', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const agent = new Agent({ ...(await certificateOf('client')), maxVersion, maxCachedSessions: 4 });
      const answers = [await ask({ agent, token: bound }), await ask({ agent, token: bound })];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[1]?.isResumed).toBe(true);
    }
  });

  it('MT-01 DP-12 bound to a key beside it: both are wanted', async () => {
    const dpop = new DpopClient();
    const cnf = { jkt: dpop.thumbprint, 'x5t#S256': certificateThumbprint('client') };
    const token = await signer.token(issuer, { cnf });
    const own = new Agent(await certificateOf('client'));
    const proven = (): Record<string, string> => ({
      authorization: `DPoP ${token}`,
      dpop: dpop.proof(`https://${host}/orders/7`, token),
    });
    expect(await ask({ agent: own, token, headers: proven() })).toMatchObject({ status: 200 });
    expect(await ask({ agent: own, token })).toMatchObject(refused);
    expect(await ask({ agent: new Agent(), token, headers: proven() })).toMatchObject(refused);
  });
});

describe('an issuer whose tokens have to be bound', () => {
  it('MT-01 bound and unbound ones, over the same connection', async () => {
    const agent = new Agent(await certificateOf('client'));
    const token = await signer.token(strictIssuer, { cnf: { 'x5t#S256': certificateThumbprint('client') } });
    expect(await ask({ agent, token })).toMatchObject({ status: 200 });
    expect(await ask({ agent, token: await signer.token(strictIssuer) })).toMatchObject(refused);
  });

  it('an issuer without such a wish: unbound tokens pass, whatever the certificate', async () => {
    expect(await ask({ agent: new Agent(await certificateOf('other-client')), token: plain })).toMatchObject({
      status: 200,
    });
    expect(await ask({ agent: new Agent(), token: plain })).toMatchObject({ status: 200 });
  });
});
