/**
 * Promises: the JWK Set of an issuer as its source gives it at the moment. Discovery is asked every time, so a `jwks_uri` that moved
 * is followed at the next refresh and only after its metadata was checked (DI-05).
 */
import type { Issuer } from '../token/issuer.ts';
import { discoverJwksUri } from './discovery.ts';
import { allowedUrl } from './endpoint.ts';
import { Failure } from './failure.ts';
import type { Get, GetOptions } from './fetch.ts';
import { ownKeys } from './key-issuer.ts';

export interface LoadedJwks {
  /** What should be a JWK Set. */
  readonly document: unknown;
  readonly maxAgeSeconds: number | undefined;
}

export async function loadJwks(issuer: Issuer, get: Get, signal: AbortSignal): Promise<LoadedJwks | Failure> {
  if (issuer.jwks.kind === 'inline') {
    return { document: ownKeys({ keys: issuer.jwks.keys }, issuer), maxAgeSeconds: undefined };
  }
  const options = { ca: issuer.ca, signal };
  const url = await findJwksUri(issuer, get, options);
  const fetched = url instanceof Failure ? url : await get(url, options);
  return fetched instanceof Failure ? fetched : { ...fetched, document: ownKeys(fetched.document, issuer) };
}

async function findJwksUri(issuer: Issuer, get: Get, options: GetOptions): Promise<URL | Failure> {
  return issuer.jwks.kind === 'uri'
    ? allowedUrl(issuer.jwks.uri, issuer.insecure)
    : discoverJwksUri(issuer, get, options);
}

/** Equal for two issuers exactly when their keys come from the same place in the same way. */
export function sourceIdentity({ issuer, jwks, ca, insecure, tenant }: Issuer): string {
  const place = [issuer, jwks, ca ?? null, insecure.allowHttp, insecure.anyHost];
  // Of what is found there, a tenant takes a part.
  return JSON.stringify(tenant === undefined ? place : [...place, tenant]);
}
