/** Key sets on a clock, timers, chance and a network that the test owns. */
import { setImmediate as tick } from 'node:timers/promises';
import { Failure, type FailureKind } from '../../../src/keyset/failure.ts';
import type { Fetched, Get } from '../../../src/keyset/fetch.ts';
import type { IgnoredCounts } from '../../../src/keyset/key-set.ts';
import { createKeySets, type KeySets } from '../../../src/keyset/key-sets.ts';
import { defaultRefreshOptions, type RefreshOptions } from '../../../src/keyset/refresh.ts';
import type { SavedJwks } from '../../../src/keyset/saved-jwks.ts';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

/** A JWK Set, any other document, a failure, `hang`: the fetch ends when the test says so, or when it is aborted; `throw`: a bug. */
type Answer =
  | { readonly keys: readonly unknown[] }
  | Readonly<Record<string, unknown>>
  | FailureKind
  | 'hang'
  | 'throw';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export interface Harness {
  readonly keySets: KeySets;
  /** Sets how a host answers from now on, with its max-age. */
  answer(host: string, answer: Answer, maxAgeSeconds?: number): void;
  /** Ends the fetches of a host that hang. */
  release(host: string, answer: Answer): Promise<void>;
  /** Times at which a host was asked, since the start. */
  fetches(host: string): readonly number[];
  /** Moves the clock and runs what is due, one after the other, each to its end. */
  advance(ms: number): Promise<void>;
  /** Sets the clock without running what is due. */
  jump(ms: number): void;
  /** Resolves when no attempt but hanging ones is going on; not for attempts that ask two hosts. */
  settled(): Promise<void>;
  /** What the observer was told: `issuer result`. */
  readonly results: readonly string[];
  readonly ignored: readonly (readonly [issuer: string, counts: IgnoredCounts])[];
  readonly faults: readonly unknown[];
  /** What the observer was told of saved keys: `issuer age`. */
  readonly restored: readonly string[];
  readonly pendingTimers: () => number;
  readonly changes: () => number;
}

/** `saved` is asked for each source with the time of the start. */
export function createHarness(
  overrides: Partial<RefreshOptions> = {},
  saved: (source: string, startMs: number) => SavedJwks | undefined = () => undefined,
): Harness {
  const start = 1_800_000_000_000;
  let time = start;
  const timers = new Set<Timer>();
  const answers = new Map<string, readonly [Answer, number | undefined]>();
  const asked = new Map<string, number[]>();
  const hanging = new Map<string, Set<(answer: Answer) => void>>();
  const results: string[] = [];
  const ignored: (readonly [string, IgnoredCounts])[] = [];
  const faults: unknown[] = [];
  const restored: string[] = [];
  let changes = 0;
  let running = 0;
  let wakeUps: (() => void)[] = [];

  function landed(): void {
    running -= 1;
    if (running > 0) return;
    const woken = wakeUps;
    wakeUps = [];
    for (const wakeUp of woken) wakeUp();
  }

  function outcome(answer: Answer, maxAgeSeconds: number | undefined): Fetched | Failure {
    return typeof answer === 'string' ? new Failure(answer as FailureKind) : { document: answer, maxAgeSeconds };
  }

  const get: Get = ({ hostname }, { signal }) => {
    if (signal.aborted) return Promise.resolve(new Failure('stopped'));
    const times = asked.get(hostname) ?? [];
    times.push(time - start);
    asked.set(hostname, times);
    running += 1;
    const [answer, maxAgeSeconds] = answers.get(hostname) ?? (['status_404', undefined] as const);
    if (answer === 'throw') throw new Error('a bug');
    if (answer !== 'hang') return Promise.resolve(outcome(answer, maxAgeSeconds));
    running -= 1;
    return new Promise((resolve) => {
      const held = hanging.get(hostname) ?? new Set();
      hanging.set(hostname, held);
      const end = (result: Fetched | Failure): void => {
        if (held.delete(release)) running += 1;
        resolve(result);
      };
      const release = (late: Answer): void => end(outcome(late, undefined));
      held.add(release);
      signal.addEventListener('abort', () => resolve(new Failure('stopped')));
    });
  };

  const keySets = createKeySets(
    { ...defaultRefreshOptions, ...overrides },
    {
      now: () => time,
      schedule: (callback, delayMs) => {
        const timer = { at: time + delayMs, callback };
        timers.add(timer);
        return () => timers.delete(timer);
      },
      random: () => 0,
      get,
      observe: {
        fetched: (issuer, result) => results.push(`${issuer} ${result}`),
        ignored: (issuer, counts) => ignored.push([issuer, counts]),
        changed: () => {
          changes += 1;
          landed();
        },
        fault: (_issuer, error) => faults.push(error),
        restored: (issuer, fetchedAt) => restored.push(`${issuer} ${time - fetchedAt}`),
      },
      saved: (source) => saved(source, start),
    },
  );

  async function settled(): Promise<void> {
    await tick();
    if (running === 0) return;
    await new Promise<void>((resolve) => {
      wakeUps.push(resolve);
    });
  }

  async function advance(ms: number): Promise<void> {
    const end = time + ms;
    await settled();
    for (;;) {
      const next = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers.delete(next);
      time = Math.max(time, next.at);
      next.callback();
      await settled();
    }
    time = end;
  }

  return {
    keySets,
    answer: (host, answer, maxAgeSeconds) => void answers.set(host, [answer, maxAgeSeconds]),
    release: async (host, answer) => {
      await tick();
      for (const release of hanging.get(host) ?? []) release(answer);
    },
    fetches: (host) => asked.get(host) ?? [],
    advance,
    jump: (ms) => {
      time += ms;
    },
    settled,
    results,
    ignored,
    faults,
    restored,
    pendingTimers: () => timers.size,
    changes: () => changes,
  };
}
