/**
 * Promises: a reading that stayed the same for a while, so that no half-written file and no mixture of two versions gets through: for a
 * moment when it is whole by the way it came, else for as long as a slow writer pauses.
 * Leaves to others: which way is which (arrival.ts).
 */
import type { PathState, Reading } from './read-path.ts';

export interface SettlePorts {
  readonly read: () => Promise<Reading>;
  /** Waits for the moment that every reading has to last. */
  readonly pause: () => Promise<void>;
  /** Moments that a reading has to last which is not whole by the way it came. Counted here, because the times of files may lie. */
  readonly restPauses: number;
  /** `hasChanged`: another state was seen during this wait. */
  readonly isWhole: (reading: Reading, hasChanged: boolean) => boolean;
}

/** Rests that a path gets to come to rest before it is given up for this time. */
const maxRests = 4;

/**
 * The path at rest. What equals `known` needs no second look, and its state is `known` itself; undefined: it did not come to rest.
 */
export async function settle(known: PathState | undefined, ports: SettlePorts): Promise<Reading | undefined> {
  let last = await ports.read();
  let lasted = 0;
  let hasChanged = false;
  for (let pauses = 0; pauses < maxRests * ports.restPauses; pauses += 1) {
    if (known !== undefined && isSame(last.state, known)) {
      return { ...last, state: known };
    }
    await ports.pause();
    const next = await ports.read();
    const isUnchanged = next.stamp === last.stamp && isSame(next.state, last.state);
    lasted = isUnchanged ? lasted + 1 : 0;
    hasChanged ||= !isUnchanged;
    if (isUnchanged && (lasted >= ports.restPauses || ports.isWhole(next, hasChanged))) {
      return next;
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
