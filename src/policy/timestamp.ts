/**
 * Promises: seconds since the epoch of a time that the schema has accepted (RFC 3339 section 5.6), or undefined for one that is on no
 * calendar or clock, such as 30 February or 24:00. Nothing is guessed or carried over.
 */
const pattern = /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)T(?<time>[0-9:.]+)(?:Z|(?<sign>[+-])(?<offset>\d\d:\d\d))$/;

export function timestampSeconds(text: string): number | undefined {
  const parts = pattern.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const days = daysSinceEpoch(Number(parts['year']), Number(parts['month']), Number(parts['day']));
  const seconds = secondsOfDay(parts['time'] ?? '');
  const offset = secondsOfDay(`${parts['offset'] ?? '00:00'}:00`);
  if (days === undefined || seconds === undefined || offset === undefined) return undefined;
  return days * secondsPerDay + seconds - (parts['sign'] === '-' ? -offset : offset);
}

const secondsPerDay = 86_400;

/** A leap second is announced months ahead, and no clock of ours shows one. */
function secondsOfDay(time: string): number | undefined {
  const [, hour, minute, second] = (/^(\d\d):(\d\d):(\d\d(?:\.\d+)?)$/.exec(time) ?? []).map(Number);
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  return hour < 24 && minute < 60 && second < 60 ? hour * 3600 + minute * 60 + second : undefined;
}

const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  const days = (daysBefore[month] ?? 0) - (daysBefore[month - 1] ?? 0);
  return month === 2 && isLeap(year) ? days + 1 : days;
}

/** In the Gregorian calendar, also before it was. */
function daysSinceEpoch(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  const inYear = (daysBefore[month - 1] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
  return past * 365 + leapDays + inYear - daysTo1970;
}

const daysTo1970 = 719_162;
