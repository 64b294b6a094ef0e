/**
 * Promises: how long an answer stays fresh by its own word: `max-age` less the time it already spent in caches on the way (RFC 9111
 * section 4.2). Other directives say nothing about the age of keys.
 */
export function readMaxAge(cacheControl: string | undefined, age: string | undefined): number | undefined {
  const seconds = /(?:^|,)\s*max-age="?(\d{1,12})"?\s*(?:,|$)/i.exec(cacheControl ?? '')?.[1];
  if (seconds === undefined) return undefined;
  const spent = /^\d{1,12}$/.test(age ?? '') ? Number(age) : 0;
  return Math.max(0, Number(seconds) - spent);
}
