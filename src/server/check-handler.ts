/**
 * Promises: what answers checks, as every transport calls it: bytes in, bytes out, and how long it may wait.
 * Leaves to others: what the bytes mean. A failure is an RPC error, which Envoy does not take for a refusal (EA-02), so turning
 * faults into an answer is the handler's own task.
 */
import type { Traffic } from './traffic.ts';

/** Answers one check. Never throws or rejects; `waitMs` is how long it may wait for something, 0: not at all. */
export type CheckHandler = (request: Uint8Array, waitMs: number) => Uint8Array | Promise<Uint8Array>;

export interface CheckPorts {
  readonly check: CheckHandler;
  /** The answer to a check that came too late to be worked on; absent: it is worked on. */
  readonly overloaded?: (() => Uint8Array) | undefined;
  readonly traffic: Traffic;
  /** Told what a handler threw. */
  readonly onFault: (fault: unknown) => void;
  /** `waitMs` of a call without a deadline. */
  readonly waitWithoutDeadlineMs: number;
}

export const checkPath = '/envoy.service.auth.v3.Authorization/Check';

/**
 * What a check may spend waiting, of the time that is left to its deadline: a tenth of it, and never less than 10 ms, is kept for
 * the answer's own way back and for a busy event loop, so that our refusal arrives before Envoy gives up and takes its error path.
 */
export function waitBudgetMs(leftMs: number, withoutDeadlineMs: number): number {
  if (leftMs === Number.POSITIVE_INFINITY) {
    return withoutDeadlineMs;
  }
  return Math.max(0, Math.floor(leftMs - Math.max(10, leftMs / 10)));
}
