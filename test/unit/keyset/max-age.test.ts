import { expect, it } from 'vitest';
import { readMaxAge } from '../../../src/keyset/max-age.ts';

const cases: Record<string, readonly [cacheControl: string | undefined, age: string | undefined, number | undefined]> =
  {
    'no header: undefined': [undefined, undefined, undefined],
    'max-age alone: its seconds': ['max-age=300', undefined, 300],
    'among others and in capitals: its seconds': ['public, Max-Age=60, must-revalidate', undefined, 60],
    'quoted: its seconds': ['max-age="60"', undefined, 60],
    'the age of shared caches only: undefined': ['s-maxage=60', undefined, undefined],
    'no-store only: undefined': ['no-store', undefined, undefined],
    'no number: undefined': ['max-age=soon', undefined, undefined],
    'negative: undefined': ['max-age=-1', undefined, undefined],
    'zero: zero': ['no-cache, max-age=0', undefined, 0],
    'partly spent in a cache on the way: the rest': ['max-age=300', '100', 200],
    'older than it should get: zero': ['max-age=300', '1000', 0],
    'an age that is no number: not considered': ['max-age=300', 'old', 300],
  };

it.each(Object.entries(cases))('JWK-08 %s', (_name, [cacheControl, age, expected]) => {
  expect(readMaxAge(cacheControl, age)).toBe(expected);
});
