/**
 * Promises: a computation that may end early says so by its type. Nothing here throws.
 * Leaves to others: what a reason means on the wire (deny-reason.ts).
 */
import type { DenyReason, DenyStatus } from './deny-reason.ts';

/** The reason to stop, with what the operator's log may know of it. */
export class Stop {
  readonly reason: DenyReason;
  /** For the operator's log and `explain`; from a fixed set of texts and names of the policy, never text of a token or a request. */
  readonly detail: string | undefined;
  /** Replaces the HTTP status of the reason's row where the contract says so (`no_rule` is 401 without credentials). */
  readonly status: DenyStatus | undefined;

  constructor(reason: DenyReason, detail?: string, status?: DenyStatus) {
    this.reason = reason;
    this.detail = detail;
    this.status = status;
  }
}

/** Now or later: most checks wait for nothing, and a promise for each of their steps would cost as much as the steps. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value, at once where it is there. */
export function after<T, U>(value: Awaitable<T>, step: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(step) : step(value);
}

/** A value, or the reason to stop; told apart by `instanceof Stop`. */
export type Step<T> = T | Stop;
