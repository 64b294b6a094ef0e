/**
 * Promises: nonces that need no memory: the second in which one was given, sealed with a key (RFC 9449 sections 8 and 9; DP-10, DP-15).
 * Every replica that has the key accepts the nonces of the others.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface NonceSealer {
  /** A nonce for this moment, in NQCHAR. Equal within one second. */
  issue(nowMs: number): string;
  /** `fresh`; `ageing`: still good, time to hand out another; `stale`: too old or not ours. */
  judge(nonce: string, nowMs: number): 'fresh' | 'ageing' | 'stale';
}

/** How long a nonce is good, in seconds; long enough for a client that calls now and then, short for a stolen proof. */
const lifetimeSeconds = 300;
/** The clock of another replica may be ahead. */
const aheadSeconds = 10;
const timeBytes = 6;
const sealBytes = 16;

/** The first key seals, all of them open: a key is exchanged by adding the new one, putting it first, and dropping the old one later. */
export type NonceKeys = readonly [Uint8Array, ...Uint8Array[]];

export function createNonceSealer(keys: NonceKeys): NonceSealer {
  function issue(nowMs: number): string {
    const time = Buffer.alloc(timeBytes);
    time.writeUIntBE(Math.max(0, Math.floor(nowMs / 1000)), 0, timeBytes);
    return Buffer.concat([time, seal(keys[0], time)]).toString('base64url');
  }

  function judge(nonce: string, nowMs: number): 'fresh' | 'ageing' | 'stale' {
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.length !== timeBytes + sealBytes || bytes.toString('base64url') !== nonce) return 'stale';
    const [time, given] = [bytes.subarray(0, timeBytes), bytes.subarray(timeBytes)];
    if (!keys.some((key) => timingSafeEqual(seal(key, time), given))) return 'stale';
    const age = nowMs / 1000 - time.readUIntBE(0, timeBytes);
    if (age < -aheadSeconds || age > lifetimeSeconds) return 'stale';
    return age > lifetimeSeconds / 2 ? 'ageing' : 'fresh';
  }

  return { issue, judge };
}

function seal(key: Uint8Array, time: Uint8Array): Buffer {
  return createHmac('sha256', key).update('scopegate dpop nonce v1').update(time).digest().subarray(0, sealBytes);
}
