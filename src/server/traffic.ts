/**
 * Promises: how many checks are being answered, and for how long there has been none.
 * Leaves to others: what is a check; health calls are none, or a mesh that asks for health every second would keep a drain from ending.
 */
import type { Clock } from './clock.ts';

export interface Traffic {
  /** One more check; the returned function ends it, and counts once however often it is called. */
  begin(): () => void;
  active(): number;
  /** 0 while a check is active; Infinity before the first one. */
  quietMs(): number;
}

export function createTraffic(clock: Clock): Traffic {
  let active = 0;
  let lastEnd = Number.NEGATIVE_INFINITY;
  return {
    begin: () => {
      active += 1;
      let isOpen = true;
      return () => {
        if (isOpen) {
          isOpen = false;
          active -= 1;
          lastEnd = clock.now();
        }
      };
    },
    active: () => active,
    quietMs: () => (active > 0 ? 0 : clock.now() - lastEnd),
  };
}
