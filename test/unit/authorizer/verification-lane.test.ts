import { expect, it } from 'vitest';
import { createVerificationLane } from '../../../src/authorizer/verification-lane.ts';
import { type Step, Stop } from '../../../src/decision/step.ts';

/** A lane whose tasks take `costMs` each, and whose turns a test begins. */
function setUp(costMs: number) {
  const turns: (() => void)[] = [];
  const state = { now: 0, done: [] as number[] };
  const lane = createVerificationLane({ now: () => state.now, nextTurn: (task) => void turns.push(task) });
  function ask(id: number, waitMs = 1000): Step<number> | Promise<Step<number>> {
    return lane.run(() => {
      state.now += costMs;
      state.done.push(id);
      return id;
    }, waitMs);
  }
  return { state, ask, turn: () => turns.shift()?.(), pending: () => turns.length };
}

it('alone: done at once', () => {
  const { ask } = setUp(0.1);
  expect(ask(1)).toBe(1);
});

it('more than 2 ms of them in one turn: the rest in later turns, in order', async () => {
  const { state, ask, turn } = setUp(1);
  const results = [1, 2, 3, 4, 5].map((id) => ask(id));
  expect(state.done).toEqual([1, 2]);
  turn();
  expect(state.done).toEqual([1, 2, 3, 4]);
  turn();
  expect(state.done).toEqual([1, 2, 3, 4, 5]);
  expect(await results[4]).toBe(5);
});

it('one that comes while others wait: behind them', () => {
  const { state, ask, turn } = setUp(1.5);
  expect([1, 2, 3, 4].map((id) => ask(id))).toHaveLength(4);
  turn();
  expect(ask(5)).toBeInstanceOf(Promise);
  turn();
  turn();
  expect(state.done).toEqual([1, 2, 3, 4, 5]);
});

it('a thousand wait: the next is overloaded at once, and nothing is kept of it', async () => {
  const { ask } = setUp(1);
  const waiting = Array.from({ length: 1002 }, (_, id) => ask(id));
  expect(waiting.filter((result) => result instanceof Promise)).toHaveLength(1000);
  const refused = await ask(2000);
  expect(refused instanceof Stop && refused.reason).toBe('overloaded');
});

it('its turn comes when nobody waits any more: overloaded, and not worked on', async () => {
  const { state, ask, turn } = setUp(3);
  const [, late, last] = [ask(1), ask(2, 1), ask(3)];
  state.now = 10;
  turn();
  expect(await late).toBeInstanceOf(Stop);
  expect(await last).toBe(3);
  expect(state.done).toEqual([1, 3]);
});

it('a task that throws: told to whoever asked', () => {
  const lane = createVerificationLane({ now: () => 0, nextTurn: () => undefined });
  expect(() =>
    lane.run(() => {
      throw new Error('a bug');
    }, 10),
  ).toThrow('a bug');
});

it('nothing waits: no further turns are asked for', () => {
  const { ask, turn, pending } = setUp(1);
  expect(ask(1)).toBe(1);
  turn();
  expect(pending()).toBe(0);
});
