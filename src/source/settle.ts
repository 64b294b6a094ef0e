/**
 * Promises: a reading that stayed the same for a moment, so that no half-written file and no mixture of two versions gets through.
 */
import type { PathState, Reading } from './read-path.ts';

export interface SettlePorts {
  readonly read: () => Promise<Reading>;
  /** Waits for the moment that a reading has to last. */
  readonly pause: () => Promise<void>;
}

/** Pauses before a path that never rests is given up for this time. */
const maxPauses = 40;

/**
 * The state of a path at rest. What equals `known` needs no second look; undefined: it did not come to rest.
 */
export async function settle(known: PathState | undefined, ports: SettlePorts): Promise<PathState | undefined> {
  let last = await ports.read();
  for (let pauses = 0; pauses < maxPauses; pauses += 1) {
    if (known !== undefined && isSame(last.state, known)) {
      return known;
    }
    await ports.pause();
    const next = await ports.read();
    if (next.stamp === last.stamp && isSame(next.state, last.state)) {
      return next.state;
    }
    last = next;
  }
  return undefined;
}

function isSame(a: PathState, b: PathState): boolean {
  if (a.kind !== 'content' || b.kind !== 'content') {
    return a.kind !== 'content' && b.kind !== 'content' && a.kind === b.kind && a.reason === b.reason;
  }
  return (
    a.files.length === b.files.length &&
    a.files.every((file, index) => file.name === b.files[index]?.name && file.text === b.files[index].text)
  );
}
