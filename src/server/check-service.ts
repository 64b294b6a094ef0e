/**
 * Promises: one unary method that takes and gives bytes as they are, tells its handler how long it may wait, and survives a handler
 * that fails. A call that its client has given up is not worked on.
 * Leaves to others: what the bytes mean. A failure is an RPC error, which Envoy does not take for a refusal (EA-02), so turning
 * faults into an answer is the handler's own task.
 */
import { type Deadline, type handleUnaryCall, type Server, status } from '@grpc/grpc-js';
import { type CheckPorts, checkPath, waitBudgetMs } from './check-handler.ts';

/** Adds Check to the server. */
export function addCheckService(server: Server, ports: CheckPorts): void {
  server.register(checkPath, createCheckMethod(ports), toBuffer, (bytes: Buffer): Uint8Array => bytes, 'unary');
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
