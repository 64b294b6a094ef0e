/**
 * Promises: when the keys of one issuer are fetched, and what a token with an unknown key is told meanwhile, as a function of past
 * attempts and the time (JWK-08, interface sections 1 and 7). Pure: time and chance come in as numbers. All times are milliseconds.
 */
import type { FailureKind } from './failure.ts';

export interface RefreshOptions {
  /** Age of keys that came without `max-age`. Default 10 min. */
  readonly refreshMs: number;
  /** Shortest age whatever `max-age` says. Default 1 min. */
  readonly minRefreshMs: number;
  /** Least time from a failed attempt, or one that an unknown key caused, to the next one. Default 30 s. */
  readonly cooldownMs: number;
  /** How long after the last good fetch its keys may serve. Default 24 h. */
  readonly maxStaleMs: number;
}

export const defaultRefreshOptions: RefreshOptions = {
  refreshMs: 600_000,
  minRefreshMs: 60_000,
  cooldownMs: 30_000,
  maxStaleMs: 86_400_000,
};

export interface RefreshState {
  /** End of the last good fetch. */
  readonly fetchedAt: number | undefined;
  /** Of the last attempt; undefined: there was none, or it succeeded. */
  readonly failure: FailureKind | undefined;
  /** End of the last attempt that started a cool-down. */
  readonly coolingSince: number | undefined;
  /** When the next attempt is due by itself. */
  readonly nextAt: number;
}

export const untried: RefreshState = { fetchedAt: undefined, failure: undefined, coolingSince: undefined, nextAt: 0 };

export interface Attempt {
  readonly endedAt: number;
  readonly isForUnknownKey: boolean;
  readonly failure: FailureKind | undefined;
  /** What the answer allows; undefined without cache-control. */
  readonly maxAgeSeconds: number | undefined;
  /** From 0 up to, not including, 1: spreads the next attempt over time. */
  readonly jitter: number;
}

/** Longest age that `max-age` can ask for. */
const maxAgeMs = 86_400_000;

/**
 * INVARIANT: every attempt that failed starts the cool-down, and every attempt that an unknown key caused does, whether it failed or
 * not; else an issuer that is down is asked once a request, by us, at the moment it can bear it least.
 */
export function afterAttempt(state: RefreshState, attempt: Attempt, options: RefreshOptions): RefreshState {
  const { endedAt, failure } = attempt;
  if (failure !== undefined) {
    const nextAt = endedAt + options.cooldownMs * (1 + attempt.jitter / 2);
    return { fetchedAt: state.fetchedAt, failure, coolingSince: endedAt, nextAt };
  }
  const coolingSince = attempt.isForUnknownKey ? endedAt : state.coolingSince;
  return { fetchedAt: endedAt, failure, coolingSince, nextAt: endedAt + refreshDelay(attempt, options) };
}

/** Somewhat before the keys are as old as they should get, so that they are replaced before anything waits for them. */
function refreshDelay({ maxAgeSeconds, jitter }: Attempt, options: RefreshOptions): number {
  const { refreshMs, minRefreshMs, maxStaleMs } = options;
  const ahead = 0.8 + 0.15 * jitter;
  // Keys must be renewed before they stop serving, whatever else is wished for.
  const latest = maxStaleMs * ahead;
  if (maxAgeSeconds === undefined) return Math.min(refreshMs * ahead, latest);
  const wished = Math.min(maxAgeSeconds * 1000, maxAgeMs) * ahead;
  return Math.min(Math.max(wished, minRefreshMs * (1 + jitter / 10)), latest);
}

/** Whether the keys of the last good fetch may verify at all. */
export function mayServe({ fetchedAt }: RefreshState, now: number, { maxStaleMs }: RefreshOptions): boolean {
  return fetchedAt !== undefined && now - fetchedAt <= maxStaleMs;
}

/** What to do for a token whose key is not at hand, while no attempt is going on. */
export function onMissingKey(
  state: RefreshState,
  now: number,
  options: RefreshOptions,
): 'fetch' | 'key_unknown' | 'keys_unavailable' {
  if (!isCooling(state, now, options)) return 'fetch';
  return state.failure === undefined && mayServe(state, now, options) ? 'key_unknown' : 'keys_unavailable';
}

function isCooling({ coolingSince }: RefreshState, now: number, { cooldownMs }: RefreshOptions): boolean {
  // A clock that was set back must not stretch the cool-down.
  return coolingSince !== undefined && now >= coolingSince && now - coolingSince < cooldownMs;
}
