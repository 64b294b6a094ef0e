/**
 * Promises: what is said in one turn goes out in one message: each message costs both processes more than what it holds.
 */
export function createBatch<T>(send: (items: readonly T[]) => void): (item: T) => void {
  let items: T[] = [];
  return (item) => {
    items.push(item);
    if (items.length > 1) return;
    // Behind all promises that are settled in this turn.
    process.nextTick(() => {
      const full = items;
      items = [];
      send(full);
    });
  };
}
