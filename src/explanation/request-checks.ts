/**
 * Promises: what the checks up to the signature compared, in words; of the token only what its header says and, when values may be
 * shown, its `iss`.
 */
import { explainFailure, isFailureKind } from '../keyset/failure.ts';
import type { Issuer } from '../token/issuer.ts';
import { member } from '../token/json.ts';
import { providerRow } from '../token/providers.ts';
import type { Comparison } from './explanation.ts';
import type { Facts } from './facts.ts';
import { listed, quoted } from './wording.ts';

export function describePlace({ decision, request }: Facts): Comparison {
  const { path, host } = decision.told;
  const wanted = 'one spelling, of path, host and method';
  return path === undefined ? { wanted } : { found: `${request.method}, ${host ?? ''}, ${path}` };
}

export function describeRule({ rule, snapshot, decision }: Facts): Comparison {
  if (decision.reason === 'resource_metadata') return { found: 'the document of RFC 9728 is asked for' };
  const enforcing = snapshot.rules.filter(({ mode }) => mode === 'enforce').length;
  const wanted = 'a rule for host, path and method';
  return rule === undefined ? { wanted, found: `none of ${enforcing} matches` } : { found: rule.name };
}

export function describeAccess({ rule }: Facts): Comparison {
  const access = rule?.access ?? 'deny';
  return access === 'public' ? { found: 'public, no token is looked at' } : { found: access };
}

export function describeAuthorization({ token, isSigned }: Facts): Comparison {
  if (token === undefined) return { wanted: 'one header `Authorization: Bearer TOKEN`' };
  return { found: isSigned ? token.scheme : 'the claims that were given' };
}

export function describeSize({ token, maxTokenBytes }: Facts): Comparison {
  return { wanted: `at most ${maxTokenBytes} bytes`, found: `${token?.length ?? 0} bytes` };
}

export function describeForm({ token, isSigned }: Facts): Comparison {
  const jws = token?.jws;
  if (token?.introspector !== undefined) return { found: 'no JWS' };
  if (jws === undefined) return { wanted: 'a compact JWS of two JSON objects and a signature' };
  if (!isSigned) return { found: 'filled in around the claims' };
  const parts = [
    `alg ${quoted(jws.algorithm)}`,
    `kid ${jws.kid === undefined ? 'absent' : quoted(jws.kid)}`,
    `typ ${jws.type === undefined ? 'absent' : quoted(jws.type)}`,
  ];
  return { found: parts.join(', ') };
}

export function describeIssuer({ token, rule, snapshot, showClaims }: Facts): Comparison {
  const known = [...new Set([...snapshot.issuers.values()].map(({ name }) => name))];
  const wanted = `one of ${listed(known.filter((name) => rule?.issuers?.has(name) ?? true).toSorted())}`;
  if (token?.introspector !== undefined)
    return { wanted, found: `${token.introspector.name}, which is asked about it` };
  if (token?.issuer !== undefined) return { wanted, found: token.issuer.name };
  const iss = token?.jws && member(token.jws.claims, 'iss');
  if (typeof iss !== 'string') return { wanted, found: 'iss absent or no text' };
  const near = nearIssuer(iss, snapshot.issuers.values());
  const found = showClaims ? `iss ${quoted(iss)}` : 'another iss';
  return { wanted, found: near === undefined ? found : `${found}, ${near}` };
}

/** JWT-08: compared code point by code point, so the eye needs help with what is all but equal. */
function nearIssuer(iss: string, issuers: Iterable<Issuer>): string | undefined {
  for (const { name, issuer, tenant } of issuers) {
    if (iss === `${issuer}/`) return `which has a slash more at its end than that of ${name}`;
    if (`${iss}/` === issuer) return `which lacks the slash at the end of that of ${name}`;
    if (iss.toLowerCase() === issuer.toLowerCase()) return `which differs in case from that of ${name}`;
    if (iss.replace(/^https?:/, '') === issuer.replace(/^https?:/, ''))
      return `which differs in its scheme from that of ${name}`;
    if (isOfOtherTenant(iss, issuer, tenant)) return `which is of a tenant that ${name} does not list`;
  }
  return undefined;
}

function isOfOtherTenant(iss: string, issuer: string, tenant: string | undefined): boolean {
  const [start, end, ...more] = tenant === undefined ? [] : issuer.split(tenant);
  if (start === undefined || end === undefined || more.length > 0) return false;
  return iss.startsWith(start) && iss.endsWith(end) && !iss.slice(start.length, iss.length - end.length).includes('/');
}

export function describeClass({ token }: Facts): Comparison {
  const provider = token?.issuer?.provider ?? 'generic';
  const mark = token?.jws && providerRow(provider).foreignMark(token.jws);
  const wanted = `an access token, as provider ${provider} knows one`;
  return mark === undefined ? { found: 'no mark of another token' } : { wanted, found: `another's mark, ${mark}` };
}

export function describeAlgorithm({ token, isSigned }: Facts): Comparison {
  if (!isSigned) return { found: 'filled in around the claims' };
  return { wanted: listed(token?.issuer?.algorithms ?? []), found: quoted(token?.jws?.algorithm ?? '') };
}

export function describeSignatureForm(): Comparison {
  return { wanted: 'base64url in its one spelling' };
}

export function describeKey({ token, detail }: Facts): Comparison {
  const { issuer, jws, introspector } = token ?? {};
  if (introspector !== undefined) return { wanted: `issuer ${introspector.name} calls the token active` };
  if (issuer === undefined || jws === undefined) return {};
  const kid = jws.kid === undefined ? 'without kid' : `of kid ${quoted(jws.kid)}`;
  const fetched = fetchWords(detail);
  return {
    wanted: `a key ${kid} for ${quoted(jws.algorithm)}`,
    found: `keys from ${keySource(issuer)}`,
    ...(fetched !== undefined && { detail: fetched }),
  };
}

/** The kind of failure is the one that metrics and logs of `serve` show. */
function fetchWords(detail = ''): string | undefined {
  const [, kind = ''] = /^fetch: (\w+)$/.exec(detail) ?? [];
  return isFailureKind(kind) ? `fetch: ${explainFailure(kind)} (${kind})` : undefined;
}

function keySource({ jwks, issuer }: Issuer): string {
  if (jwks.kind === 'inline') return `the policy (${jwks.keys.length})`;
  return jwks.kind === 'uri' ? jwks.uri : `discovery on ${issuer}`;
}

export function describeSignature({ token, decision }: Facts): Comparison {
  const wanted = `a signature by a key of ${token?.issuer?.name ?? 'the issuer'}`;
  const isGood = decision.reason !== 'signature_invalid';
  return {
    wanted,
    found: isGood ? 'one that fits' : 'one of another key, or the token was changed after it was signed',
  };
}

/** It is not asked for: whoever explains a decision has no business with the secrets of `serve`. */
export function describeOwnToken({ rule }: Facts): Comparison {
  const { inject } = rule ?? {};
  if (inject === undefined) return {};
  const wanted = `an access token of client ${inject.name} from ${inject.issuer.name}`;
  return { wanted, found: 'taken to be there; the Authorization of the caller is overwritten by it' };
}
