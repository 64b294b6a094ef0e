/**
 * Promises: the public keys of each issuer, as they are kept across a restart.
 * Leaves to others: whether they are keys at all, and whether they are too old to serve (keyset/).
 */
import { isObject, isTime, readAll } from './envelope.ts';

export interface SavedKeys {
  /** What they were fetched from; equal only for the same place in the same way. */
  readonly source: string;
  /** When, in ms since 1970. */
  readonly fetchedMs: number;
  /** Members of a JWK Set. */
  readonly keys: readonly object[];
}

export function readKeys(content: unknown): readonly SavedKeys[] | undefined {
  return readAll(content, readIssuer);
}

function readIssuer(value: unknown): SavedKeys | undefined {
  if (!isObject(value)) return undefined;
  const { source, fetchedMs } = value;
  const keys = readAll(value['keys'], (key) => (isObject(key) ? key : undefined));
  return typeof source === 'string' && isTime(fetchedMs) && keys !== undefined
    ? { source, fetchedMs, keys }
    : undefined;
}
