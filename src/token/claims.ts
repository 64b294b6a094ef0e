/**
 * Promises: the registered claims with their types and ranges checked, whether a rule uses them or not (interface section 7), and
 * scopes and client read from where the provider keeps them. Independent of time, so the result may be remembered.
 * Leaves to others: exp, nbf, aud and client against the present and the policy (validity.ts).
 */
import { type Step, Stop } from '../decision/step.ts';
import { type Confirmation, readConfirmation } from './confirmation.ts';
import type { ClaimPath, Issuer } from './issuer.ts';
import { isJsonObject, type JsonObject, member } from './json.ts';
import { providerRow } from './providers.ts';

/** Registered claims of an access token; times are NumericDates (RFC 7519 section 2), in seconds. */
export interface AccessTokenClaims {
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly jti: string | undefined;
  readonly expiresAt: number;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
  readonly acr: string | undefined;
  readonly authenticatedAt: number | undefined;
  /** What `cnf` binds the token to; undefined without `cnf`. */
  readonly confirmation: Confirmation | 'uncheckable' | undefined;
}

/** 9999-12-31T23:59:59Z: a time in milliseconds fails, and so does 1e400 (JWT-04). */
const maxNumericDate = 253_402_300_799;
/** Of a claim that identifies someone or something; it is passed on in metadata and logs (EA-19). */
const maxIdentifierBytes = 1024;
/** Nested `act` claims are history (RFC 8693 section 4.1, TX-01). */
const maxActors = 8;
const control = /\p{Cc}/u;

type Check = (value: unknown) => boolean;

/** Type and range of each claim that is checked whenever it is present; `cnf` has its place later, with the sender. */
const registered: Readonly<Record<string, Check>> = {
  sub: isSubject,
  aud: (value) => isText(value) || isTextList(value),
  exp: (value) => isNumericDate(value) && value !== 0,
  nbf: isNumericDate,
  iat: isNumericDate,
  auth_time: isNumericDate,
  jti: isIdentifier,
  client_id: isIdentifier,
  scp: (value) => isText(value) || isTextList(value),
  acr: isText,
  act: (value) => isActor(value, maxActors),
  authorization_details: isAuthorizationDetails,
};

export function readClaims(claims: JsonObject, issuer: Issuer): Step<AccessTokenClaims> {
  const bad = Object.keys(registered).find((name) => Object.hasOwn(claims, name) && !registered[name]?.(claims[name]));
  if (bad !== undefined) return new Stop('claim_invalid', bad);
  const absent = requiredClaims(issuer).find((name) => !Object.hasOwn(claims, name));
  if (absent !== undefined) return new Stop('claim_invalid', `${absent} is absent`);
  if (!isOfTenant(claims, issuer)) return new Stop('claim_invalid', 'tid is not the tenant of iss');
  const scopes = readScopes(claims, issuer);
  if (scopes instanceof Stop) return scopes;
  const client = firstPresent(claims, providerRow(issuer.provider).clientClaims);
  if (client !== undefined && !isIdentifier(client))
    return new Stop('claim_invalid', 'the claim that names the client');
  return {
    subject: text(claims, 'sub'),
    clientId: client,
    scopes,
    audiences: textList(member(claims, 'aud')),
    jti: text(claims, 'jti'),
    expiresAt: numericDate(claims, 'exp') ?? 0,
    notBefore: numericDate(claims, 'nbf'),
    issuedAt: numericDate(claims, 'iat'),
    acr: text(claims, 'acr'),
    authenticatedAt: numericDate(claims, 'auth_time'),
    confirmation: readConfirmation(claims),
  };
}

function requiredClaims(issuer: Issuer): readonly string[] {
  const always = issuer.requireSub ? ['exp', 'sub'] : ['exp'];
  return [...always, ...providerRow(issuer.provider).requiredClaims];
}

/** IDP-04: the two must not disagree, since either may be what somebody else goes by. */
function isOfTenant(claims: JsonObject, { tenant }: Issuer): boolean {
  return tenant === undefined || member(claims, 'tid') === tenant;
}

/** IDP-01: one claim is authoritative. */
function readScopes(claims: JsonObject, issuer: Issuer): Step<readonly string[]> {
  const { scopeClaim } = issuer;
  if (!isScopeWellTyped(member(claims, 'scope'), scopeClaim)) return new Stop('claim_invalid', 'scope');
  const value =
    scopeClaim === undefined
      ? firstPresent(claims, providerRow(issuer.provider).scopeClaims)
      : claimAt(claims, scopeClaim);
  if (value === undefined) return [];
  if (isText(value)) return value.split(' ').filter((token) => token !== '');
  return isTextList(value) ? value : new Stop('claim_invalid', 'the claim that holds the scopes');
}

/** RFC 8693 section 4.2: a string. A list is accepted only where the policy names this very claim. */
function isScopeWellTyped(scope: unknown, scopeClaim: ClaimPath | undefined): boolean {
  if (scope === undefined || isText(scope)) return true;
  return scopeClaim?.length === 1 && scopeClaim[0] === 'scope' && isTextList(scope);
}

/** The value at a claim path, through own members of objects only (JWT-14). */
export function claimAt(claims: JsonObject, path: ClaimPath): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = member(value, name);
  }
  return value;
}

function firstPresent(claims: JsonObject, names: readonly string[]): unknown {
  const name = names.find((candidate) => Object.hasOwn(claims, candidate));
  return name === undefined ? undefined : claims[name];
}

/** JWT-15: a lone surrogate is no text. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= maxNumericDate;
}

function isIdentifier(value: unknown): value is string {
  return isText(value) && Buffer.byteLength(value) <= maxIdentifierBytes;
}

function isSubject(value: unknown): boolean {
  return isIdentifier(value) && value !== '' && !control.test(value);
}

function isActor(value: unknown, left: number): boolean {
  if (!isJsonObject(value) || left === 0) return false;
  return !Object.hasOwn(value, 'act') || isActor(value['act'], left - 1);
}

/** RFC 9396 section 2: objects, each with a `type`. */
function isAuthorizationDetails(value: unknown): boolean {
  return Array.isArray(value) && value.every((detail) => isJsonObject(detail) && isText(member(detail, 'type')));
}

function text(claims: JsonObject, name: string): string | undefined {
  const value = member(claims, name);
  return isText(value) ? value : undefined;
}

function textList(value: unknown): readonly string[] {
  if (isText(value)) return [value];
  return isTextList(value) ? value : [];
}

function numericDate(claims: JsonObject, name: string): number | undefined {
  const value = member(claims, name);
  return isNumericDate(value) ? value : undefined;
}
