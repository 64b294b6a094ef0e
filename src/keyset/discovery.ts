/**
 * Promises: the metadata that an issuer publishes, and its `jwks_uri`: OpenID Connect Discovery first, then RFC 8414 (DI-01). Metadata that
 * names another issuer is not used (DI-02), and a `jwks_uri` is held to the same limits as any URL of that issuer (DI-04).
 */
import { type JsonObject, member } from '../token/json.ts';
import { allowedUrl, type InsecureOptions } from './endpoint.ts';
import { Failure } from './failure.ts';
import type { Fetched, Get, GetOptions } from './fetch.ts';

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
  return discover(request, get, options, (metadata) => {
    const jwksUri = member(metadata, 'jwks_uri');
    return typeof jwksUri === 'string' ? allowedUrl(jwksUri, request.insecure) : new Failure('jwks_uri_missing');
  });
}

/** What `read` finds in the metadata of the issuer; the second form is asked for where the first does not have it. */
export async function discover<Value extends object>(
  request: DiscoveryRequest,
  get: Get,
  options: GetOptions,
  read: (metadata: JsonObject) => Value | Failure,
): Promise<Value | Failure> {
  const [openid, oauth] = metadataUrls(request);
  if (openid instanceof Failure) return openid;
  if (oauth instanceof Failure) return oauth;
  const first = readMetadata(await get(openid, options), request, read);
  if (!(first instanceof Failure) || !isAnswer(first)) return first;
  const second = readMetadata(await get(oauth, options), request, read);
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

function readMetadata<Value extends object>(
  fetched: Fetched | Failure,
  { issuer }: DiscoveryRequest,
  read: (metadata: JsonObject) => Value | Failure,
): Value | Failure {
  if (fetched instanceof Failure) return fetched;
  if (member(fetched.document, 'issuer') !== issuer) return new Failure('issuer_mismatch');
  return read(fetched.document);
}
