/**
 * Promises: the moment at which a draining server may close its listeners.
 * Leaves to others: what is done then (grpc.ts).
 */
import type { Clock } from './clock.ts';
import type { Traffic } from './traffic.ts';

export interface DrainLimits {
  /** Shortest drain, in ms: the time that a mesh needs to notice that health says NOT_SERVING. Usually 2000. */
  readonly minMs: number;
  /** How long no check may have been active, in ms. Usually 1000. */
  readonly quietMs: number;
  /** Longest drain, in ms; wins over the other two. Usually 20000. */
  readonly maxMs: number;
}

/** `quiet`: traffic had gone; `limit`: `maxMs` came first; `stopped`: it was called off. */
export type DrainOutcome = 'quiet' | 'limit' | 'stopped';

/**
 * How long before `maxMs` the listeners close when traffic does not go away: checks under way are then answered and their
 * connections told to go elsewhere (GOAWAY), instead of all being cut at the last moment. Half a second is the longest timeout that
 * the docs recommend for a check.
 */
export function farewellMs(maxMs: number): number {
  return Math.min(500, maxMs / 10);
}

/** Ends when the server may close: `minMs` are over and there was no check for `quietMs`, or the limit is near. */
export function waitForQuiet(
  limits: DrainLimits,
  traffic: Pick<Traffic, 'quietMs'>,
  clock: Clock,
  stop: AbortSignal,
): Promise<DrainOutcome> {
  const start = clock.now();
  const earliest = start + limits.minMs;
  const latest = start + limits.maxMs - farewellMs(limits.maxMs);
  return new Promise((resolve) => {
    let callOff: (() => void) | undefined;
    function end(outcome: DrainOutcome): void {
      callOff?.();
      stop.removeEventListener('abort', onStop);
      resolve(outcome);
    }
    function onStop(): void {
      end('stopped');
    }
    function look(): void {
      const now = clock.now();
      // While a check is active the quiet time has not even begun, so looking again after one whole quiet time is early enough.
      const quietAt = Math.max(earliest, now + limits.quietMs - traffic.quietMs());
      if (stop.aborted) {
        end('stopped');
      } else if (quietAt <= now) {
        end('quiet');
      } else if (latest <= now) {
        end('limit');
      } else {
        callOff = clock.schedule(look, Math.min(quietAt, latest) - now);
      }
    }
    stop.addEventListener('abort', onStop, { once: true });
    look();
  });
}
