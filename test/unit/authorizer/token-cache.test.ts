import { describe, expect, it } from 'vitest';
import { createTokenCache } from '../../../src/authorizer/token-cache.ts';

function fill(entries: number, tokens: readonly string[]) {
  const cache = createTokenCache<string>(entries);
  for (const token of tokens) cache.set(token, `of ${token}`);
  return cache;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `t${at}`);

describe('createTokenCache', () => {
  it('as many as it may hold: the younger half is there, and nothing that was never set', () => {
    const cache = fill(10, names(10));
    const younger = names(10).slice(5);
    expect(younger.map((token) => cache.get(token))).toEqual(younger.map((token) => `of ${token}`));
    expect(cache.get('t10')).toBeUndefined();
  });

  it('more than it may hold: never more than that', () => {
    const cache = fill(10, names(1000));
    expect(names(1000).filter((token) => cache.get(token) !== undefined).length).toBeLessThanOrEqual(10);
    expect(cache.get('t999')).toBe('of t999');
  });

  it('one that is asked for again and again: stays', () => {
    const cache = fill(10, ['hot']);
    for (const token of names(1000)) {
      cache.set(token, 'x');
      expect(cache.get('hot')).toBe('of hot');
    }
  });

  it('long tokens: fewer of them, so that their texts stay within 2 KiB an entry', () => {
    const tokens = names(100).map((name) => name.padEnd(10_240, '.'));
    const cache = fill(100, tokens);
    const held = tokens.filter((token) => cache.get(token) !== undefined);
    expect(held.length).toBeLessThanOrEqual(20);
    expect(held.at(-1)).toBe(tokens.at(-1));
  });

  it('the same long token set again and again: counts once', () => {
    const cache = fill(10, ['first', ...Array.from({ length: 100 }, () => 'x'.repeat(2000))]);
    expect(cache.get('first')).toBe('of first');
  });

  it('a token longer than all that may be held: not remembered, and puts nothing else out', () => {
    const cache = fill(2, ['a', 'x'.repeat(5000)]);
    expect([cache.get('a'), cache.get('x'.repeat(5000))]).toEqual(['of a', undefined]);
  });

  it('0 entries: remembers nothing', () => {
    expect(fill(0, ['a']).get('a')).toBeUndefined();
  });

  it('names of the prototype: not there', () => {
    expect(fill(10, ['a']).get('__proto__')).toBeUndefined();
  });
});
