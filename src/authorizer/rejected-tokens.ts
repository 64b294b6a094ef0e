/**
 * Promises: a token whose signature was found bad is refused again without verifying it again, for a few seconds and while the keys that may
 * have signed it are the same ones. A client that tries again with what it has costs little; the memory is small, so a flood of tokens that
 * differ is remembered in vain and held in bounds.
 */
import type { VerificationKey } from '../token/key.ts';
import { createTokenCache } from './token-cache.ts';

export interface RejectedTokens {
  has(token: string, keys: readonly VerificationKey[], nowMs: number): boolean;
  add(token: string, keys: readonly VerificationKey[], nowMs: number): void;
}

interface Rejection {
  readonly keys: readonly VerificationKey[];
  readonly atMs: number;
}

const maxEntries = 1000;
const forMs = 5000;

export function createRejectedTokens(): RejectedTokens {
  const known = createTokenCache<Rejection>(maxEntries);
  return {
    has: (token, keys, nowMs) => {
      const rejection = known.get(token);
      if (rejection === undefined) return false;
      const ageMs = nowMs - rejection.atMs;
      return ageMs >= 0 && ageMs < forMs && isSame(keys, rejection.keys);
    },
    add: (token, keys, nowMs) => known.set(token, { keys, atMs: nowMs }),
  };
}

/** The same key is the same object (the INVARIANT of token/key.ts). */
function isSame(some: readonly VerificationKey[], others: readonly VerificationKey[]): boolean {
  return some.length === others.length && some.every((key, index) => key === others[index]);
}
