/**
 * Promises: a bounded memory of tokens, keyed by the whole token text, so two tokens can never be taken for one another. It holds what does
 * not depend on time; every other check is made again for each request.
 *
 * Two generations stand in for an LRU list: a hit costs one look-up, nothing is reordered, and what was not asked for in a
 * whole generation goes with it.
 */
export interface TokenCache<Value> {
  get(token: string): Value | undefined;
  set(token: string, value: Value): void;
}

/**
 * Bytes of token text for each entry, on average: tokens are ASCII, most are shorter, and what is made of them is as large. A mesh whose
 * tokens are longer remembers fewer of them.
 */
const bytesPerEntry = 2048;

/** Holds between half of `entries` and `entries` of the tokens used last, or fewer that are long; 0 remembers nothing. */
export function createTokenCache<Value>(entries: number): TokenCache<Value> {
  const generationSize = Math.ceil(entries / 2);
  const generationBytes = generationSize * bytesPerEntry;
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  let youngBytes = 0;

  function set(token: string, value: Value): void {
    if (token.length > generationBytes) return;
    if (young.size >= generationSize || youngBytes + token.length > generationBytes) {
      old = young;
      young = new Map();
      youngBytes = 0;
    }
    if (!young.has(token)) youngBytes += token.length;
    young.set(token, value);
  }

  function get(token: string): Value | undefined {
    const recent = young.get(token);
    if (recent !== undefined) return recent;
    const earlier = old.get(token);
    if (earlier !== undefined) set(token, earlier);
    return earlier;
  }

  return { get, set };
}
