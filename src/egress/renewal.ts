/**
 * Promises: when a token of our own is asked for again, and until when it serves, as functions of its life, past failures and chance. Pure.
 * All times are milliseconds.
 */

export interface HeldToken {
  readonly accessToken: string;
  /** When it was asked for. */
  readonly askedAt: number;
  readonly lifetimeMs: number;
}

/** It must still be good when the upstream looks at it. */
const marginMs = 5000;

/** Up to then it is sent along, whatever becomes of its renewal. */
export function servesUntil({ askedAt, lifetimeMs }: HeldToken): number {
  return askedAt + lifetimeMs - Math.min(marginMs, lifetimeMs / 10);
}

export function mayServe(token: HeldToken, now: number): boolean {
  // A clock that was set back must not make it older than it can be.
  return now >= token.askedAt - marginMs && now < servesUntil(token);
}

/** At four fifths of its life, or 30 s before its end where that is sooner; the replicas of a mesh not all at once. */
export function renewalAt({ askedAt, lifetimeMs }: HeldToken, jitter: number): number {
  const ahead = Math.min(0.8 * lifetimeMs, Math.max(lifetimeMs - 30_000, lifetimeMs / 2));
  return askedAt + ahead * (0.9 + jitter / 10);
}

const firstRetryMs = 1000;
const longestRetryMs = 30_000;

/** `failures` in a row, at least 1. Each step is jittered in its upper half. */
export function retryDelay(failures: number, jitter: number): number {
  const step = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 16), longestRetryMs);
  return step * (0.5 + jitter / 2);
}
