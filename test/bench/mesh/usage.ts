/**
 * Promises: what a process and its children have used, and what the machine did meanwhile, as Linux tells it.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc in clock ticks; 100 a second wherever Linux runs today. */
const ticksPerSecond = 100;

/** CPU time of a process and all its descendants, in seconds. */
export function cpuSeconds(pid: number): number {
  return family(pid).reduce((sum, one) => sum + ownCpuSeconds(one), 0);
}

/** Resident memory of a process and all its descendants, in MiB. */
export function rssMib(pid: number): number {
  return family(pid).reduce((sum, one) => sum + ownRssMib(one), 0);
}

/** CPU time of the whole machine that was not idle, in seconds. */
export function machineSeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] =
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).map(Number) ?? [];
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond;
}

function family(pid: number): readonly number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statOf(Number(name))?.parent;
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const found = [pid];
  for (const one of found) found.push(...(parents.get(one) ?? []));
  return found;
}

function statOf(pid: number): { parent: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

function ownCpuSeconds(pid: number): number {
  return (statOf(pid)?.ticks ?? 0) / ticksPerSecond;
}

function ownRssMib(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
