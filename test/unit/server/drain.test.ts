import { expect, it } from 'vitest';
import { type DrainOutcome, farewellMs, waitForQuiet } from '../../../src/server/drain.ts';
import { createTraffic } from '../../../src/server/traffic.ts';
import { ManualClock } from './manual-clock.ts';

const limits = { minMs: 2000, quietMs: 1000, maxMs: 20_000 };

/** When and how a drain ended that began at 0; checks are [begin, end] in ms. */
async function drainOf(
  checks: readonly (readonly [number, number])[],
  given: Partial<typeof limits> = {},
): Promise<{ at: number; outcome: DrainOutcome }> {
  const clock = new ManualClock();
  const traffic = createTraffic(clock);
  clock.advance(10_000);
  const start = clock.now();
  for (const [begin, end] of checks) {
    clock.schedule(() => {
      const done = traffic.begin();
      clock.schedule(done, end - begin);
    }, begin);
  }
  clock.advance(0);
  const ended: { at: number; outcome: DrainOutcome }[] = [];
  const waiting = waitForQuiet({ ...limits, ...given }, traffic, clock, new AbortController().signal);
  const settled = waiting.then((outcome) => ended.push({ at: clock.now() - start, outcome }));
  for (let step = 0; step < 3000 && ended.length === 0; step += 1) {
    clock.advance(10);
    await Promise.resolve();
    await Promise.resolve();
  }
  await settled;
  return ended[0]!;
}

const cases: Record<
  string,
  { checks: [number, number][]; given?: Partial<typeof limits>; at: number; outcome: string }
> = {
  'no check at all: ends after 2 s': { checks: [], at: 2000, outcome: 'quiet' },
  'last check ends at 0.5 s: the 2 s decide': { checks: [[0, 500]], at: 2000, outcome: 'quiet' },
  'last check ends at 1.7 s: 1 s later': { checks: [[0, 1700]], at: 2700, outcome: 'quiet' },
  'a check under way at 2 s: 1 s after its end': { checks: [[0, 2500]], at: 3500, outcome: 'quiet' },
  'a check begins within the quiet second: it starts anew': {
    checks: [
      [0, 1700],
      [2600, 2650],
    ],
    at: 3650,
    outcome: 'quiet',
  },
  'two checks at a time: the later end counts': {
    checks: [
      [0, 2200],
      [100, 4000],
    ],
    at: 5000,
    outcome: 'quiet',
  },
  'a check that does not end: farewell before the limit': { checks: [[0, 60_000]], at: 19_500, outcome: 'limit' },
  'a limit below 2 s wins over the 2 s': { checks: [], given: { maxMs: 1000 }, at: 900, outcome: 'limit' },
  'no time at all: ends at once': { checks: [], given: { maxMs: 0 }, at: 0, outcome: 'limit' },
};

it.each(Object.entries(cases))('%s', async (_name, { checks, given, at, outcome }) => {
  const ended = await drainOf(checks, given);
  expect(ended.outcome).toBe(outcome);
  // The loop looks every 10 ms.
  expect(ended.at).toBeGreaterThanOrEqual(at);
  expect(ended.at).toBeLessThanOrEqual(at + 10);
});

it('called off: ends as stopped and leaves no timer', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const ended = waitForQuiet(limits, createTraffic(clock), clock, stop.signal);
  expect(clock.pending()).toBe(1);
  stop.abort();
  expect(await ended).toBe('stopped');
  expect(clock.pending()).toBe(0);
});

it('called off before it began: ends as stopped', async () => {
  const clock = new ManualClock();
  const ended = waitForQuiet(limits, createTraffic(clock), clock, AbortSignal.abort());
  expect(await ended).toBe('stopped');
  expect(clock.pending()).toBe(0);
});

it('farewell: half a second, less of a short drain', () => {
  expect([20_000, 5000, 1000, 0].map(farewellMs)).toEqual([500, 500, 100, 0]);
});

it('traffic: an end counts once however often it is told', () => {
  const traffic = createTraffic(new ManualClock());
  expect(traffic.quietMs()).toBe(Number.POSITIVE_INFINITY);
  const end = traffic.begin();
  traffic.begin();
  expect(traffic.active()).toBe(2);
  end();
  end();
  expect(traffic.active()).toBe(1);
  expect(traffic.quietMs()).toBe(0);
});
