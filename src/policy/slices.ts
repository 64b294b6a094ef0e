/**
 * Promises: work on a large policy that stops at places where others may have their turn, for whoever answers requests meanwhile; or in
 * one go, for whoever does nothing else.
 */

/** Each `yield` is such a place. */
export type Slices<T> = Generator<undefined, T, undefined>;

/** Lets others have their turn. */
export type Pause = () => Promise<void>;

export function inOneGo<T>(work: Slices<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

export async function inSlices<T>(work: Slices<T>, pause: Pause): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await pause();
  }
}
