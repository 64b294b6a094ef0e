/**
 * Promises: the JWK Set of an issuer as its source gives it at the moment. Discovery is asked every time, so a `jwks_uri` that moved
 * is followed at the next refresh and only after its metadata was checked (DI-05).
 */
import type { Issuer } from '../token/issuer.ts';
import { discoverJwksUri } from './discovery.ts';
import { allowedUrl } from './endpoint.ts';
import { Failure } from './failure.ts';
import type { Get, GetOptions } from './fetch.ts';

export interface LoadedJwks {
  /** What should be a JWK Set. */
  readonly document: unknown;
  readonly maxAgeSeconds: number | undefined;
}

export async function loadJwks(issuer: Issuer, get: Get, signal: AbortSignal): Promise<LoadedJwks | Failure> {
  if (issuer.jwks.kind === 'inline') return { document: { keys: issuer.jwks.keys }, maxAgeSeconds: undefined };
  const options = { ca: issuer.ca, signal };
  const url = await findJwksUri(issuer, get, options);
  return url instanceof Failure ? url : get(url, options);
}

async function findJwksUri(issuer: Issuer, get: Get, options: GetOptions): Promise<URL | Failure> {
  return issuer.jwks.kind === 'uri'
    ? allowedUrl(issuer.jwks.uri, issuer.insecure)
    : discoverJwksUri(issuer, get, options);
}

/** Equal for two issuers exactly when their keys come from the same place in the same way. */
export function sourceIdentity({ issuer, jwks, ca, insecure }: Issuer): string {
  return JSON.stringify([issuer, jwks, ca ?? null, insecure.allowHttp, insecure.anyHost]);
}
