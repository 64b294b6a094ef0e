/**
 * Promises: all that this room needs from outside besides the network and the files of its credentials: time, chance and timers.
 */

export interface ClusterPorts {
  /** Milliseconds since the epoch, for what people read. */
  readonly nowMs: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsedMs: () => number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Calls back once after the delay; returns what cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** Ends after the delay, or at once when the signal aborts; never rejects. */
  readonly pause: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Those of this process. No timer keeps it alive. */
export const systemPorts: ClusterPorts = {
  nowMs: Date.now,
  elapsedMs: () => performance.now(),
  random: Math.random,
  schedule,
  pause: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = schedule(done, delayMs);
      signal.addEventListener('abort', done);
    }),
};

function schedule(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}
