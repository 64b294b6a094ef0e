/**
 * Promises: signatures are checked without keeping everything else waiting: for a short time in each turn of the event loop, the rest in
 * later turns, in order, and no more than a bounded number at one time. A flood of bad tokens then costs those whose token was
 * seen before a few milliseconds, and not their place.
 * A good token that is new stands in the same line, because nobody can know it before its signature is checked: in such a flood it waits,
 * or is refused as `overloaded`. Whoever has to keep a flood away limits the rate of requests before they come here.
 */
import { type Step, Stop } from '../decision/step.ts';

export interface LanePorts {
  /** Milliseconds that never run backwards, with fractions. */
  readonly now: () => number;
  /** Runs a task in the next turn of the event loop, after what has come meanwhile was read. */
  readonly nextTurn: (task: () => void) => void;
}

export interface VerificationLane {
  /** The result of `task` now, or when its turn comes; `overloaded` where that is later than in `waitMs`. */
  run<T>(task: () => Step<T>, waitMs: number): Step<T> | Promise<Step<T>>;
}

/** Checking for this long in one turn, in ms: some twenty signatures, and a delay that nobody notices. */
const sliceMs = 2;
/** Tasks that wait; with a few hundred microseconds for each, more could not be in time. */
const maxWaiting = 1000;

interface Waiting {
  readonly start: () => void;
  readonly giveUp: () => void;
  readonly untilMs: number;
}

export function createVerificationLane({ now, nextTurn }: LanePorts): VerificationLane {
  const waiting: Waiting[] = [];
  let spentMs = 0;
  let isScheduled = false;

  function timed<T>(task: () => T): T {
    const start = now();
    try {
      return task();
    } finally {
      spentMs += now() - start;
      schedule();
    }
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    nextTurn(turn);
  }

  function turn(): void {
    isScheduled = false;
    spentMs = 0;
    while (spentMs < sliceMs) {
      const next = waiting.shift();
      if (next === undefined) return;
      if (next.untilMs < now()) next.giveUp();
      else timed(next.start);
    }
    schedule();
  }

  function run<T>(task: () => Step<T>, waitMs: number): Step<T> | Promise<Step<T>> {
    if (waiting.length === 0 && spentMs < sliceMs) return timed(task);
    if (waiting.length >= maxWaiting) return tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<Step<T>>();
    function start(): void {
      try {
        resolve(task());
      } catch (fault) {
        reject(fault);
      }
    }
    waiting.push({ start, giveUp: () => resolve(tooMany()), untilMs: now() + waitMs });
    schedule();
    return promise;
  }

  return { run };
}

function tooMany(): Stop {
  return new Stop('overloaded', 'too many signatures are waiting to be checked');
}

/** For whoever asks one question at a time. */
export const directLane: VerificationLane = { run: (task) => task() };
