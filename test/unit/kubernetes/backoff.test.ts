/**
 * How long attempts keep away from each other, for any sequence of failures (interface section 9).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attempt, createBackoff } from '../../../src/kubernetes/backoff.ts';

const failed: Attempt = { wasHealthy: false, tookMs: 0, retryAfterMs: 0 };

describe('one wait', () => {
  const cases: Record<
    string,
    { readonly attempt?: Partial<Attempt>; readonly drawn: number; readonly waitMs: number }
  > = {
    'lowest draw: half a step': { drawn: 0, waitMs: 250 },
    'highest draw: a whole step': { drawn: 1, waitMs: 500 },
    'attempt that took a part of the step: the rest of it': { attempt: { tookMs: 200 }, drawn: 1, waitMs: 300 },
    'attempt that took longer than the step: a moment': { attempt: { tookMs: 4000 }, drawn: 0, waitMs: 125 },
    'asked to stay away: so long, and up to a quarter more': {
      attempt: { retryAfterMs: 2000 },
      drawn: 1,
      waitMs: 2500,
    },
    'asked to stay away for ever: 4 s': { attempt: { retryAfterMs: 3_600_000 }, drawn: 0, waitMs: 4000 },
    'asked to stay away for ever, the highest draw: 5 s, so that a fleet does not come back together': {
      attempt: { retryAfterMs: 3_600_000 },
      drawn: 1,
      waitMs: 5000,
    },
  };
  it.each(Object.entries(cases))('%s', (_name, { attempt, drawn, waitMs }) => {
    expect(createBackoff(() => drawn).after({ ...failed, ...attempt })).toBe(waitMs);
  });
});

it('any sequence of failures: between 125 ms and 5 s, and from the fifth on in the upper half of the last step', () => {
  const anyAttempt = fc.record({
    wasHealthy: fc.constant(false),
    tookMs: fc.constantFrom(0, 10, 4000),
    retryAfterMs: fc.constantFrom(0, 1000, 60_000),
  });
  fc.assert(
    fc.property(
      fc.array(anyAttempt, { maxLength: 30 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (attempts, drawn) => {
        const backoff = createBackoff(() => drawn.next().value);
        for (const [at, attempt] of attempts.entries()) {
          const waitMs = backoff.after(attempt);
          expect(waitMs).toBeGreaterThanOrEqual(125);
          expect(waitMs).toBeLessThanOrEqual(5000);
          if (at >= 4) expect(waitMs + attempt.tookMs).toBeGreaterThanOrEqual(2250);
        }
      },
    ),
  );
});
