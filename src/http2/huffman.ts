/**
 * Promises: text in the Huffman code of HPACK (RFC 7541 section 5.2 and appendix B).
 * The code is canonical: codes of one length follow each other in the order of their symbols, so that the lengths are the whole table.
 */

/** Bits of each symbol; the last one is EOS. */
const bitsOf: readonly number[] = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`
  .trim()
  .split(/\s+/)
  .map(Number);

const endOfString = 256;

/** A binary tree in one array: at `2 * node + bit` the next node, or the complement of a symbol; 0 where there is nothing. */
const tree = new Int16Array(1024);

function grow(): void {
  const symbols = [...bitsOf.keys()].toSorted((a, b) => (bitsOf[a] ?? 0) - (bitsOf[b] ?? 0) || a - b);
  let nodes = 1;
  let code = 0;
  let bits = 0;
  for (const symbol of symbols) {
    const length = bitsOf[symbol] ?? 0;
    code *= 2 ** (length - bits);
    bits = length;
    let node = 0;
    for (let shift = length - 1; shift > 0; shift -= 1) {
      const at = 2 * node + (Math.floor(code / 2 ** shift) & 1);
      if (tree[at] === 0) {
        tree[at] = nodes;
        nodes += 1;
      }
      node = tree[at] ?? 0;
    }
    tree[2 * node + (code & 1)] = ~symbol;
    code += 1;
  }
}
grow();

/** One character a byte; undefined: EOS in it, or padding that is too long or not of ones (section 5.2). */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  let text = '';
  let node = 0;
  let pending = 0;
  let isPadding = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let shift = 7; shift >= 0; shift -= 1) {
      const bit = (byte >> shift) & 1;
      const next = tree[2 * node + bit] ?? 0;
      pending += 1;
      isPadding &&= bit === 1;
      if (next < 0) {
        if (~next === endOfString) return undefined;
        text += String.fromCharCode(~next);
        node = 0;
        pending = 0;
        isPadding = true;
      } else {
        node = next;
      }
    }
  }
  return pending < 8 && isPadding ? text : undefined;
}
