/**
 * Promises: the lines of a stream, each without its end, and none longer than allowed; what follows the last line end is no line.
 */

const lineEnd = 0x0a;

export class LineTooLong extends Error {}

/** The lines that each chunk completes; a chunk that completes none gives an empty list. */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<readonly string[], void, undefined> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of stream) {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, from)) {
      lines.push(Buffer.concat([...pending, chunk.subarray(from, end)]).toString('utf8'));
      pending = [];
      pendingBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) pending.push(chunk.subarray(from));
    pendingBytes += chunk.length - from;
    if (pendingBytes > maxBytes) throw new LineTooLong(`a line is longer than ${maxBytes} bytes`);
    yield lines;
  }
}
