/**
 * Promises: told to a process that is started with `--import` of this: the longest time that its event loop did not come round, and the
 * longest that its main thread computed meanwhile. The first is what a client waits, on a quiet machine; the second is ours alone.
 */
import process from 'node:process';

export interface Stall {
  readonly wallMs: number;
  readonly cpuMs: number;
}

const everyMs = 1;
let [wallMs, cpuMs] = [0, 0];
let wall = performance.now();
let cpu = process.threadCpuUsage();

setInterval(() => {
  const now = performance.now();
  const { user, system } = process.threadCpuUsage(cpu);
  wallMs = Math.max(wallMs, now - wall - everyMs);
  cpuMs = Math.max(cpuMs, (user + system) / 1000);
  wall = now;
  cpu = process.threadCpuUsage();
}, everyMs).unref();

/** Every message is answered with what was longest since the one before. */
process.on('message', () => {
  process.send?.({ wallMs, cpuMs } satisfies Stall);
  [wallMs, cpuMs] = [0, 0];
});
process.channel?.unref();
