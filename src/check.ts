/**
 * Promises: one Check, bytes in and bytes out, always an answer. The one catch for faults of ours: logged with the stack, answered 503.
 */
import type { Authorizer } from './authorizer/authorize.ts';
import type { Decision } from './decision/decision.ts';
import type { RequestAttributes } from './decision/request.ts';
import { Stop } from './decision/step.ts';
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

/** Answers within `waitMs` plus the time of computing; never rejects. */
export type Check = (request: Uint8Array, waitMs: number) => Promise<Uint8Array>;

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

  async function check(bytes: Uint8Array, waitMs: number): Promise<Uint8Array> {
    const startMs = monotonicMs();
    let request: RequestAttributes | undefined;
    let decision: Decision;
    let response: Uint8Array;
    try {
      const read = readCheckRequest(bytes);
      if (!(read instanceof Stop)) request = read;
      decision = read instanceof Stop ? authorizer.refuse(read) : await authorizer.authorize(read, waitMs);
      response = writeCheckResponse(decision, request);
    } catch (fault) {
      onFault(fault);
      decision = authorizer.refuse(new Stop('internal_error'));
      response = writeCheckResponse(decision, request);
    }
    try {
      observe(request, decision, monotonicMs() - startMs);
    } catch (fault) {
      onFault(fault);
    }
    return response;
  }

  return check;
}
