/**
 * Promises: public JWKs → keys that can verify, each imported once for every algorithm it fits, before a token asks. What was
 * imported already is taken over as the same object (the INVARIANT of token/key.ts). A key that cannot be imported is counted, and
 * does not spoil the others (JWK-01).
 */
import { KeyObject } from 'node:crypto';
import { importJWK } from 'jose';
import type { Algorithm } from '../token/algorithm.ts';
import type { VerificationKey } from '../token/key.ts';
import type { KeyMaterial, PublicJwk } from '../token/public-jwk.ts';
import { isPointOfEd25519 } from './ed25519.ts';

/** Keys by what makes them the same key: algorithm, `kid` and public members. */
export type ImportedKeys = ReadonlyMap<string, VerificationKey>;

/** Gives the keys of `jwks` alone: what only `known` holds is gone (JWK-09). `invalid` counts what is no key. */
export async function importKeys(
  jwks: readonly PublicJwk[],
  known: ImportedKeys,
): Promise<{ readonly keys: ImportedKeys; readonly invalid: number }> {
  const keys = new Map<string, VerificationKey>();
  let invalid = 0;
  for (const jwk of jwks) {
    const imported = await importForEach(jwk, known);
    if (imported === undefined) invalid += 1;
    for (const [identity, key] of imported ?? []) {
      if (!keys.has(identity)) keys.set(identity, key);
    }
  }
  return { keys, invalid };
}

async function importForEach(jwk: PublicJwk, known: ImportedKeys): Promise<ImportedKeys | undefined> {
  const keys = new Map<string, VerificationKey>();
  for (const algorithm of jwk.algorithms) {
    const identity = JSON.stringify([algorithm, jwk.kid ?? null, jwk.material]);
    const key = known.get(identity) ?? (await importKey(jwk, algorithm));
    if (key === undefined) return undefined;
    keys.set(identity, key);
  }
  return keys;
}

async function importKey({ kid, material }: PublicJwk, algorithm: Algorithm): Promise<VerificationKey | undefined> {
  if (material.kty === 'OKP' && !isPointOfEd25519(Buffer.from(material.x, 'base64url'))) return undefined;
  const key = await importMaterial(material, algorithm);
  return key === undefined ? undefined : { kid, algorithm, key };
}

async function importMaterial(material: KeyMaterial, algorithm: Algorithm): Promise<KeyObject | undefined> {
  try {
    const key = await importJWK(material, algorithm);
    return key instanceof Uint8Array ? undefined : KeyObject.from(key);
  } catch {
    return undefined;
  }
}
