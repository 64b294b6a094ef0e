/**
 * Promises: whether a verified token is good now and here: time, audience, client. Asked for every request, also for remembered tokens.
 */
import { Stop } from '../decision/step.ts';
import type { AccessTokenClaims } from './claims.ts';
import type { Issuer } from './issuer.ts';
import { providerRow } from './providers.ts';
import type { VerifiedToken } from './verify.ts';

/** The reason why the token is not good now or not meant for us, or undefined. `nowMs` is in milliseconds since the epoch. */
export function findInvalidity(token: VerifiedToken, nowMs: number): Stop | undefined {
  const { claims, issuer } = token;
  return checkTimes(claims, issuer, nowMs / 1000) ?? checkAddressee(claims, issuer);
}

/** JWT-03, JWT-05, JWT-06. The clock skew is granted at both ends. */
function checkTimes(claims: AccessTokenClaims, issuer: Issuer, now: number): Stop | undefined {
  const { expiresAt, notBefore, issuedAt } = claims;
  const skew = issuer.clockSkewSeconds;
  if (now >= expiresAt + skew) return new Stop('token_expired');
  if (notBefore !== undefined && now < notBefore - skew) return new Stop('token_not_yet_valid', 'nbf');
  if (issuedAt !== undefined && issuedAt > now + skew) return new Stop('token_not_yet_valid', 'iat');
  if (issuer.maxLifetimeSeconds === undefined) return undefined;
  if (issuedAt === undefined) return new Stop('claim_invalid', 'iat is absent and maxLifetime is set');
  return expiresAt - issuedAt > issuer.maxLifetimeSeconds ? new Stop('token_lifetime_exceeded') : undefined;
}

/** JWT-07, and the allow-list of clients, which may stand in for the audience (IDP-03). */
function checkAddressee(claims: AccessTokenClaims, issuer: Issuer): Stop | undefined {
  if (providerRow(issuer.provider).hasAudience && !isMeantForUs(claims, issuer)) return new Stop('audience_mismatch');
  const { clientIds } = issuer;
  if (clientIds !== undefined && (claims.clientId === undefined || !clientIds.has(claims.clientId))) {
    return new Stop('client_not_allowed');
  }
  return undefined;
}

function isMeantForUs({ audiences }: AccessTokenClaims, issuer: Issuer): boolean {
  return audiences.some((audience) => issuer.audiences.includes(audience));
}
