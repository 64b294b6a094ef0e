/**
 * Promises: a compact JWS taken apart, with everything refused that its form alone shows to be wrong. Nothing in it is verified yet.
 * Leaves to others: what the claims mean (claims.ts), the signature (signature.ts).
 */
import { type Step, Stop } from '../decision/step.ts';
import { type JsonObject, member, parseJsonObject } from './json.ts';

/** A well-formed compact JWS. Its members may refuse a token, never accept one. */
export interface UnverifiedJws {
  readonly token: string;
  /** Any string: the algorithm may be one that nobody allows. */
  readonly algorithm: string;
  readonly kid: string | undefined;
  /** Lower-case media type without `application/`; undefined when absent. */
  readonly type: string | undefined;
  readonly claims: JsonObject;
  /** Third part, not looked at yet: `alg` comes first (interface section 7). */
  readonly signaturePart: string;
}

const maxKidBytes = 256;
const base64url = /^[A-Za-z0-9_-]+$/;

/**
 * Header members that make a token another kind of thing: extensions (`crit`, `b64`: RFC 7515 section 4.1.11, RFC 7797 section 7),
 * compression and nesting (`zip`, `cty`), and keys that come with the token (`jku`, `jwk`, `x5u`: JWS-06).
 */
const refusedHeaderMembers = ['crit', 'b64', 'zip', 'cty', 'jku', 'jwk', 'x5u'];

export function parseJws(token: string): Step<UnverifiedJws> {
  const [headerPart = '', payloadPart = '', signaturePart, ...more] = token.split('.', 6);
  if (signaturePart === undefined || more.length > 0) return malformed('not three parts');
  const header = parseObjectPart(headerPart);
  if (typeof header === 'string') return malformed(`header: ${header}`);
  const claims = parseObjectPart(payloadPart);
  if (typeof claims === 'string') return malformed(`payload: ${claims}`);
  const read = readHeader(header);
  return read instanceof Stop ? read : { token, ...read, claims, signaturePart };
}

function readHeader(header: JsonObject): Step<Pick<UnverifiedJws, 'algorithm' | 'kid' | 'type'>> {
  const refused = refusedHeaderMembers.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) return malformed(`header member ${refused}`);
  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string') return malformed('alg is absent or no string');
  const kid = member(header, 'kid');
  if (!isKid(kid)) return malformed('kid is no string or too long');
  const type = member(header, 'typ');
  if (type !== undefined && typeof type !== 'string') return malformed('typ is no string');
  return { algorithm, kid, type: type === undefined ? undefined : mediaType(type) };
}

/** JWS-02, JWS-11: at least one byte, canonical base64url. */
export function hasWellFormedSignature(jws: UnverifiedJws): boolean {
  return isCanonicalBase64url(jws.signaturePart);
}

function malformed(detail: string): Stop {
  return new Stop('token_malformed', detail);
}

export function parseObjectPart(part: string): JsonObject | string {
  if (!isCanonicalBase64url(part)) return 'not base64url';
  return parseJsonObject(Buffer.from(part, 'base64url'));
}

/** JWS-02: no padding, no other characters, and no bits set that decoding drops: one token has one spelling. */
export function isCanonicalBase64url(part: string): boolean {
  if (!base64url.test(part)) return false;
  const rest = part.length % 4;
  if (rest === 1) return false;
  if (rest === 0) return true;
  return Buffer.from(part.slice(-rest), 'base64url').toString('base64url') === part.slice(-rest);
}

function isKid(kid: unknown): kid is string | undefined {
  return kid === undefined || (typeof kid === 'string' && Buffer.byteLength(kid) <= maxKidBytes);
}

/** JWS-08: media types compare without case, and `application/` is assumed where there is no slash. */
export function mediaType(text: string): string {
  const lower = text.toLowerCase();
  return lower.startsWith('application/') && !lower.slice(12).includes('/') ? lower.slice(12) : lower;
}
