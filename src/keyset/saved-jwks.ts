/**
 * Promises: of a JWK Set, what is worth keeping across a restart: the members of public keys that say which key it is and what it may verify,
 * and nothing else of what an issuer publishes.
 */
import { isJsonObject, type JsonObject, member } from '../token/json.ts';
import { readPublicJwk } from '../token/public-jwk.ts';

/** Keys of one issuer that were good at some time. */
export interface SavedJwks {
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
  /** Members of a JWK Set. */
  readonly keys: readonly object[];
}

const names = ['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'n', 'e', 'x', 'y'];

export function publicKeysOf(document: unknown): readonly object[] {
  const keys = isJsonObject(document) ? member(document, 'keys') : undefined;
  if (!Array.isArray(keys)) return [];
  return keys.filter((key) => typeof readPublicJwk(key) === 'object').map(publicPart);
}

function publicPart(key: JsonObject): object {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(key, name)).map((name) => [name, key[name]]));
}
