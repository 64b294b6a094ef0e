/**
 * Promises: the document that tells a client which authorization servers and scopes this resource knows (RFC 9728 sections 2 and 3).
 */
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { proofAlgorithms } from '../token/dpop-proof.ts';
import type { Issuer } from '../token/issuer.ts';
import { metadataPath, pathOf } from './challenge.ts';

/** The JSON text, or undefined when the request does not ask for it. `path` is canonical. */
export function resourceMetadata(snapshot: PolicySnapshot, method: string, path: string): string | undefined {
  const { resourceMetadata: base } = snapshot;
  if (base === undefined || method !== 'GET') return undefined;
  if (path !== metadataPath && !path.startsWith(`${metadataPath}/`)) return undefined;
  const basePath = pathOf(base);
  const origin = base.slice(0, base.length - basePath.length);
  const scopes = new Set(snapshot.rules.flatMap(({ require }) => [...require.scopes, ...require.anyScope]));
  return JSON.stringify({
    // PR-01: identical to the identifier that the URL was made from.
    resource: origin + path.slice(metadataPath.length),
    authorization_servers: [...snapshot.issuers.keys()].toSorted(),
    ...(scopes.size > 0 ? { scopes_supported: [...scopes].toSorted() } : {}),
    bearer_methods_supported: ['header'],
    ...bindings([...snapshot.issuers.values()]),
  });
}

/** PR-02: only what is true; an absent member says `false` (section 2). */
function bindings(issuers: readonly Issuer[]): Readonly<Record<string, unknown>> {
  const wanted = new Set(issuers.map(({ senderConstraint }) => senderConstraint));
  return {
    ...(wanted.has('dpop') || wanted.has('any') ? { dpop_signing_alg_values_supported: proofAlgorithms } : {}),
    ...(wanted.size === 1 && wanted.has('dpop') ? { dpop_bound_access_tokens_required: true } : {}),
    ...(wanted.size === 1 && wanted.has('mtls') ? { tls_client_certificate_bound_access_tokens: true } : {}),
  };
}
