/**
 * Promises: leave for so many at once, and afterwards for one in each period.
 */

export interface TokenBucket {
  /** Whether one more may go now. */
  take(): boolean;
}

export interface TokenBucketOptions {
  readonly burst: number;
  readonly periodMs: number;
}

export function createTokenBucket({ burst, periodMs }: TokenBucketOptions, elapsedMs: () => number): TokenBucket {
  let tokens = burst;
  let refilledMs = elapsedMs();

  function take(): boolean {
    const periods = Math.floor((elapsedMs() - refilledMs) / periodMs);
    tokens = Math.min(tokens + periods, burst);
    refilledMs += periods * periodMs;
    if (tokens === 0) return false;
    tokens -= 1;
    return true;
  }

  return { take };
}
