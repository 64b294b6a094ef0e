/**
 * Promises: all that this room needs from outside: time, chance, timers, the network, and somebody to tell.
 */

import type { FailureKind } from './failure.ts';
import { createGet, type Get } from './fetch.ts';
import type { IgnoredCounts } from './key-set.ts';
import type { SavedJwks } from './saved-jwks.ts';

/** Told of what happens to the key sets, by the issuer's name. Must not throw. */
export interface KeySetObserver {
  /** An attempt to fetch ended; never called for inline keys. */
  fetched(issuer: string, result: 'ok' | FailureKind): void;
  /** What of the newest JWK Set is not used, by reason; empty when all is well. */
  ignored(issuer: string, counts: IgnoredCounts): void;
  /** `status()` of the issuer may have changed. */
  changed(issuer: string): void;
  /** Keys that were saved serve, until newer ones are fetched. */
  restored?(issuer: string, fetchedAt: number): void;
  /** A fault of ours; the attempt counts as failed. */
  fault(issuer: string, error: unknown): void;
}

export interface KeySetPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls back once after the delay; returns what cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly get: Get;
  readonly observe: KeySetObserver;
  /** Keys that were good before the start, by where they came from; absent: there are none. */
  readonly saved?: (source: string) => SavedJwks | undefined;
}

/** A timer takes no longer delay; a longer one would fire at once. */
const maxDelayMs = 2 ** 31 - 1;

/** Time, timers, chance and network of this process. No timer keeps the process alive. */
export function systemPorts(observe: KeySetObserver): KeySetPorts {
  return { now: Date.now, schedule, random: Math.random, get: createGet(), observe };
}

function schedule(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, Math.min(delayMs, maxDelayMs)).unref();
  return () => clearTimeout(timer);
}
