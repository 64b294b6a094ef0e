/**
 * Promises: the lines of a stream of bytes, in batches, with no more than a chunk and a line in memory at a time.
 */

/** Longer lines are none of the decision log, which cuts what a client may make long. */
export const maxLineLength = 1024 * 1024;

/** Undefined stands for a line that is too long. The last line need not end. */
export async function* readLines(chunks: AsyncIterable<unknown>): AsyncGenerator<readonly (string | undefined)[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let isTooLong = false;
  for await (const chunk of chunks) {
    const text = chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : String(chunk);
    const lines: (string | undefined)[] = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (isTooLong && lines.length > 0) {
      lines[0] = undefined;
      isTooLong = false;
    }
    if (rest.length > maxLineLength) {
      rest = '';
      isTooLong = true;
    }
    if (lines.length > 0) yield lines;
  }
  const last = rest + decoder.decode();
  if (isTooLong) yield [undefined];
  else if (last !== '') yield [last];
}
