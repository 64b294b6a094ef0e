/**
 * Promises: an endpoint of an issuer for requests of a client, found by discovery under the rules that hold for the issuer's keys, and how
 * clients may authenticate there. A client with a certificate is led to the endpoint that asks for one (RFC 8705 section 5).
 */
import { discover } from '../keyset/discovery.ts';
import { allowedUrl } from '../keyset/endpoint.ts';
import { Failure } from '../keyset/failure.ts';
import type { Get } from '../keyset/fetch.ts';
import type { Issuer } from '../token/issuer.ts';
import { isJsonObject, type JsonObject, member } from '../token/json.ts';
import type { EndpointMethods } from './authentication.ts';
import { RequestFailure } from './failure.ts';

export interface Endpoint extends EndpointMethods {
  readonly url: string;
}

export interface EndpointQuestion {
  readonly issuer: Issuer;
  readonly name: 'token' | 'introspection';
  readonly hasCertificate: boolean;
  readonly signal: AbortSignal;
}

export async function findEndpoint(question: EndpointQuestion, get: Get): Promise<Endpoint | RequestFailure> {
  const { issuer, signal } = question;
  const found = await discover(issuer, get, { ca: issuer.ca, signal }, (metadata) => readEndpoint(metadata, question));
  if (found instanceof Failure) return new RequestFailure(found.kind);
  return found.url === '' ? new RequestFailure('endpoint_missing') : found;
}

/** Metadata without the endpoint are no reason to ask for the other form: they are those of this issuer. */
function readEndpoint(metadata: JsonObject, { issuer, name, hasCertificate }: EndpointQuestion): Endpoint | Failure {
  const own = member(metadata, `${name}_endpoint`);
  const aliases = member(metadata, 'mtls_endpoint_aliases');
  const alias = hasCertificate && isJsonObject(aliases) ? member(aliases, `${name}_endpoint`) : undefined;
  const url = alias ?? own;
  const methods = textList(member(metadata, `${name}_endpoint_auth_methods_supported`));
  const signingAlgorithms = textList(member(metadata, `${name}_endpoint_auth_signing_alg_values_supported`));
  if (typeof url !== 'string') return { url: '', methods, signingAlgorithms };
  const allowed = allowedUrl(url, issuer.insecure);
  return allowed instanceof Failure ? allowed : { url, methods, signingAlgorithms };
}

function textList(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}
