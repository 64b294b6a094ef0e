/**
 * Promises: the known word that a misspelled one was probably meant to be, for hints. The one judgement of that for all rooms above.
 */

/** `did you mean …?`, when one of the words is near; they are words of ours. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const meant = suggest(word, [...known]);
  return meant === undefined ? undefined : `did you mean \`${meant}\`?`;
}

/** The nearest of the words, if it is near enough to be more than a guess. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  // What is far longer than any name here is no misspelling of one, and would cost time.
  if (word.length > 40) return undefined;
  const limit = word.length <= 4 ? 1 : word.length <= 8 ? 2 : 3;
  const ranked = known
    .filter((candidate) => Math.abs(candidate.length - word.length) <= limit)
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= limit ? best.candidate : undefined;
}

/** Insertions, deletions, exchanges and swaps of neighbours that turn one word into the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const edits = [at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (isSame ? 0 : 1)];
      current.push(Math.min(...edits, isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
