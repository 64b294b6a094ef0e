/**
 * Promises: what the checks after the signature compared, in words. Claims by name; their values only when they may be shown. Times are
 * told from the instant of the explanation.
 */
import { claimHeaders } from '../policy/claim-header.ts';
import { missingScopes } from '../policy/scope.ts';
import type { ClaimHeader } from '../policy/snapshot.ts';
import type { AccessTokenClaims } from '../token/claims.ts';
import { member } from '../token/json.ts';
import { providerRow } from '../token/providers.ts';
import type { Comparison } from './explanation.ts';
import type { Facts } from './facts.ts';
import { counted, duration, listed, moment, quoted } from './wording.ts';

const notRequired: Comparison = { found: 'the rule requires none' };

export function describeClaims({ token }: Facts): Comparison {
  const issuer = token?.issuer;
  if (issuer === undefined) return {};
  const required = new Set([
    'exp',
    ...(issuer.requireSub ? ['sub'] : []),
    ...providerRow(issuer.provider).requiredClaims,
  ]);
  const found = token?.claims === undefined ? undefined : 'present and of their types';
  return { wanted: `${listed(required)} present, registered claims of their types`, ...(found && { found }) };
}

export function describeTimes({ token, now }: Facts): Comparison {
  const { issuer, claims } = token ?? {};
  if (issuer === undefined || claims === undefined) return {};
  const skew = `now within exp and nbf, ${duration(issuer.clockSkewSeconds)} of clock skew granted`;
  const limit = issuer.maxLifetimeSeconds;
  const wanted = limit === undefined ? skew : `${skew}; exp at most ${duration(limit)} after iat`;
  const times = [moment('exp', claims.expiresAt, now), moment('iat', claims.issuedAt, now)];
  if (claims.notBefore !== undefined) times.push(moment('nbf', claims.notBefore, now));
  return { wanted, found: times.join(', ') };
}

/** The one way in which a claim is found invalid among the times. */
export function failsAtLifetime({ token }: Facts): boolean {
  return token?.issuer?.maxLifetimeSeconds !== undefined && token.claims?.issuedAt === undefined;
}

export function describeAudience({ token, showClaims }: Facts): Comparison {
  const { issuer, claims } = token ?? {};
  if (issuer === undefined || claims === undefined) return {};
  const matching = claims.audiences.filter((audience) => issuer.audiences.includes(audience));
  const wanted = `one of ${listed(issuer.audiences)} in aud`;
  if (matching.length > 0) return { wanted, found: listed(matching) };
  if (claims.audiences.length === 0) return { wanted, found: 'aud absent or empty' };
  return { wanted, found: showClaims ? listed(claims.audiences.map(quoted)) : `${claims.audiences.length} other` };
}

export function describeClient({ token, showClaims }: Facts): Comparison {
  const { issuer, claims } = token ?? {};
  const client = claims?.clientId;
  const said = client === undefined ? 'no client' : showClaims ? quoted(client) : 'a client';
  if (issuer?.clientIds === undefined) return { wanted: 'any', found: said };
  const isListed = client !== undefined && issuer.clientIds.has(client);
  return {
    wanted: `one of ${listed(issuer.clientIds)}`,
    found: isListed ? client : said === 'a client' ? 'another' : said,
  };
}

export function describeRevocation({ snapshot, token, now }: Facts): Comparison {
  const { entries } = snapshot.revocations;
  if (entries.length === 0) return { found: 'no entries' };
  const found = token && revokingFields(token, snapshot.revocations, now);
  const wanted = `none of ${entries.length} entries matches`;
  return found === undefined ? { wanted } : { wanted, found: `an entry with ${found}` };
}

function revokingFields(
  { issuer, claims, jws }: NonNullable<Facts['token']>,
  revocations: Facts['snapshot']['revocations'],
  now: number,
): string | undefined {
  if (issuer === undefined || claims === undefined || jws === undefined) return undefined;
  const { jti, subject, clientId, issuedAt } = claims;
  const sid = member(jws.claims, 'sid');
  const sessionId = typeof sid === 'string' ? sid : undefined;
  const entry = revocations.find(
    { issuer: issuer.name, jti, subject, clientId, sessionId, kid: jws.kid, issuedAt },
    now,
  );
  if (entry === undefined) return undefined;
  const named = Object.entries(entry).filter(([name, value]) => value !== undefined && name !== 'until');
  return listed(named.map(([name]) => fieldNames[name] ?? name));
}

/** As the document spells them. */
const fieldNames: Readonly<Record<string, string>> = { subject: 'sub', sessionId: 'sid' };

export function describeBinding({ token }: Facts): Comparison {
  const found = token?.claims?.isBound === true ? 'cnf present' : 'cnf absent';
  return { wanted: 'a token that is bound to no sender, under Bearer', found: `${found}, ${token?.scheme ?? ''}` };
}

export function describeStepUp({ rule, token, now, showClaims }: Facts): Comparison {
  const { acr = [], maxAuthAgeSeconds } = rule?.require ?? {};
  const claims = token?.claims;
  const wanted: string[] = [];
  const found: string[] = [];
  if (acr.length > 0) {
    wanted.push(`acr ${acr.join(' or ')}`);
    found.push(acrWords(acr, claims, showClaims));
  }
  if (maxAuthAgeSeconds !== undefined) {
    wanted.push(`auth_time at most ${duration(maxAuthAgeSeconds)} ago`);
    found.push(moment('auth_time', claims?.authenticatedAt, now));
  }
  return wanted.length === 0 ? notRequired : { wanted: wanted.join(', '), found: found.join(', ') };
}

function acrWords(accepted: readonly string[], claims: AccessTokenClaims | undefined, showClaims: boolean): string {
  const acr = claims?.acr;
  if (acr === undefined) return 'acr absent';
  return accepted.includes(acr) ? acr : `acr ${showClaims ? quoted(acr) : 'another'}`;
}

export function describeScopes({ rule, token, showClaims }: Facts): Comparison {
  const { scopes = [], anyScope = [] } = rule?.require ?? {};
  const require = { scopes, anyScope };
  const had = token?.claims?.scopes ?? [];
  if (scopes.length + anyScope.length === 0) return notRequired;
  const missing = missingScopes(require, had);
  const found = showClaims ? listed(had.map(quoted)) : counted(had.length, 'scope');
  return { wanted: scopeWords(require), found: [found, ...missingWords(missing)].join(', ') };
}

function missingWords(missing: readonly string[]): readonly string[] {
  return missing.length === 0 ? [] : [`missing ${listed(missing)}`];
}

function scopeWords({ scopes, anyScope }: { scopes: readonly string[]; anyScope: readonly string[] }): string {
  const parts: string[] = [];
  if (scopes.length > 0) parts.push(`all of ${listed(scopes)}`);
  if (anyScope.length > 0) parts.push(`one of ${listed(anyScope)}`);
  return parts.join(' and ');
}

/** What came of a condition where it decided; elsewhere it was true. */
const conditionResults: ReadonlyMap<string, string> = new Map([
  ['condition_false', 'false'],
  ['condition_error', 'an error'],
  ['claim_invalid', 'an error'],
]);

export function describeCondition(facts: Facts): Comparison {
  const condition = facts.rule?.require.condition;
  if (condition === undefined) return notRequired;
  const result = failsAtHeaders(facts) ? undefined : conditionResults.get(facts.decision.reason);
  return { wanted: oneSpaced(condition.source), found: result ?? 'true' };
}

function oneSpaced(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

/** The claim that is invalid is one of a header, and not one of the condition before it. */
export function failsAtHeaders({ decision, detail }: Facts): boolean {
  return decision.reason === 'claim_invalid' && detail?.startsWith('claim of header ') === true;
}

export function describeHeaders({ rule, token }: Facts): Comparison {
  const headers = rule?.headers ?? [];
  if (headers.length === 0) return { found: 'the rule sets none' };
  const claims = token?.jws?.claims;
  const required = headers.filter((header) => header.required);
  const wanted = required.length === 0 ? 'values that can be passed on' : `${listed(required.map(nameOf))} required`;
  const set = claims && claimHeaders(headers, claims);
  return { wanted, ...(Array.isArray(set) && { found: `${set.length} of ${headers.length} have a value` }) };
}

function nameOf({ name }: ClaimHeader): string {
  return name;
}
