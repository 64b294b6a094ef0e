/**
 * Promises: the seconds of a duration that the schema has accepted, such as `30s`, `5m` or `1h30m`.
 */
const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

export function durationSeconds(duration: string): number {
  return [...duration.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit ?? ''] ?? 0),
    0,
  );
}
