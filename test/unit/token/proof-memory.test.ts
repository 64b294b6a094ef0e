import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalProofMemory, type Novelty, type ProofMemory } from '../../../src/token/proof-memory.ts';

const start = 1_790_000_000_000;

function asker(memory: ProofMemory): (digest: string, atMs: number, requestId?: string, lifeMs?: number) => Novelty {
  return (digest, atMs, requestId = '', lifeMs = 70_000) => {
    const novelty = memory.remember({ digest, requestId, expiresAtMs: start + atMs + lifeMs }, start + atMs);
    if (novelty instanceof Promise) throw new Error('the local memory answers at once');
    return novelty;
  };
}

describe('a proof', () => {
  it('DP-14 the first time new, then repeated, until it has expired', () => {
    const ask = asker(createLocalProofMemory(10));
    expect(ask('a', 0)).toBe('new');
    expect([1, 35_000, 69_999, 70_000].map((at) => ask('a', at))).toEqual(Array(4).fill('repeated'));
  });

  it('EA-55 of the same request of Envoy: new for 5 s, then repeated', () => {
    const ask = asker(createLocalProofMemory(10));
    expect([0, 1, 5000].map((at) => ask('a', at, '7'))).toEqual(['new', 'new', 'new']);
    expect(ask('a', 5001, '7')).toBe('repeated');
    expect(ask('a', 100, '8')).toBe('repeated');
    expect(ask('a', 100, '')).toBe('repeated');
  });

  it('EA-55 a retry does not begin the 5 s anew', () => {
    const ask = asker(createLocalProofMemory(10));
    expect([0, 4000, 8000].map((at) => ask('a', at, '7'))).toEqual(['new', 'new', 'repeated']);
  });

  it('DP-14 no room: unknown, and what is remembered stays so', () => {
    const ask = asker(createLocalProofMemory(2));
    expect(['a', 'b', 'c'].map((digest) => ask(digest, 0))).toEqual(['new', 'new', 'unknown']);
    expect(['a', 'b', 'c'].map((digest) => ask(digest, 1))).toEqual(['repeated', 'repeated', 'unknown']);
  });

  it('DP-14 what was full has room again once the proofs have expired, two lifetimes later at most', () => {
    const ask = asker(createLocalProofMemory(2));
    ask('a', 0);
    ask('b', 0);
    expect(ask('c', 70_000)).toBe('unknown');
    expect(['d', 'e'].map((digest) => ask(digest, 140_001))).toEqual(['new', 'new']);
  });
});

interface Asked {
  readonly digest: string;
  readonly requestId: string;
  /** Since the last one. */
  readonly afterMs: number;
  /** Issuers differ in how long proofs are good. */
  readonly lifeMs: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  digest: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  requestId: fc.constantFrom('', '1', '2'),
  afterMs: fc.constantFrom(0, 1, 4999, 5000, 5001, 30_000, 70_001),
  lifeMs: fc.constantFrom(1000, 70_000, 320_000),
});

describe('any sequence of proofs', () => {
  it('DP-14 nothing is forgotten early: one that is new again has expired, or is a retry of Envoy', () => {
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (sequence, room) => {
        const ask = asker(createLocalProofMemory(room));
        const taken = new Map<
          string,
          { readonly expiresMs: number; readonly requestId: string; readonly atMs: number }
        >();
        const early: string[] = [];
        let atMs = 0;
        for (const { digest, requestId, afterMs, lifeMs } of sequence) {
          atMs += afterMs;
          if (ask(digest, atMs, requestId, lifeMs) !== 'new') continue;
          const before = taken.get(digest);
          if (before !== undefined && requestId === before.requestId && requestId !== '' && atMs - before.atMs <= 5000)
            continue;
          if (before !== undefined && before.expiresMs >= atMs) early.push(`${digest} at ${atMs}`);
          taken.set(digest, { expiresMs: atMs + lifeMs, requestId, atMs });
        }
        expect(early).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('DP-14 never are more remembered at one time than there is room for', () => {
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 80 }), fc.integer({ min: 1, max: 5 }), (sequence, room) => {
        const ask = asker(createLocalProofMemory(room));
        const alive = new Map<string, number>();
        let atMs = 0;
        for (const { digest, afterMs, lifeMs } of sequence) {
          atMs += afterMs;
          if (ask(digest, atMs, '', lifeMs) === 'new') alive.set(digest, atMs + lifeMs);
          const now = atMs;
          expect([...alive.values()].filter((expiresMs) => expiresMs >= now).length).toBeLessThanOrEqual(room);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
