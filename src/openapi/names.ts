/**
 * Promises: names for a policy made of whatever a document calls things, each only once.
 */

/** Gives a name that was not given before, as close to the wanted one as can be. */
export type Names = (wanted: string) => string;

/** Shorter than the policy's limit, so that a number fits behind. */
const longest = 180;

export function createNames(): Names {
  const counts = new Map<string, number>();
  return (wanted) => {
    const base = plain(wanted);
    if (!counts.has(base)) {
      counts.set(base, 1);
      return base;
    }
    for (let count = counts.get(base) ?? 1; ; ) {
      count += 1;
      const name = `${base}-${count}`;
      if (counts.has(name)) continue;
      counts.set(base, count).set(name, 1);
      return name;
    }
  };
}

/** Without spaces and what does not show: a name is read in logs, metrics and headers. */
function plain(wanted: string): string {
  // A cut through a surrogate pair leaves half of it, which is of \p{C} too.
  const trimmed = wanted
    .slice(0, longest)
    .replaceAll(/[\p{C}\p{Z}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
  return trimmed === '' ? 'unnamed' : trimmed;
}
