/**
 * Promises: a signal that aborts with its parent, or with a Failure when time is over that was not extended.
 */
import { unanswered } from './failure.ts';
import type { ClusterPorts } from './ports.ts';

export interface Deadline {
  /** Its reason is a Failure, unless it is the parent's. */
  readonly signal: AbortSignal;
  /** Counts anew from now. */
  extend(delayMs: number, reason: string): void;
  /** To be called when all is over, so that the parent forgets this one. */
  dispose(): void;
}

export function createDeadline(ports: ClusterPorts, parent: AbortSignal): Deadline {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent.reason);
  let lift: (() => void) | undefined;
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    extend: (delayMs, reason) => {
      lift?.();
      lift = ports.schedule(() => controller.abort(unanswered(reason)), delayMs);
    },
    dispose: () => {
      lift?.();
      parent.removeEventListener('abort', follow);
    },
  };
}
