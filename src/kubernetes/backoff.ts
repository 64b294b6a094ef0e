/**
 * Promises: how long to stay away after an attempt (interface section 9): steps that double up to a cap, each drawn from its upper half,
 * not shorter than the server asked for, as far as that fits into 5 s, and never longer than 5 s.
 */

export interface Attempt {
  /** A watch that had been open for long enough ended: begin with the first step again. */
  readonly wasHealthy: boolean;
  /** What the failed attempt itself took. */
  readonly tookMs: number;
  /** What the server asked for; 0 where it did not. */
  readonly retryAfterMs: number;
}

export interface Backoff {
  /** Milliseconds until the next attempt. */
  after(attempt: Attempt): number;
}

const firstStepMs = 500;
/** Below 5 s, so that an attempt fits into the 5 s after the return of a server. */
const maxStepMs = 4500;
const maxWaitMs = 5000;
/** Of what the server asked for; the quarter on top must still differ from one process to the next. */
const maxAskedMs = 4000;
/** Attempts do not follow each other faster than this, however long the last one took. */
const minWaitMs = 250;

export function createBackoff(random: () => number): Backoff {
  let stepMs = firstStepMs;

  function after({ wasHealthy, tookMs, retryAfterMs }: Attempt): number {
    if (wasHealthy) stepMs = firstStepMs;
    const drawnMs = stepMs * (0.5 + random() / 2);
    stepMs = Math.min(stepMs * 2, maxStepMs);
    // From the start of the attempt: one that hung until its deadline has waited already.
    const restMs = Math.max(drawnMs - tookMs, minWaitMs * (0.5 + random() / 2));
    // A fleet that was sent away together should not come back together.
    const askedMs = Math.min(retryAfterMs, maxAskedMs) * (1 + random() / 4);
    return Math.min(Math.max(restMs, askedMs), maxWaitMs);
  }

  return { after };
}
