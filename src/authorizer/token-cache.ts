/**
 * Promises: a bounded memory of verified tokens, keyed by the whole token text, so two tokens can never be taken for one another.
 * It holds what does not depend on time; every other check is made again for each request.
 *
 * Two generations stand in for an LRU list: a hit costs one look-up, nothing is reordered, and what was not asked for in a
 * whole generation goes with it.
 */
export interface TokenCache<Value> {
  get(token: string): Value | undefined;
  set(token: string, value: Value): void;
}

/** Holds between half of `entries` and `entries` of the tokens used last; 0 remembers nothing. */
export function createTokenCache<Value>(entries: number): TokenCache<Value> {
  const generationSize = Math.ceil(entries / 2);
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();

  function set(token: string, value: Value): void {
    if (generationSize === 0) return;
    if (young.size >= generationSize) {
      old = young;
      young = new Map();
    }
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
