/**
 * Promises: one unary method that takes and gives bytes as they are, tells its handler how long it may wait, and survives a handler
 * that fails. A call that its client has given up is not worked on.
 * Leaves to others: what the bytes mean. A failure is an RPC error, which Envoy does not take for a refusal (EA-02), so turning
 * faults into an answer is the handler's own task.
 */
import { type Deadline, type handleUnaryCall, type Server, status } from '@grpc/grpc-js';
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

/** Adds Check to the server. */
export function addCheckService(server: Server, ports: CheckPorts): void {
  server.register(checkPath, createCheckMethod(ports), toBuffer, (bytes: Buffer): Uint8Array => bytes, 'unary');
}

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

function createCheckMethod(ports: CheckPorts): handleUnaryCall<Uint8Array, Uint8Array> {
  return (call, respond) => {
    const leftMs = timeLeftMs(call.getDeadline());
    if (call.cancelled || leftMs <= 0) {
      // The client is gone or is told DEADLINE_EXCEEDED by the transport; under overload this sheds what nobody waits for.
      return;
    }
    // grpc-js emits `cancelled` when a call ends in any way, answered or given up.
    call.once('cancelled', ports.traffic.begin());
    function answer(bytes: Uint8Array): void {
      if (!call.cancelled) {
        respond(null, bytes);
      }
    }
    function fail(fault: unknown): void {
      respond({ code: status.INTERNAL, details: 'internal error' });
      ports.onFault(fault);
    }
    try {
      const result = ports.check(call.request, waitBudgetMs(leftMs, ports.waitWithoutDeadlineMs));
      if (result instanceof Uint8Array) {
        answer(result);
      } else {
        result.then(answer).catch(fail);
      }
    } catch (fault) {
      fail(fault);
    }
  };
}

function timeLeftMs(deadline: Deadline): number {
  // The transport counts the deadline in wall-clock time.
  return Number(deadline) - Date.now();
}

/** A view of the same memory: the transport copies it into its frame. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
