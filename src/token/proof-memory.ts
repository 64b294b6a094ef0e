/**
 * Promises: which DPoP proofs were seen while they can still be used (RFC 9449 section 11.1; DP-14), within bounds. What cannot be
 * remembered is never taken for new.
 */
export interface SeenProof {
  /** Digest of the key, `jti` and `htu`; of fixed length, whatever the client sends. */
  readonly digest: string;
  /** Envoy's own id of the request; empty when it gave none. */
  readonly requestId: string;
  /** When the proof is too old to be used again, in ms since the epoch. */
  readonly expiresAtMs: number;
}

/** `new`; `repeated`: seen before; `unknown`: there was no room, or the memory could not be asked. */
export type Novelty = 'new' | 'repeated' | 'unknown';

export interface ProofMemory {
  /** Remembers a proof, and says what it was until now. Never rejects. */
  remember(proof: SeenProof, nowMs: number): Novelty | Promise<Novelty>;
}

/** EA-55: Envoy may ask twice about one request, when its call to us is retried. */
export const retryMs = 5000;

export interface Seen {
  readonly requestId: string;
  readonly seenMs: number;
}

/** Proofs that arrived in one stretch of time; forgotten together, when the last of them has expired. */
class Generation {
  readonly seen = new Map<string, Seen>();
  lastExpiryMs = 0;
}

/** For one process. `maxProofs` at one time; when there is no room, nothing is forgotten early. */
export function createLocalProofMemory(maxProofs: number): ProofMemory {
  let current = new Generation();
  let previous = new Generation();

  function rotate(nowMs: number): void {
    if (nowMs <= previous.lastExpiryMs) return;
    previous = current;
    current = new Generation();
  }

  return {
    remember: ({ digest, requestId, expiresAtMs }, nowMs) => {
      rotate(nowMs);
      const before = current.seen.get(digest) ?? previous.seen.get(digest);
      if (before !== undefined) return isRetry(before, requestId, nowMs) ? 'new' : 'repeated';
      if (current.seen.size + previous.seen.size >= maxProofs) return 'unknown';
      current.seen.set(digest, { requestId, seenMs: nowMs });
      current.lastExpiryMs = Math.max(current.lastExpiryMs, expiresAtMs);
      return 'new';
    },
  };
}

export function isRetry(before: Seen, requestId: string, nowMs: number): boolean {
  return requestId !== '' && before.requestId === requestId && nowMs - before.seenMs <= retryMs;
}
