/**
 * Promises: the parts of a point in time, in UTC or in a zone, by the calendar alone: the zone of the machine plays no part.
 */

/** Offset from UTC in seconds at a point in time; throws RangeError for a zone that nobody knows. */
export function zoneOffset(zone: string, seconds: number): number {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed === null) return namedOffset(zone, seconds);
  const [, direction, hours, minutes] = fixed;
  const offset = Number(hours) * 3600 + Number(minutes) * 60;
  if (Number(hours) > 23 || Number(minutes) > 59) throw new RangeError('no offset');
  return direction === '-' ? -offset : offset;
}

/** Making one costs as much as a thousand uses of it. Names come from policies, and in theory from claims: so there is an end. */
const formats = new Map<string, Intl.DateTimeFormat>();
const maxFormats = 100;

function namedOffset(zone: string, seconds: number): number {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  if (formats.size < maxFormats) formats.set(zone, format);
  const name = format.formatToParts(seconds * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  // `GMT`, `GMT+05:30`, and before 1900 `GMT-00:01:15`.
  const [, direction, hours = '0', minutes = '0', rest = '0'] =
    /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? [];
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return direction === '-' ? -offset : offset;
}

/** What `getX()` of a timestamp gives; seconds since the epoch, offset added. */
export const timeParts: Readonly<Record<string, (seconds: number) => number>> = {
  getFullYear: (seconds) => dateOf(seconds).year,
  getMonth: (seconds) => dateOf(seconds).month - 1,
  getDate: (seconds) => dateOf(seconds).day,
  getDayOfMonth: (seconds) => dateOf(seconds).day - 1,
  getDayOfWeek: (seconds) => modulo(dayOf(seconds) + 4, 7),
  getDayOfYear: (seconds) => dayOf(seconds) - dayNumber(dateOf(seconds).year, 1, 1),
  getHours: (seconds) => Math.floor(modulo(seconds, 86_400) / 3600),
  getMinutes: (seconds) => Math.floor(modulo(seconds, 3600) / 60),
  getSeconds: (seconds) => modulo(seconds, 60),
};

interface CivilDate {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
}

function dayOf(seconds: number): number {
  return Math.floor(seconds / 86_400);
}

/**
 * Gregorian, years that begin in March: the leap day is the last of its year, and 400 years are always 146,097 days.
 */
function dateOf(seconds: number): CivilDate {
  const day = dayOf(seconds) + 719_468;
  const era = Math.floor(day / 146_097);
  const dayOfEra = day - era * 146_097;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}

/** Days since 1970-01-01; the other direction of `dateOf`. */
function dayNumber(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Never negative. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
