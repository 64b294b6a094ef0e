/** Promises: a clock that stands still until a test moves it. */
import type { Clock } from '../../../src/server/clock.ts';

interface Task {
  readonly at: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  #tasks: readonly Task[] = [];
  #waiting: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  schedule(run: () => void, delayMs: number): () => void {
    const task = { at: this.#now + delayMs, run };
    this.#tasks = [...this.#tasks, task];
    for (const tell of this.#waiting.splice(0)) {
      tell();
    }
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** Tasks not yet run. */
  pending(): number {
    return this.#tasks.length;
  }

  /** Ends with the next call of `schedule`. */
  nextSchedule(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Moves time, running what is due on the way, each task at its own moment. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) {
        this.#now = end;
        return;
      }
      this.#tasks = this.#tasks.filter((task) => task !== due);
      this.#now = due.at;
      due.run();
    }
  }
}
