/**
 * Promises: time, timers and chance of this process, for rooms that are handed them. No timer keeps the process alive.
 */
import type { Timing } from '../egress/ports.ts';
import { systemPorts } from '../keyset/ports.ts';

const ignore = (): void => {};
const { now, schedule, random } = systemPorts({ fetched: ignore, ignored: ignore, changed: ignore, fault: ignore });

export const systemTiming: Timing = { now, schedule, random };
