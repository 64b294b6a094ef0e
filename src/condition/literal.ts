/**
 * Promises: what is wrong with a text that stands in a condition and that a function of it would refuse.
 */
import { canRead } from './engine.ts';
import { compilePattern } from './pattern.ts';
import { zoneOffset } from './time.ts';

export function literalFault(name: string, value: string): string | undefined {
  if (name === 'matches') {
    const pattern = compilePattern(value);
    return typeof pattern === 'string' ? `not a pattern of RE2: ${pattern}` : undefined;
  }
  if (name === 'timestamp') return canRead(name, value) ? undefined : 'not a time, such as `2026-11-24T00:00:00Z`';
  if (name === 'duration') return canRead(name, value) ? undefined : 'not a duration, such as `1h30m`';
  return name.startsWith('get') && !isZone(value) ? 'not a time zone, such as `Europe/Berlin` or `+01:00`' : undefined;
}

function isZone(value: string): boolean {
  try {
    zoneOffset(value, 0);
    return true;
  } catch {
    return false;
  }
}
