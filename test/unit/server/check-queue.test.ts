import { expect, it } from 'vitest';
import { type CheckQueue, createCheckQueue } from '../../../src/server/check-queue.ts';

/** An event loop in a test's hand: time passes where work is done. */
class Loop {
  now = 0;
  readonly queue: CheckQueue;
  readonly done: string[] = [];
  #afterReads: (() => void)[] = [];
  #afterWork: (() => void)[] = [];

  constructor() {
    this.queue = createCheckQueue({
      now: () => this.now,
      afterReads: (task) => this.#afterReads.push(task),
      afterWork: (task) => this.#afterWork.push(task),
    });
  }

  /** Checks that come in one piece of bytes; each costs `costMs` when it is worked on and nothing when it is refused. */
  read(checks: readonly string[], { leftMs = 250, costMs = 1, bytes = 100, isOver = false } = {}): void {
    this.queue.beginRead();
    for (const name of checks) {
      this.queue.offer({
        leftMs,
        bytes,
        isOver,
        run: (waitedMs) => {
          this.done.push(`${name} ${waitedMs}`);
          this.now += costMs;
        },
        refuse: (waitedMs) => this.done.push(`${name} refused ${waitedMs}`),
      });
    }
  }

  /** Connections were read; what is due then is done. */
  turn(): void {
    for (const task of this.#afterReads.splice(0)) task();
    while (this.#afterWork.length > 0) for (const task of this.#afterWork.splice(0)) task();
  }

  hasWork(): boolean {
    return this.#afterReads.length + this.#afterWork.length > 0;
  }

  take(): string[] {
    return this.done.splice(0);
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

it('time enough: at once, and nothing is left to do afterwards', () => {
  const loop = new Loop();
  loop.read(['a']);
  loop.read(['b']);
  expect(loop.take()).toEqual(['a 0', 'b 0']);
  loop.turn();
  expect(loop.hasWork()).toBe(false);
  expect(loop.take()).toEqual([]);
});

it('more in one turn than 4 ms of work: the rest after others were read, in the order in which it came', () => {
  const loop = new Loop();
  loop.read(names('a', 6));
  loop.read(names('b', 2));
  expect(loop.take()).toEqual(['a0 0', 'a1 1', 'a2 2', 'a3 3']);
  loop.turn();
  expect(loop.take()).toEqual(['a4 4', 'a5 5', 'b0 2', 'b1 3']);
  expect(loop.hasWork()).toBe(false);
});

it('a queue of many: in slices, between which connections are read; new ones stand behind', () => {
  const loop = new Loop();
  loop.read(names('a', 40), { costMs: 0.5 });
  const slices: string[][] = [loop.take()];
  loop.turn();
  slices.push(loop.take());
  loop.read(['b'], { costMs: 0.5 });
  expect(loop.take()).toEqual([]);
  while (loop.hasWork()) {
    loop.turn();
    slices.push(loop.take());
  }
  const order = slices.flat().map((line) => line.split(' ')[0]);
  expect(order).toEqual([...names('a', 40), 'b']);
  // Looks at the clock after 16.
  expect(slices.map((slice) => slice.length)).toEqual([8, 16, 16, 1]);
});

it.each([
  [3, 16],
  [17, 32],
  [500, 32],
])('reading that takes %i ms: working on checks gets as much time, and 20 ms at most', (readMs, count) => {
  const loop = new Loop();
  loop.read(names('a', 5));
  loop.now += readMs - 4;
  loop.read(names('b', 300), { leftMs: 10_000 });
  loop.take();
  loop.turn();
  expect(loop.take()).toHaveLength(count);
});

it('four fifths of its time are over: refused; a little less: worked on; nobody waits any more: passed over', () => {
  const loop = new Loop();
  loop.read(['hog'], { costMs: 80 });
  loop.read(['a', 'b'], { leftMs: 5, costMs: 0.5 });
  loop.read(['gone'], { isOver: true });
  loop.take();
  loop.now += 4;
  loop.turn();
  expect(loop.take()).toEqual(['a 4', 'b refused 4.5']);
});

it('a pause of 150 ms under three quarters of the load: nobody with a timeout of 250 ms is refused', () => {
  const loop = new Loop();
  const costMs = 0.5;
  // The pause falls into work; behind it stands what was read with it, and what came meanwhile is read after it.
  loop.read(names('a', 12), { costMs });
  loop.turn();
  loop.read(['pause'], { costMs: 150 });
  loop.read(names('b', 12), { costMs });
  let now = loop.now - 150;
  let count = 0;
  while (loop.hasWork() && count < 1000) {
    const came = Math.floor((loop.now - now) * 1.5);
    now = loop.now;
    loop.read(names(`n${count}-`, came), { costMs });
    loop.turn();
    count += 1;
  }
  expect(loop.done.filter((line) => line.includes('refused'))).toEqual([]);
  expect(loop.done.length).toBeGreaterThan(240);
  expect(loop.hasWork()).toBe(false);
});

/** `load` times what can be done, for a while: what became of each check, by when it was settled. */
function overload(
  load: number,
  leftMs: number,
  untilMs: number,
): { waits: number[]; refused: number[]; lastMs: number } {
  const loop = new Loop();
  const waits: number[] = [];
  const refused: number[] = [];
  let owed = 0;
  let last = 0;
  while (loop.now < untilMs) {
    owed += (loop.now - last) * load + 1;
    last = loop.now;
    const came = Math.floor(owed);
    owed -= came;
    loop.queue.beginRead();
    for (let count = 0; count < came; count += 1) {
      loop.queue.offer({
        leftMs,
        bytes: 100,
        isOver: false,
        run: (waitedMs) => {
          waits.push(waitedMs);
          loop.now += 1;
        },
        refuse: (waitedMs) => {
          refused.push(waitedMs);
          loop.now += 0.05;
        },
      });
    }
    loop.now += 0.01;
    loop.turn();
  }
  return { waits, refused, lastMs: loop.now };
}

it.each([250, 1000])(
  'three times what can be done, timeout %i ms: all are settled in time, and most time is work',
  (leftMs) => {
    const { waits, refused, lastMs } = overload(3, leftMs, 20_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(0.8 * leftMs);
    expect(Math.max(...refused)).toBeLessThan(leftMs);
    // After the start, when it is known that the queue stands.
    const later = waits.slice(waits.length / 2);
    expect(Math.max(...later)).toBeLessThanOrEqual(0.4 * leftMs);
    expect(waits.length / lastMs).toBeGreaterThan(0.85);
    expect(refused.length).toBeGreaterThan(waits.length);
  },
);

it('exactly what can be done: nothing is refused', () => {
  expect(overload(0.95, 250, 5000).refused).toEqual([]);
});

it('queue of more than 64 MiB: what comes then is refused at once', () => {
  const loop = new Loop();
  loop.read(['first'], { costMs: 4 });
  const mebi = 1024 * 1024;
  loop.read(names('a', 63), { bytes: mebi, leftMs: 10_000 });
  loop.take();
  loop.read(['b'], { bytes: mebi, leftMs: 10_000 });
  expect(loop.take()).toEqual(['b refused 0']);
  loop.read(['c'], { bytes: 100, leftMs: 10_000 });
  expect(loop.take()).toEqual([]);
  while (loop.hasWork()) loop.turn();
  expect(loop.take()).toHaveLength(64);
});
