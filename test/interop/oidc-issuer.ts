/**
 * Promises: a real oidc-provider on 127.0.0.1 whose access tokens are JWTs of RFC 9068, over http and, for client certificates, over TLS.
 * Its keys can be changed while it runs. People log in and consent on its own development pages.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Provider } from 'oidc-provider';
import { MemoryStore } from '../../deploy/demo/memory-store.ts';
import { readTestPem } from '../support/jwks-server.ts';

export const oidcVersion = '9.13.3';
export const oidcAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519'] as const;
export const redirectUri = 'http://127.0.0.1:9999/callback';
const ordersApi = 'https://orders.example.com';

/** The secret of a confidential one is its id with `-secret` after it. */
export const clients = {
  service: 'service',
  dpop: 'dpop',
  certificateBound: 'certificate-bound',
  spa: 'spa',
} as const;

export function algorithmClient(algorithm: string): string {
  return `service-${algorithm}`;
}

export interface OidcIssuer {
  /** Its `iss`. */
  readonly url: string;
  readonly tlsUrl: string;
  /** A new RS256 key signs; the one before stays published or does not. */
  rotate(old: 'kept' | 'dropped'): Promise<void>;
  stop(): Promise<void>;
}

export async function startOidcIssuer(): Promise<OidcIssuer> {
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const listener: RequestListener = (request, response) => handle(request, response);
  const plain = await listening(createServer(listener));
  const secured = await listening(
    createTlsServer(
      {
        cert: readTestPem('server.pem'),
        key: readTestPem('server-key.pem'),
        requestCert: true,
        // What a token is bound to need not be trusted.
        rejectUnauthorized: false,
      },
      listener,
    ),
  );
  const url = `http://127.0.0.1:${portOf(plain)}`;
  let keys = await Promise.all(oidcAlgorithms.map((algorithm) => signingKey(algorithm)));
  handle = createProvider(url, keys).callback();

  async function rotate(old: 'kept' | 'dropped'): Promise<void> {
    const rest = old === 'kept' ? keys : keys.filter(({ alg }) => alg !== 'RS256');
    keys = [await signingKey('RS256'), ...rest];
    // Tokens are JWTs, so nothing of the provider before is missed.
    handle = createProvider(url, keys).callback();
  }
  async function stop(): Promise<void> {
    for (const server of [plain, secured]) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }
  return { url, tlsUrl: `https://localhost:${portOf(secured)}`, rotate, stop };
}

async function listening<T extends Server>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

let keysMade = 0;

async function signingKey(alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  keysMade += 1;
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${keysMade}` };
}

interface RequestContext {
  readonly req: { readonly socket: TLSSocket };
}

function createProvider(url: string, keys: readonly JWK[]): Provider {
  const provider = new Provider(url, {
    adapter: MemoryStore,
    jwks: { keys },
    cookies: { keys: ['interop'] },
    clients: clientsOf(),
    scopes: ['openid', 'offline_access', 'orders:read'],
    enabledJWA: { idTokenSigningAlgValues: [...oidcAlgorithms] },
    ttl: {
      AccessToken: 300,
      ClientCredentials: 300,
      IdToken: 300,
      Interaction: 300,
      Session: 300,
      Grant: 300,
      RefreshToken: 300,
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: ({ req }: RequestContext) => req.socket.getPeerX509Certificate?.(),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => ordersApi,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context: unknown, resource: string, { clientId }: { readonly clientId: string }) => ({
          scope: 'orders:read',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: /^service-(.+)$/.exec(clientId)?.[1] ?? 'RS256' } },
        }),
      },
    },
    issueRefreshToken: () => true,
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  provider.on('server_error', (_context, error) => process.stderr.write(`oidc-provider: ${error.stack}\n`));
  return provider;
}

function clientsOf(): readonly object[] {
  const service = (id: string, more: object = {}): object => ({
    client_id: id,
    client_secret: `${id}-secret`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...more,
  });
  return [
    service(clients.service),
    ...oidcAlgorithms.map((algorithm) => service(algorithmClient(algorithm))),
    service(clients.dpop, { dpop_bound_access_tokens: true }),
    service(clients.certificateBound, { tls_client_certificate_bound_access_tokens: true }),
    {
      client_id: clients.spa,
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
    },
  ];
}
