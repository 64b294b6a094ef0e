/**
 * Promises: the `jwks_uri` that an issuer publishes: OpenID Connect Discovery first, then RFC 8414 (DI-01). Metadata that names
 * another issuer is not used (DI-02), and a `jwks_uri` is held to the same limits as any URL of that issuer (DI-04).
 */
import { member } from '../token/json.ts';
import { allowedUrl, type InsecureOptions } from './endpoint.ts';
import { Failure } from './failure.ts';
import type { Get, GetOptions } from './fetch.ts';

export interface DiscoveryRequest {
  /** The configured issuer identifier. */
  readonly issuer: string;
  readonly insecure: InsecureOptions;
}

export async function discoverJwksUri(
  request: DiscoveryRequest,
  get: Get,
  options: GetOptions,
): Promise<URL | Failure> {
  const [openid, oauth] = metadataUrls(request);
  if (openid instanceof Failure) return openid;
  if (oauth instanceof Failure) return oauth;
  const first = await readMetadata(openid, request, get, options);
  if (!(first instanceof Failure) || !isAnswer(first)) return first;
  const second = await readMetadata(oauth, request, get, options);
  // Of two failures the one that is more than "not there" tells the operator more.
  return second instanceof Failure && second.kind === 'status_404' ? first : second;
}

/** DI-01: a slash at the end of the issuer's path is dropped in both forms. */
function metadataUrls({ issuer, insecure }: DiscoveryRequest): readonly [URL | Failure, URL | Failure] {
  const refused = new Failure('url_refused');
  // DI-03.
  const base = issuer.includes('?') ? refused : allowedUrl(issuer, insecure);
  if (base instanceof Failure) return [base, base];
  const path = base.pathname.replace(/\/$/, '');
  return [
    allowedUrl(`${base.origin}${path}/.well-known/openid-configuration`, insecure),
    allowedUrl(`${base.origin}/.well-known/oauth-authorization-server${path}`, insecure),
  ];
}

/** The server spoke, so it may know the other form; a host that cannot be reached is not asked twice. */
function isAnswer({ kind }: Failure): boolean {
  return !['timeout', 'dns', 'connect', 'tls', 'protocol', 'stopped'].includes(kind);
}

async function readMetadata(
  url: URL,
  request: DiscoveryRequest,
  get: Get,
  options: GetOptions,
): Promise<URL | Failure> {
  const fetched = await get(url, options);
  if (fetched instanceof Failure) return fetched;
  if (member(fetched.document, 'issuer') !== request.issuer) return new Failure('issuer_mismatch');
  const jwksUri = member(fetched.document, 'jwks_uri');
  return typeof jwksUri === 'string' ? allowedUrl(jwksUri, request.insecure) : new Failure('jwks_uri_missing');
}
