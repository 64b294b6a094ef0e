/**
 * Promises: one member of a JWK Set → the public key material it holds and the algorithms it may verify, or why it is no key here
 * (JWK-01 to JWK-04, ALG-02). Only public members go on from here: nothing else of a JWK reaches the import.
 * Leaves to others: whether the point is on its curve (keyset/import-key.ts, policy/compile-jwks.ts).
 */
import { type Algorithm, algorithmRow, algorithms, isAlgorithm } from './algorithm.ts';
import { isJsonObject, type JsonObject, member } from './json.ts';

export type IgnoredKey =
  /** No object, or a member is absent or ill-typed. */
  | 'malformed'
  /** A secret in a published set: what it can verify, anybody who read the set can sign (JWK-04). */
  | 'private_members'
  | 'symmetric'
  /** No algorithm of ours verifies with it. */
  | 'unsupported'
  /** RSA outside 2048 to 8192 bits, or with a bad exponent (ALG-02). */
  | 'weak_rsa'
  /** The material is no key, for example a point off the curve (BCP-04). */
  | 'invalid';

/** The members that make the key, always in this order. */
export type KeyMaterial =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: string; readonly x: string };

export interface PublicJwk {
  readonly kid: string | undefined;
  readonly material: KeyMaterial;
  /** At least one. */
  readonly algorithms: readonly Algorithm[];
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const allAlgorithms = Object.keys(algorithms).filter(isAlgorithm);
const minModulusBits = 2048;
const maxModulusBits = 8192;
const minExponent = 65537n;
/** OpenSSL refuses to verify with longer ones, and they cost time. */
const maxExponentBits = 64;

/** Undefined: a sound key that is not for verifying signatures, such as one for encryption; nothing to warn about. */
export function readPublicJwk(jwk: unknown): PublicJwk | IgnoredKey | undefined {
  if (!isJsonObject(jwk)) return 'malformed';
  // Secrets are looked for first: whatever else is wrong, the operator should hear of them.
  if (member(jwk, 'kty') === 'oct') return 'symmetric';
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return 'private_members';
  if (!isForVerifying(jwk)) return undefined;
  const kid = member(jwk, 'kid');
  const alg = member(jwk, 'alg');
  if (!isAbsentOrText(kid) || !isAbsentOrText(alg)) return 'malformed';
  const material = readMaterial(jwk);
  if (typeof material === 'string') return material;
  const fitting = allAlgorithms.filter((name) => (alg === undefined || alg === name) && isFitFor(material, name));
  return fitting.length === 0 ? 'unsupported' : { kid, material, algorithms: fitting };
}

/** JWK-02. */
function isForVerifying(jwk: JsonObject): boolean {
  const use = member(jwk, 'use');
  const operations = member(jwk, 'key_ops');
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

function isFitFor(material: KeyMaterial, algorithm: Algorithm): boolean {
  const { kty, crv } = algorithmRow(algorithm);
  if (material.kty === 'RSA') return kty === 'RSA';
  return kty === material.kty && crv === material.crv;
}

function readMaterial(jwk: JsonObject): KeyMaterial | IgnoredKey {
  switch (member(jwk, 'kty')) {
    case 'RSA':
      return readRsa(jwk);
    case 'EC':
      return readEc(jwk);
    case 'OKP':
      return readOkp(jwk);
    default:
      return 'unsupported';
  }
}

function readRsa(jwk: JsonObject): KeyMaterial | IgnoredKey {
  const n = member(jwk, 'n');
  const e = member(jwk, 'e');
  if (!isBase64url(n) || !isBase64url(e)) return 'malformed';
  const modulusBits = bitLength(n);
  const isStrong = modulusBits >= minModulusBits && modulusBits <= maxModulusBits && isGoodExponent(e);
  return isStrong ? { kty: 'RSA', n, e } : 'weak_rsa';
}

function isGoodExponent(e: string): boolean {
  if (bitLength(e) > maxExponentBits) return false;
  const exponent = unsigned(e);
  return exponent >= minExponent && exponent % 2n === 1n;
}

function readEc(jwk: JsonObject): KeyMaterial | IgnoredKey {
  const crv = member(jwk, 'crv');
  const x = member(jwk, 'x');
  const y = member(jwk, 'y');
  if (typeof crv !== 'string' || !isBase64url(x) || !isBase64url(y)) return 'malformed';
  return { kty: 'EC', crv, x, y };
}

function readOkp(jwk: JsonObject): KeyMaterial | IgnoredKey {
  const crv = member(jwk, 'crv');
  const x = member(jwk, 'x');
  return typeof crv === 'string' && isBase64url(x) ? { kty: 'OKP', crv, x } : 'malformed';
}

function isAbsentOrText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isBase64url(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value);
}

function bitLength(encoded: string): number {
  const bytes = Buffer.from(encoded, 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24);
}

function unsigned(encoded: string): bigint {
  const digits = Buffer.from(encoded, 'base64url').toString('hex');
  return digits === '' ? 0n : BigInt(`0x${digits}`);
}
