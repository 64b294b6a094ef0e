/**
 * Promises: one access token by client credentials (RFC 6749 section 4.4), or why not.
 * Leaves to others: when to ask, and keeping what came (client-token.ts).
 */
import { clientCredentialsGrantRequest, processClientCredentialsResponse } from 'oauth4webapi';
import type { Get } from '../keyset/fetch.ts';
import type { OAuthClient } from '../token/oauth-client.ts';
import { type ReadSecret, readCredentials } from './authentication.ts';
import { findEndpoint } from './authorization-server.ts';
import { RequestFailure } from './failure.ts';
import { asValue, transportOptions } from './oauth-request.ts';
import type { Post } from './post.ts';

export interface GivenToken {
  readonly accessToken: string;
  /** From the moment at which it was asked for. */
  readonly lifetimeMs: number;
}

export type RequestToken = (client: OAuthClient, signal: AbortSignal) => Promise<GivenToken | RequestFailure>;

export interface RequestPorts {
  readonly get: Get;
  readonly post: Post;
  readonly readSecret: ReadSecret;
}

/** RFC 6749 section 5.1 only recommends `expires_in`. Without it the token may end at any time, so it is asked for again soon. */
const unsaidLifetimeMs = 60_000;
/** Of one that the issuer gives for longer: what a client may do at the upstream should not be settled for days. */
const maxLifetimeMs = 86_400_000;
/** One that ends sooner would be asked for again as fast as the issuer answers. */
const minLifetimeMs = 1000;
const maxTokenLength = 16_384;
const token68 = /^[A-Za-z0-9\-._~+/]+=*$/;

export function createRequestToken({ get, post, readSecret }: RequestPorts): RequestToken {
  return async (client, signal) => {
    const { issuer, authentication, clientId } = client;
    const hasCertificate = authentication.kind === 'certificate';
    const endpoint = await findEndpoint({ issuer, name: 'token', hasCertificate, signal }, get);
    if (endpoint instanceof RequestFailure) return endpoint;
    const credentials = await readCredentials(authentication, endpoint, readSecret);
    if (credentials instanceof RequestFailure) return credentials;
    const server = { issuer: issuer.issuer, token_endpoint: endpoint.url };
    const connection = { insecure: issuer.insecure, ca: issuer.ca, certificate: credentials.certificate, signal };
    const about = { client_id: clientId };
    const answer = await asValue(async () => {
      const options = transportOptions(post, connection);
      const sent = await clientCredentialsGrantRequest(server, about, credentials.auth, parametersOf(client), options);
      return processClientCredentialsResponse(server, about, sent);
    });
    return answer instanceof RequestFailure ? answer : usable(answer);
  };
}

function parametersOf({ scopes, resource }: OAuthClient): URLSearchParams {
  const parameters = new URLSearchParams();
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '));
  if (resource !== undefined) parameters.set('resource', resource);
  return parameters;
}

interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in?: number;
}

/** A token that is bound to a key is no use without proofs, and one with a line break would be a header of its own. */
function usable({ access_token, token_type, expires_in }: TokenAnswer): GivenToken | RequestFailure {
  const isBearer = token_type.toLowerCase() === 'bearer';
  if (!isBearer || access_token.length > maxTokenLength || !token68.test(access_token)) {
    return new RequestFailure('token_unusable');
  }
  const lifetimeMs = expires_in === undefined ? unsaidLifetimeMs : Math.min(expires_in * 1000, maxLifetimeMs);
  if (lifetimeMs < minLifetimeMs) return new RequestFailure('token_short_lived');
  return { accessToken: access_token, lifetimeMs };
}
