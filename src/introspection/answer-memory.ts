/**
 * Promises: a bounded memory of answers, each for its own time (IN-04). Full, it forgets the oldest.
 */
export interface AnswerMemory<Value> {
  get(key: string, nowMs: number): Value | undefined;
  /** Nothing is kept for no time. */
  set(key: string, value: Value, times: { readonly nowMs: number; readonly forMs: number }): void;
}

interface Kept<Value> {
  readonly value: Value;
  readonly setAtMs: number;
  readonly untilMs: number;
}

export function createAnswerMemory<Value>(maxEntries: number): AnswerMemory<Value> {
  const kept = new Map<string, Kept<Value>>();

  function get(key: string, nowMs: number): Value | undefined {
    const found = kept.get(key);
    if (found === undefined) return undefined;
    // A clock that was set back must not keep an answer for longer.
    if (nowMs < found.untilMs && nowMs >= found.setAtMs) return found.value;
    kept.delete(key);
    return undefined;
  }

  function set(key: string, value: Value, { nowMs, forMs }: { readonly nowMs: number; readonly forMs: number }): void {
    if (forMs <= 0) return;
    kept.delete(key);
    const [oldest] = kept.size >= maxEntries ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(key, { value, setAtMs: nowMs, untilMs: nowMs + forMs });
  }

  return { get, set };
}
