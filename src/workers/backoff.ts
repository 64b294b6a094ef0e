/**
 * Promises: how long to wait before a worker is started again: at once enough not to be missed, and not so often that starting is all that the
 * machine does. Pure.
 */
const firstMs = 100;
const longestMs = 5000;
/** Who ran so long has not failed to start: whatever ended it, it begins anew. */
const soundMs = 60_000;

/** How many times in a row it has ended early. */
export function failuresAfter(failures: number, ranMs: number): number {
  return ranMs >= soundMs ? 1 : failures + 1;
}

/** `failures` is at least 1; `jitter` from 0 to 1 spreads workers that ended together. */
export function restartDelay(failures: number, jitter: number): number {
  const stepMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 16), longestMs);
  return stepMs * (0.5 + jitter / 2);
}
