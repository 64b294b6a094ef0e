/**
 * Promises: a JWK Set → the JWKs that can be used and how many were ignored for what (JWK-01); and the choice of the keys that may
 * have signed a token (JWK-03, JWK-05, JWK-06). Pure.
 */
import type { Algorithm } from '../token/algorithm.ts';
import { isJsonObject, member } from '../token/json.ts';
import type { KeyHint, VerificationKey } from '../token/key.ts';
import { type IgnoredKey, type PublicJwk, readPublicJwk } from '../token/public-jwk.ts';
import { Failure } from './failure.ts';
import type { ImportedKeys } from './import-key.ts';

/** Most members of `keys` (JWK-07). */
const maxKeys = 100;
/** Most keys of one `kid` that are tried for a token (JWK-05). */
const maxCandidates = 5;

export type IgnoredCounts = ReadonlyMap<IgnoredKey, number>;

export interface ParsedJwks {
  readonly jwks: readonly PublicJwk[];
  readonly ignored: IgnoredCounts;
}

export function parseJwks(document: unknown): ParsedJwks | Failure {
  const members = isJsonObject(document) ? member(document, 'keys') : undefined;
  if (!Array.isArray(members)) return new Failure('keys_missing');
  if (members.length > maxKeys) return new Failure('too_many_keys');
  const jwks: PublicJwk[] = [];
  const ignored = new Map<IgnoredKey, number>();
  for (const one of members) {
    const read = readPublicJwk(one);
    if (typeof read === 'string') ignored.set(read, (ignored.get(read) ?? 0) + 1);
    else if (read !== undefined) jwks.push(read);
  }
  return { jwks, ignored };
}

/** The keys of one algorithm. */
interface Shelf {
  /** Up to two: whether one key alone fits is all that is asked of them. */
  readonly some: readonly VerificationKey[];
  readonly byKid: ReadonlyMap<string, readonly VerificationKey[]>;
}

/** Imported keys, laid out for the choice. */
export interface KeySet {
  readonly imported: ImportedKeys;
  readonly shelves: ReadonlyMap<Algorithm, Shelf>;
  readonly kids: ReadonlySet<string>;
}

export function createKeySet(imported: ImportedKeys): KeySet {
  const keys = [...imported.values()];
  const shelves = new Map<Algorithm, Shelf>();
  for (const [algorithm, fitting] of Map.groupBy(keys, (key) => key.algorithm)) {
    const named = fitting.filter((key) => key.kid !== undefined);
    const byKid = new Map<string, readonly VerificationKey[]>();
    for (const [kid, same] of Map.groupBy(named, (key) => key.kid ?? '')) byKid.set(kid, same.slice(0, maxCandidates));
    shelves.set(algorithm, { some: fitting.slice(0, 2), byKid });
  }
  return { imported, shelves, kids: new Set(keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))) };
}

/**
 * The keys that may have signed. `unfit`: the set as it is says no, and a newer one is not worth asking for; `unknown`: a newer one
 * may hold the key.
 */
export function chooseKeys(set: KeySet, { algorithm, kid }: KeyHint): readonly VerificationKey[] | 'unfit' | 'unknown' {
  const shelf = set.shelves.get(algorithm);
  if (kid === undefined) {
    if (shelf === undefined) return 'unknown';
    return shelf.some.length === 1 ? shelf.some : 'unfit';
  }
  return shelf?.byKid.get(kid) ?? (set.kids.has(kid) ? 'unfit' : 'unknown');
}
