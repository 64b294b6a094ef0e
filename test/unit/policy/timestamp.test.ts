import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timestampSeconds } from '../../../src/policy/timestamp.ts';

describe('times', () => {
  const good: Readonly<Record<string, [text: string, seconds: number]>> = {
    'the epoch': ['1970-01-01T00:00:00Z', 0],
    'a day of this year': ['2026-11-01T00:00:00Z', 1_793_491_200],
    'before the epoch': ['1969-12-31T23:59:59Z', -1],
    'a fraction': ['1970-01-01T00:00:01.5Z', 1.5],
    'a leap day': ['2000-02-29T00:00:00Z', 951_782_400],
    'ahead of UTC': ['1970-01-01T05:30:00+05:30', 0],
    'behind UTC': ['1969-12-31T23:00:00-01:00', 0],
    'the last second of the last year': ['9999-12-31T23:59:59Z', 253_402_300_799],
  };
  it.each(Object.entries(good))('%s', (_name, [text, seconds]) => {
    expect(timestampSeconds(text)).toBe(seconds);
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
    '2026-01-01',
    '',
  ])('%s: none', (text) => {
    expect(timestampSeconds(text)).toBeUndefined();
  });

  it('any time: what the clock of the machine makes of it', () => {
    const times = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, (time) => {
        expect(timestampSeconds(time.toISOString())).toBeCloseTo(time.getTime() / 1000, 3);
      }),
    );
  });
});
