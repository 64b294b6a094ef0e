/**
 * Promises: what the checks after the signature compared, in words. Claims by name; their values only when they may be shown. Times are
 * told from the instant of the explanation.
 */
import { claimHeaderValue } from '../policy/claim-header.ts';
import { missingScopes } from '../policy/scope.ts';
import type { ClaimHeader } from '../policy/snapshot.ts';
import type { Confirmation } from '../token/confirmation.ts';
import { member } from '../token/json.ts';
import { providerRow } from '../token/providers.ts';
import type { Comparison } from './explanation.ts';
import type { Facts } from './facts.ts';
import { counted, duration, listed, moment, notRequired, quoted } from './wording.ts';

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
  if (!providerRow(issuer.provider).hasAudience) return { found: 'none, the client stands in for it' };
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
  const confirmation = token?.claims?.confirmation;
  const constraint = token?.issuer?.senderConstraint ?? 'none';
  const wanted = constraint === 'none' ? 'what cnf binds the token to is shown' : boundWords[constraint];
  return { wanted, found: `${foundBinding(confirmation)}, ${token?.scheme ?? ''}` };
}

const boundWords = {
  dpop: 'a token bound to a DPoP key, and a proof',
  mtls: 'a token bound to the client certificate',
  any: 'a token bound to a DPoP key or the client certificate',
} as const;

function foundBinding(confirmation: Confirmation | 'uncheckable' | undefined): string {
  if (confirmation === undefined) return 'cnf absent';
  if (confirmation === 'uncheckable') return 'cnf present, of no kind that can be checked';
  const { jkt, x5tS256 } = confirmation;
  return `cnf with ${[jkt && 'jkt', x5tS256 && 'x5t#S256'].filter(Boolean).join(' and ')}`;
}

export function describeStepUp(facts: Facts): Comparison {
  const { acr = [], maxAuthAgeSeconds } = facts.rule?.require ?? {};
  const parts: StepUpPart[] = [];
  if (acr.length > 0) parts.push(describeAcr(acr, facts));
  if (maxAuthAgeSeconds !== undefined) parts.push(describeAuthTime(maxAuthAgeSeconds, facts));
  if (parts.length === 0) return notRequired;
  const unmet = parts.flatMap(({ unmet: words }) => words ?? []);
  return {
    wanted: listed(parts.map(({ wanted }) => wanted)),
    found: listed(parts.map(({ found }) => found)),
    ...(unmet.length > 0 && { detail: listed(unmet) }),
  };
}

interface StepUpPart {
  readonly wanted: string;
  readonly found: string;
  /** Undefined: it is met. */
  readonly unmet: string | undefined;
}

function describeAcr(accepted: readonly string[], { token, showClaims }: Facts): StepUpPart {
  const wanted = `acr ${accepted.join(' or ')}`;
  const acr = token?.claims?.acr;
  if (acr === undefined) return { wanted, found: 'acr absent', unmet: 'acr is absent' };
  if (accepted.includes(acr)) return { wanted, found: `acr ${acr}`, unmet: undefined };
  return { wanted, found: showClaims ? `acr ${quoted(acr)}` : 'another acr', unmet: 'acr is not accepted' };
}

/** Too old is what is so after the clock skew of the issuer is granted. */
function describeAuthTime(maxSeconds: number, { token, now }: Facts): StepUpPart {
  const skew = token?.issuer?.clockSkewSeconds ?? 0;
  const at = token?.claims?.authenticatedAt;
  const isOld = at !== undefined && at < now - maxSeconds - skew;
  const unmet = at === undefined ? 'auth_time is absent' : isOld ? 'auth_time is too old' : undefined;
  return { wanted: `auth_time at most ${duration(maxSeconds)} ago`, found: moment('auth_time', at, now), unmet };
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

export function describeHeaders({ rule, token }: Facts): Comparison {
  const headers = rule?.headers ?? [];
  if (headers.length === 0) return { found: 'the rule sets none' };
  const claims = token?.jws?.claims;
  const required = headers.filter((header) => header.required);
  const wanted = required.length === 0 ? 'values that can be passed on' : `${listed(required.map(nameOf))} required`;
  if (claims === undefined) return { wanted };
  const values = headers.map((header) => claimHeaderValue({ ...header, required: false }, claims));
  const without = headers.filter((_, at) => values[at] === undefined);
  const found = `${values.filter((value) => typeof value === 'string').length} of ${headers.length} have a value`;
  return { wanted, found: [found, ...without.map(lacking)].join(', ') };
}

function nameOf({ name }: ClaimHeader): string {
  return name;
}

function lacking({ name, claim }: ClaimHeader): string {
  return `${name} has none (claim ${claim.join('.')})`;
}
