/**
 * Promises: whether a signature of one of our algorithms fits a message and a public key (RFC 7518 section 3, RFC 8037, RFC 9864).
 * Leaves to others: whose key it is. The key must suit the algorithm (public-jwk.ts).
 */
import { constants, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { type Algorithm, algorithmRow } from './algorithm.ts';
import { derSignature } from './der-signature.ts';

/** Never throws: what OpenSSL cannot read is no signature. */
export function isSignedBy(key: KeyObject, algorithm: Algorithm, message: Uint8Array, signature: Uint8Array): boolean {
  const { signatureBytes, kty } = algorithmRow(algorithm);
  if (signatureBytes !== undefined && signature.length !== signatureBytes) return false;
  try {
    const form = kty === 'EC' ? derSignature(signature) : signature;
    return verify(digestOf(algorithm), message, keyInput(key, algorithm), form);
  } catch {
    return false;
  }
}

/** EdDSA hashes by itself. */
function digestOf(algorithm: Algorithm): string | null {
  return algorithmRow(algorithm).kty === 'OKP' ? null : `sha${algorithm.slice(2)}`;
}

/** The bare key where nothing has to be said about it: an object around it costs Node two exceptions for every signature. */
function keyInput(key: KeyObject, algorithm: Algorithm): KeyObject | VerifyKeyObjectInput {
  if (!algorithm.startsWith('PS')) return key;
  // RFC 7518 section 3.5: the salt is as long as the digest.
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
