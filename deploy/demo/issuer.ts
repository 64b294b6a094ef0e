/**
 * Promises: a real OAuth 2.1 and OpenID Connect server (`oidc-provider`) on 127.0.0.1 with the clients, resources and the one
 * account of the demo. Access tokens are JWTs of RFC 9068 for the resource that the client names (RFC 8707).
 * Leaves to others: getting tokens from it (tokens.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { type Context, Provider } from 'oidc-provider';
import { type LocalServer, listen } from './local-server.ts';
import { MemoryStore } from './memory-store.ts';

/** The API that Scopegate protects, and another one of the same issuer. */
export const ordersApi = 'https://orders.example.com';
export const billingApi = 'https://billing.example.com';

/** The demo's clients; each secret is the id with `-secret` after it, for this process only. */
export const clients = { web: 'shop', service: 'job', shortLived: 'flash' } as const;

/** Where the login of `clients.web` ends. Nobody goes there: the code is read off the redirect. */
export const redirectUri = 'https://shop.example.com/callback';

/** Whoever comes to log in is ada. */
const account = 'ada';
const scopes = 'orders:read orders:write reports:read';
const tokenSeconds = 8 * 3600;

export interface Issuer {
  /** Its `iss`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it on `port`; 0 is any free one. */
export async function startIssuer(port: number): Promise<Issuer> {
  // The issuer's name holds the port, which is known once the server listens.
  let handle: (request: IncomingMessage, response: ServerResponse) => void = notYet;
  const server: LocalServer = await listen('the OAuth server', port, (request, response) => handle(request, response));
  const url = `http://127.0.0.1:${server.port}`;
  handle = requestHandler(await createProvider(url));
  return { url, stop: () => server.stop() };
}

function notYet(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503).end();
}

function requestHandler(provider: Provider): (request: IncomingMessage, response: ServerResponse) => void {
  const callback = provider.callback();
  return (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) {
      callback(request, response);
      return;
    }
    // Where a real one shows its login page.
    provider.interactionFinished(request, response, { login: { accountId: account } }).catch((error: unknown) => {
      response.writeHead(400).end(String(error));
    });
  };
}

async function createProvider(url: string): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'demo-1' };
  const provider = new Provider(url, {
    adapter: MemoryStore,
    jwks: { keys: [key] },
    cookies: { keys: ['demo'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      client(clients.web, {
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [redirectUri],
      }),
      client(clients.service, {}),
      client(clients.shortLived, {}),
    ],
    scopes: ['openid'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    ttl: {
      AccessToken: tokenSeconds,
      ClientCredentials: lifetime,
      IdToken: 3600,
      Interaction: 600,
      Session: 600,
      Grant: 600,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => ordersApi,
        useGrantedResource: () => true,
        getResourceServerInfo,
      },
    },
    interactions: {
      url: (_context: Context, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}`,
    },
    loadExistingGrant: consentToAll,
    findAccount: (_context: Context, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  provider.on('server_error', (_context, error) => process.stderr.write(`OAuth server: ${error.message}\n`));
  return provider;
}

function client(id: string, more: object): object {
  return {
    client_id: id,
    client_secret: `${id}-secret`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...more,
  };
}

function lifetime(_context: Context, _token: unknown, { clientId }: { readonly clientId: string }): number {
  return clientId === clients.shortLived ? 1 : tokenSeconds;
}

function getResourceServerInfo(_context: Context, resource: string): object {
  return {
    scope: scopes,
    audience: resource,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

/** Where a real one asks the user what the client may do. */
async function consentToAll({ oidc }: Context): Promise<object> {
  const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope('openid');
  grant.addResourceScope(ordersApi, scopes);
  await grant.save();
  return grant;
}
