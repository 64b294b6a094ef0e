import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  afterAttempt,
  mayServe,
  onMissingKey,
  defaultRefreshOptions as options,
  type RefreshState,
  untried,
} from '../../../src/keyset/refresh.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const start = 1_800_000_000_000;

function attempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    endedAt: start,
    isForUnknownKey: false,
    failure: undefined,
    maxAgeSeconds: undefined,
    jitter: 0,
    ...changes,
  };
}

function after(...attempts: readonly Partial<Attempt>[]): RefreshState {
  return attempts.reduce<RefreshState>((state, one) => afterAttempt(state, attempt(one), options), untried);
}

describe('when the next attempt is due', () => {
  type Case = readonly [Partial<Attempt>, Partial<typeof options>, expectedMs: number];
  const almostOne = 1 - 2 ** -53;
  const cases: Record<string, Case> = {
    'no max-age: ahead of --jwks-refresh': [{}, {}, 8 * minute],
    'no max-age, most jitter: still ahead of it': [{ jitter: almostOne }, {}, 9.5 * minute],
    'no max-age, refresh under the least age: what was configured': [{}, { refreshMs: second }, 0.8 * second],
    'max-age 1 h: ahead of it': [{ maxAgeSeconds: 3600 }, {}, 48 * minute],
    'max-age 0: the least age': [{ maxAgeSeconds: 0 }, {}, minute],
    'max-age 0, most jitter: shortly after the least age': [{ maxAgeSeconds: 0, jitter: almostOne }, {}, 66 * second],
    'max-age just over the least age: the least age': [{ maxAgeSeconds: 61 }, {}, minute],
    'max-age a week: ahead of 24 h': [{ maxAgeSeconds: 604_800 }, { maxStaleMs: 1000 * hour }, 19.2 * hour],
    'max-age longer than keys may serve: ahead of that': [{ maxAgeSeconds: 86_400 }, { maxStaleMs: hour }, 48 * minute],
    'refresh longer than keys may serve: ahead of that': [{}, { refreshMs: 9 * hour, maxStaleMs: hour }, 48 * minute],
    'failure: the cool-down': [{ failure: 'timeout' }, {}, 30 * second],
    'failure, most jitter: half a cool-down more': [{ failure: 'timeout', jitter: almostOne }, {}, 45 * second],
  };

  it.each(Object.entries(cases))('JWK-08 %s', (_name, [changes, overrides, expected]) => {
    const { nextAt } = afterAttempt(untried, attempt(changes), { ...options, ...overrides });
    expect(nextAt - start).toBeCloseTo(expected, 0);
  });
});

describe('what a token with a key that is not at hand is told', () => {
  type Case = readonly [attempts: readonly Partial<Attempt>[], afterMs: number, expected: string];
  const unknown = { isForUnknownKey: true };
  const failed = { failure: 'connect' } as const;
  const cases: Record<string, Case> = {
    'nothing tried yet: fetch': [[], 0, 'fetch'],
    'a scheduled success just now: fetch': [[{}], 0, 'fetch'],
    'an unknown key caused a success just now: key_unknown': [[unknown], 0, 'key_unknown'],
    'the same at the end of the cool-down: key_unknown': [[unknown], 30 * second - 1, 'key_unknown'],
    'the same after the cool-down: fetch': [[unknown], 30 * second, 'fetch'],
    'a failure just now, keys at hand: keys_unavailable': [[{}, failed], 0, 'keys_unavailable'],
    'a failure just now, never any keys: keys_unavailable': [[failed], 29 * second, 'keys_unavailable'],
    'a failure, after the cool-down: fetch': [[failed], 30 * second, 'fetch'],
    'an unknown key caused a failure: keys_unavailable': [[{}, { ...unknown, ...failed }], 0, 'keys_unavailable'],
    'a scheduled success during the cool-down: the cool-down goes on': [
      [unknown, { endedAt: start + 10 * second }],
      20 * second,
      'key_unknown',
    ],
    'a scheduled success during the cool-down does not make it longer': [
      [unknown, { endedAt: start + 29 * second }],
      30 * second,
      'fetch',
    ],
    'a clock set back by an hour: fetch, not an hour of cool-down': [[unknown], -hour, 'fetch'],
  };

  it.each(Object.entries(cases))('JWK-08 %s', (_name, [attempts, afterMs, expected]) => {
    expect(onMissingKey(after(...attempts), start + afterMs, options)).toBe(expected);
  });

  it('JWK-08 within the cool-down, keys past their stale limit: keys_unavailable', () => {
    const short = { ...options, maxStaleMs: 10 * second };
    expect(onMissingKey(after({ isForUnknownKey: true }), start + 11 * second, short)).toBe('keys_unavailable');
  });
});

describe('whether keys may serve', () => {
  const failed = { endedAt: start + hour, failure: 'timeout' } as const;
  const cases: Record<string, readonly [attempts: readonly Partial<Attempt>[], afterMs: number, expected: boolean]> = {
    'never fetched: no': [[], 0, false],
    'only failures: no': [[failed], 0, false],
    'fetched: yes': [[{}], 0, true],
    'at the stale limit: yes': [[{}], 24 * hour, true],
    'past the stale limit: no': [[{}], 24 * hour + 1, false],
    'failures since do not shorten it': [[{}, failed], 24 * hour, true],
    'failures since do not lengthen it': [[{}, failed], 24 * hour + 1, false],
    'a clock set back: yes': [[{}], -hour, true],
  };

  it.each(Object.entries(cases))('JWK-08 %s', (_name, [attempts, afterMs, expected]) => {
    expect(mayServe(after(...attempts), start + afterMs, options)).toBe(expected);
  });
});
