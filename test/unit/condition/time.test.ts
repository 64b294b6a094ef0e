import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeParts, zoneOffset } from '../../../src/condition/time.ts';

const part = (name: string, seconds: number): number | undefined => timeParts[name]?.(seconds);

/** The years 1 to 9999, as far as a timestamp of CEL reaches. */
const anySecond = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });

describe('parts of a time', () => {
  it('are those of the calendar in every year from 1 to 9999', () => {
    fc.assert(
      fc.property(anySecond, (seconds) => {
        const date = new Date(seconds * 1000);
        const yearStart = new Date(0).setUTCFullYear(date.getUTCFullYear(), 0, 1);
        expect({
          year: part('getFullYear', seconds),
          month: part('getMonth', seconds),
          date: part('getDate', seconds),
          dayOfMonth: part('getDayOfMonth', seconds),
          weekday: part('getDayOfWeek', seconds),
          dayOfYear: part('getDayOfYear', seconds),
          hours: part('getHours', seconds),
          minutes: part('getMinutes', seconds),
          seconds: part('getSeconds', seconds),
        }).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth(),
          date: date.getUTCDate(),
          dayOfMonth: date.getUTCDate() - 1,
          weekday: date.getUTCDay(),
          dayOfYear: Math.floor((date.getTime() - yearStart) / 86_400_000),
          hours: date.getUTCHours(),
          minutes: date.getUTCMinutes(),
          seconds: date.getUTCSeconds(),
        });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('offset of a zone', () => {
  const winter = Date.UTC(2026, 0, 1) / 1000;
  const summer = Date.UTC(2026, 6, 1) / 1000;
  const offsets: Readonly<Record<string, readonly [string, number, number]>> = {
    UTC: ['UTC', winter, 0],
    'Berlin in winter': ['Europe/Berlin', winter, 3600],
    'Berlin in summer': ['Europe/Berlin', summer, 7200],
    'half an hour': ['Asia/Kolkata', winter, 19_800],
    'west of Greenwich': ['America/St_Johns', winter, -12_600],
    'with seconds, long ago': ['Europe/Berlin', Date.UTC(1890, 0, 1) / 1000, 3208],
    'fixed, with a sign': ['-03:30', winter, -12_600],
    'fixed, plus': ['+05:45', winter, 20_700],
    'fixed, without a sign': ['02:00', winter, 7200],
  };
  it.each(Object.entries(offsets))('%s', (_name, [zone, seconds, expected]) => {
    expect(zoneOffset(zone, seconds)).toBe(expected);
  });

  it.each(['Mars/X', '', '25:00', '+01:60', 'Europe/Berlin ', '__proto__'])('%s: no zone', (zone) => {
    expect(() => zoneOffset(zone, 0)).toThrow(RangeError);
  });
});
