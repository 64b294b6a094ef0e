/**
 * Promises: a call whose request does not become complete costs memory for a few seconds only, and all of them together never more than a
 * fixed share, whatever number of streams and connections they come over.
 */
import type { Clock } from './clock.ts';

export interface HeldCall {
  readonly isComplete: boolean;
  readonly heldBytes: number;
  giveUp(reason: 'slow' | 'too_much'): void;
}

export interface IncompleteCalls {
  /** Of a call that is not complete, when it is noticed and whenever more of it has come. */
  hold(call: HeldCall): void;
  /** It is complete, or over. */
  release(call: HeldCall): void;
}

/**
 * How long a client may take to send its request, in ms. Envoy sends one at once, and its gRPC timeout, 200 ms by default, ends the
 * stream; this is for clients that state no timeout, with room for a slow link.
 */
export const completeWithinMs = 5000;

/**
 * What all incomplete requests may hold together, in bytes: small beside what a container usually has, and with `bytesOfStream` room for
 * 8,192 of them, while Envoy leaves a request incomplete only between two packets.
 */
export const maxHeldBytes = 64 * 1024 * 1024;

/** What an open stream costs before its first byte of a message, in round numbers; else streams without a byte would count nothing. */
export const bytesOfStream = 8192;

interface Held {
  bytes: number;
  readonly untilMs: number;
}

export function createIncompleteCalls(clock: Clock): IncompleteCalls {
  /** The oldest first. */
  const held = new Map<HeldCall, Held>();
  let total = 0;
  let callOff: (() => void) | undefined;

  function hold(call: HeldCall): void {
    const known = held.get(call);
    const bytes = bytesOfStream + call.heldBytes;
    total += bytes - (known?.bytes ?? 0);
    if (known === undefined) held.set(call, { bytes, untilMs: clock.now() + completeWithinMs });
    else known.bytes = bytes;
    // The oldest is the last that anybody still waits for.
    for (const oldest of held.keys()) {
      if (total <= maxHeldBytes) break;
      oldest.giveUp('too_much');
      release(oldest);
    }
    lookLater();
  }

  function release(call: HeldCall): void {
    total -= held.get(call)?.bytes ?? 0;
    held.delete(call);
    if (held.size > 0) return;
    callOff?.();
    callOff = undefined;
  }

  function lookLater(): void {
    const [oldest] = held.values();
    if (callOff !== undefined || oldest === undefined) return;
    callOff = clock.schedule(look, Math.max(0, oldest.untilMs - clock.now()));
  }

  function look(): void {
    callOff = undefined;
    const now = clock.now();
    for (const [call, { untilMs }] of held) {
      if (untilMs > now) break;
      call.giveUp('slow');
      release(call);
    }
    lookLater();
  }

  return { hold, release };
}
