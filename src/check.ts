/**
 * Promises: one Check, bytes in and bytes out, always an answer. The one catch for faults of ours: logged with the stack, answered 503.
 */
import type { Authorizer } from './authorizer/authorize.ts';
import type { Decision } from './decision/decision.ts';
import type { RequestAttributes } from './decision/request.ts';
import { type Awaitable, Stop } from './decision/step.ts';
import { readCheckRequest } from './envoy/check-request.ts';
import { writeCheckResponse } from './envoy/check-response.ts';

export interface CheckPorts {
  readonly authorizer: Authorizer;
  /** Milliseconds of a clock that never goes back, with fractions. */
  readonly monotonicMs: () => number;
  /** Told after the bytes are made; what it throws is reported and changes nothing. */
  readonly observe: (request: RequestAttributes | undefined, decision: Decision, elapsedMs: number) => void;
  readonly onFault: (fault: unknown) => void;
}

/** Answers within `waitMs` plus the time of computing, at once where nothing is waited for; never throws or rejects. */
export type Check = (request: Uint8Array, waitMs: number) => Awaitable<Uint8Array>;

/** The answer to checks that come faster than they can be worked on: at the cost of writing it. */
export function createOverloaded({
  authorizer,
  observe,
}: Pick<CheckPorts, 'authorizer' | 'observe'>): () => Uint8Array {
  return () => {
    const decision = authorizer.refuse(new Stop('overloaded'));
    observe(undefined, decision, 0);
    return writeCheckResponse(decision, undefined);
  };
}

export function createCheck(ports: CheckPorts): Check {
  const { authorizer, monotonicMs, observe, onFault } = ports;

  function check(bytes: Uint8Array, waitMs: number): Awaitable<Uint8Array> {
    const asked: Asked = { startMs: monotonicMs(), request: undefined };
    try {
      const read = readCheckRequest(bytes);
      if (read instanceof Stop) return answer(authorizer.refuse(read), asked);
      asked.request = read;
      const decision = authorizer.authorize(read, waitMs);
      if (!(decision instanceof Promise)) return answer(decision, asked);
      return decision.then((decided) => answer(decided, asked)).catch((fault: unknown) => excuse(fault, asked));
    } catch (fault) {
      return excuse(fault, asked);
    }
  }

  function answer(decision: Decision, asked: Asked): Uint8Array {
    const response = writeCheckResponse(decision, asked.request);
    tell(decision, asked);
    return response;
  }

  /** A fault of ours is no allow. */
  function excuse(fault: unknown, asked: Asked): Uint8Array {
    onFault(fault);
    return answer(authorizer.refuse(new Stop('internal_error')), asked);
  }

  function tell(decision: Decision, { startMs, request }: Asked): void {
    try {
      observe(request, decision, monotonicMs() - startMs);
    } catch (fault) {
      onFault(fault);
    }
  }

  return check;
}

interface Asked {
  readonly startMs: number;
  /** Undefined while it could not be read. */
  request: RequestAttributes | undefined;
}
