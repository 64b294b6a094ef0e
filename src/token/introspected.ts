/**
 * Promises: what an issuer says of an opaque token (RFC 7662 section 2.2), read with the same checks as the claims of a JWT (IN-02, IN-03);
 * and which tokens are opaque.
 * Leaves to others: asking the issuer (introspection/), what depends on time (validity.ts).
 */
import { type Step, Stop } from '../decision/step.ts';
import { type AccessTokenClaims, readClaims } from './claims.ts';
import type { Issuer } from './issuer.ts';
import { type JsonObject, member } from './json.ts';
import { providerRow } from './providers.ts';
import type { VerifiedToken } from './verify.ts';

/**
 * Asks the issuer about an opaque token: one that is good so far, the reason why it is not, or `keys_unavailable`. Answers without a
 * promise where the answer is remembered; waits at most `waitMs`.
 */
export type Introspect = (
  issuer: Issuer,
  token: string,
  waitMs: number,
) => Step<VerifiedToken> | Promise<Step<VerifiedToken>>;

/** Neither a JWS nor a JWE: those are never shown to anybody but who can read them, and say themselves whose they are. */
export function isOpaque(token: string): boolean {
  const parts = token.split('.', 6).length;
  return parts !== 3 && parts !== 5;
}

export function readIntrospection(answer: JsonObject, issuer: Issuer): Step<VerifiedToken> {
  // IN-02: true and nothing that looks like it.
  if (member(answer, 'active') !== true) return new Stop('token_inactive');
  const iss = member(answer, 'iss');
  if (iss !== undefined && iss !== issuer.issuer) return new Stop('issuer_untrusted', 'iss of the answer is another');
  const mark = foreignMark(answer, issuer);
  if (mark !== undefined) return new Stop('token_type_refused', mark);
  const claims = readClaims(answer, issuer);
  if (claims instanceof Stop) return claims;
  const confirmation = isBindingUntold(answer, claims) ? 'uncheckable' : claims.confirmation;
  return { issuer, key: undefined, kid: undefined, raw: answer, claims: { ...claims, confirmation } };
}

/** RFC 9449 section 6.2: a token for DPoP without its key is bound to one that nobody here can check (MT-03). */
function isBindingUntold(answer: JsonObject, { confirmation }: AccessTokenClaims): boolean {
  const type = member(answer, 'token_type');
  const isForDpop = typeof type === 'string' && type.toLowerCase() === 'dpop';
  return isForDpop && (typeof confirmation !== 'object' || confirmation.jkt === undefined);
}

/** An issuer tells of refresh tokens too. */
function foreignMark(answer: JsonObject, issuer: Issuer): string | undefined {
  const type = member(answer, 'token_type');
  if (type !== undefined && !isAccessTokenType(type)) return 'token_type';
  const { token_use: use, ...others } = answer;
  const claims = use === undefined || use === 'access_token' ? others : answer;
  const jws = { token: '', algorithm: '', kid: undefined, type: 'at+jwt', claims, signaturePart: '' };
  return providerRow(issuer.provider).foreignMark(jws);
}

function isAccessTokenType(type: unknown): boolean {
  return typeof type === 'string' && ['bearer', 'dpop'].includes(type.toLowerCase());
}
