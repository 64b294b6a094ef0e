/**
 * Promises: the only way in which drain and TLS reload learn of time, so that a test can hold it in its hand.
 */
export interface Clock {
  /** Milliseconds that never run backwards; the zero point has no meaning. */
  now(): number;
  /** Runs `task` once, `delayMs` from now; the returned function calls it off. */
  schedule(task: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule: (task, delayMs) => {
    const timer = setTimeout(task, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
