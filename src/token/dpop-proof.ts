/**
 * Promises: a DPoP proof taken apart and checked as far as it can be by itself and against its request (RFC 9449 section 4.3, checks 2
 * to 9 and 11; DP-02 to DP-12). Nothing of the client is in the reasons.
 * Leaves to others: how many proofs came, nonces, whether the key is the token's, and whether it was seen before (authorizer/).
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { type Step, Stop } from '../decision/step.ts';
import { type Algorithm, algorithms, isAlgorithm } from './algorithm.ts';
import { type JsonObject, member } from './json.ts';
import { isCanonicalBase64url, mediaType, parseObjectPart } from './jws.ts';
import { type KeyMaterial, type PublicJwk, readPublicJwk } from './public-jwk.ts';
import { isSignedBy } from './signature.ts';
import { normalizeTarget } from './target-uri.ts';

export interface DpopProof {
  /** RFC 7638 SHA-256 thumbprint of the proof's key, base64url. */
  readonly jkt: string;
  readonly jti: string;
  /** Normalized. */
  readonly target: string;
  readonly nonce: string | undefined;
  /** `iat`, in seconds. */
  readonly issuedAt: number;
}

/** What the proof has to be about. */
export interface ProvenRequest {
  readonly method: string;
  /** Normalized URIs, one of which `htu` must name. */
  readonly targets: readonly string[];
  /** The access token. */
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly maxAgeSeconds: number;
}

/** What may stand in `algs` of a challenge (section 5.1). */
export const proofAlgorithms: readonly Algorithm[] = Object.keys(algorithms).filter(isAlgorithm);

const maxProofLength = 8192;
const maxJtiLength = 256;
const maxNonceLength = 256;
/** DP-11: the clock of a client may be ahead of ours. */
export const aheadSeconds = 10;

export function verifyProof(text: string, request: ProvenRequest): Step<DpopProof> {
  const parts = readParts(text);
  if (parts instanceof Stop) return parts;
  const { algorithm, jwk, claims, signedPart, signature } = parts;
  const key = publicKey(jwk.material);
  if (key === undefined || !isSignedBy(key, algorithm, signedPart, signature)) return bad('its signature is not good');
  const read = readProof(claims, thumbprint(jwk.material));
  if (read instanceof Stop) return read;
  return findMismatch(claims, read, request) ?? read;
}

function bad(detail: string): Stop {
  return new Stop('dpop_proof_invalid', detail);
}

interface ProofParts {
  readonly algorithm: Algorithm;
  readonly jwk: PublicJwk;
  readonly claims: JsonObject;
  readonly signedPart: Buffer;
  readonly signature: Buffer;
}

function readParts(text: string): Step<ProofParts> {
  const [header, payload, signature, ...more] = text.split('.', 4);
  if (text.length > maxProofLength || header === undefined || payload === undefined || signature === undefined) {
    return bad('it is no compact JWT of at most 8192 bytes');
  }
  if (more.length > 0 || !isCanonicalBase64url(signature)) return bad('it is no compact JWT of at most 8192 bytes');
  const [fields, claims] = [parseObjectPart(header), parseObjectPart(payload)];
  if (typeof fields === 'string' || typeof claims === 'string') return bad('its header or payload is no JSON object');
  const head = readHeader(fields);
  if (head instanceof Stop) return head;
  const signedPart = Buffer.from(`${header}.${payload}`, 'latin1');
  return { ...head, claims, signedPart, signature: Buffer.from(signature, 'base64url') };
}

/** DP-04, DP-05, DP-07. */
function readHeader(header: JsonObject): Step<Pick<ProofParts, 'algorithm' | 'jwk'>> {
  const [type, algorithm] = [member(header, 'typ'), member(header, 'alg')];
  if (typeof type !== 'string' || mediaType(type) !== 'dpop+jwt') return bad('its typ is not dpop+jwt');
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return bad('its header asks for an extension');
  if (typeof algorithm !== 'string' || !isAlgorithm(algorithm)) return bad('its alg is not allowed');
  const jwk = readPublicJwk(member(header, 'jwk'));
  if (typeof jwk !== 'object') return bad('its jwk is no public key for signatures');
  return jwk.algorithms.includes(algorithm) ? { algorithm, jwk } : bad('its jwk does not suit its alg');
}

/** DP-03. */
function readProof(claims: JsonObject, jkt: string): Step<DpopProof> {
  const [jti, htu, issuedAt] = [member(claims, 'jti'), member(claims, 'htu'), member(claims, 'iat')];
  const nonce = member(claims, 'nonce');
  if (!isText(jti, maxJtiLength)) return bad('its jti is absent, no string or too long');
  if (typeof issuedAt !== 'number' || !Number.isFinite(issuedAt)) return bad('its iat is absent or no number');
  if (nonce !== undefined && !isText(nonce, maxNonceLength)) return bad('its nonce is no string or too long');
  const target = typeof htu === 'string' ? normalizeTarget(htu) : undefined;
  return target === undefined ? bad('its htu is absent or no URI') : { jkt, jti, target, nonce, issuedAt };
}

/** DP-08, DP-09, DP-11, DP-12. */
function findMismatch(claims: JsonObject, proof: DpopProof, request: ProvenRequest): Stop | undefined {
  if (member(claims, 'htm') !== request.method) return bad('its htm is not the method');
  if (!request.targets.includes(proof.target)) return bad('its htu is not the target of the request');
  const now = request.nowMs / 1000;
  if (proof.issuedAt > now + aheadSeconds) return bad('its iat is in the future');
  if (proof.issuedAt < now - request.maxAgeSeconds) return bad('its iat is too old');
  return member(claims, 'ath') === hashOf(request.token) ? undefined : bad('its ath is not the hash of the token');
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength && value.isWellFormed();
}

function publicKey(material: KeyMaterial): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...material }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** RFC 7638 section 3: the required members in lexicographic order, without white space. */
export function thumbprint(material: KeyMaterial): string {
  const members = Object.entries(material).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hashOf(JSON.stringify(Object.fromEntries(members)));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
