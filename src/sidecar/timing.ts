/**
 * Promises: time, timers and chance of this process, for rooms that are handed them. No timer keeps the process alive.
 */
import type { Timing } from '../egress/ports.ts';
import { systemPorts } from '../keyset/ports.ts';

const ignore = (): void => {};
const { now, schedule, random } = systemPorts({ fetched: ignore, ignored: ignore, changed: ignore, fault: ignore });

export const systemTiming: Timing = { now, schedule, random };

/** What has arrived is read before a time that is over counts: it may only be us who were busy. Keeps no process alive. */
export function scheduleAfterReads(callback: () => void, delayMs: number): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(callback);
  }, delayMs);
  timer.unref();
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
