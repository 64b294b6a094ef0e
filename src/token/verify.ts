/**
 * Promises: the checks that make a VerifiedToken, in the order of interface section 7: marks of the token's class, `alg`, form of the
 * signature, then with the keys at hand the signature itself and the claims. node:crypto does the cryptography.
 * Leaves to others: which issuer the token belongs to, getting keys (authorizer/), and everything that depends on time (validity.ts).
 */
import { type Step, Stop } from '../decision/step.ts';
import { isAlgorithm } from './algorithm.ts';
import { type AccessTokenClaims, readClaims } from './claims.ts';
import type { Issuer } from './issuer.ts';
import type { JsonObject } from './json.ts';
import { hasWellFormedSignature, type UnverifiedJws } from './jws.ts';
import type { KeyHint, VerificationKey } from './key.ts';
import { providerRow } from './providers.ts';
import { isSignedBy } from './signature.ts';

/** A token whose signature, class and claims were found good; whether it is valid now is asked for every request. */
export interface VerifiedToken {
  readonly issuer: Issuer;
  /** The key that verified it; undefined where no signature was looked at: the issuer was asked, or nobody of the mesh sent it. */
  readonly key: VerificationKey | undefined;
  readonly kid: string | undefined;
  /** All claims, for headers; own members only. */
  readonly raw: JsonObject;
  readonly claims: AccessTokenClaims;
}

/** What can refuse a token before its signature is checked; else which keys may have signed it. */
export function admitToken(jws: UnverifiedJws, issuer: Issuer): Step<KeyHint> {
  const mark = providerRow(issuer.provider).foreignMark(jws);
  if (mark !== undefined) return new Stop('token_type_refused', mark);
  return resolvableHint(jws, issuer);
}

/** The key that the header asks for, where algorithm and signature are ones that can be looked at. */
export function resolvableHint(jws: UnverifiedJws, issuer: Issuer): Step<KeyHint> {
  const { algorithm, kid } = jws;
  if (!isAlgorithm(algorithm) || !issuer.algorithms.has(algorithm)) return new Stop('algorithm_not_allowed');
  if (!hasWellFormedSignature(jws)) return new Stop('token_malformed', 'signature: not base64url');
  return { algorithm, kid };
}

/** Tries the keys in turn; some hundred microseconds for each. */
export function verifyToken(jws: UnverifiedJws, issuer: Issuer, keys: readonly VerificationKey[]): Step<VerifiedToken> {
  const key = signingKey(jws, keys);
  return key === undefined ? new Stop('signature_invalid') : readToken(jws, issuer, key);
}

/** The one of these keys that made the signature. */
export function signingKey(jws: UnverifiedJws, keys: readonly VerificationKey[]): VerificationKey | undefined {
  const end = jws.token.length - jws.signaturePart.length - 1;
  const message = Buffer.from(jws.token.slice(0, end), 'latin1');
  const signature = Buffer.from(jws.signaturePart, 'base64url');
  return keys.find((candidate) => isSignedBy(candidate.key, candidate.algorithm, message, signature));
}

/** What comes after the signature. `key` is undefined where no signature is looked at: policy tests and `explain` with claims. */
export function readToken(jws: UnverifiedJws, issuer: Issuer, key: VerificationKey | undefined): Step<VerifiedToken> {
  const claims = readClaims(jws.claims, issuer);
  if (claims instanceof Stop) return claims;
  return { issuer, key, kid: jws.kid, raw: jws.claims, claims };
}
