/**
 * Promises: a hint that names the known word that a misspelled one was probably meant to be.
 */

/** `did you mean …?`, when one of the words is near enough to be more than a guess. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  // What is far longer than any name here is no misspelling of one, and would cost time.
  if (word.length > 40) return undefined;
  let best: string | undefined;
  let least = word.length <= 4 ? 2 : word.length <= 8 ? 3 : 4;
  for (const candidate of known) {
    const count = edits(word.toLowerCase(), candidate.toLowerCase());
    if (count >= least) continue;
    least = count;
    best = candidate;
  }
  return best === undefined ? undefined : `did you mean \`${best}\`?`;
}

/** Insertions, deletions and exchanges that turn one word into the other (Wagner and Fischer). */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let index = 0; index < from.length; index += 1) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column += 1) {
      const exchange = (row[column] ?? 0) + (from[index] === to[column] ? 0 : 1);
      next.push(Math.min(exchange, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
