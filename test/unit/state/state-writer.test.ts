import { describe, expect, it } from 'vitest';
import { createStateWriter } from '../../../src/state/state-writer.ts';

/** Writes end when the test says so. */
function setUp() {
  const written: string[] = [];
  const failures: string[] = [];
  const timers: { readonly callback: () => void; readonly delayMs: number; isCancelled: boolean }[] = [];
  const going: PromiseWithResolvers<void>[] = [];
  const writer = createStateWriter({
    write: (text) => {
      written.push(text);
      const end = Promise.withResolvers<void>();
      going.push(end);
      return end.promise;
    },
    failed: (error) => void failures.push(String(error)),
    schedule: (callback, delayMs) => {
      const timer = { callback, delayMs, isCancelled: false };
      timers.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
  });
  const settle = async (error?: string): Promise<void> => {
    const end = going.shift();
    if (error === undefined) end?.resolve();
    else end?.reject(error);
    await new Promise(setImmediate);
  };
  return { writer, written, failures, timers, settle };
}

describe('a state writer', () => {
  it('writes one at a time, and of what came meanwhile the newest', async () => {
    const { writer, written, settle } = setUp();
    for (const text of ['a', 'b', 'c']) writer.save(text);
    expect(written).toEqual(['a']);
    await settle();
    expect(written).toEqual(['a', 'c']);
    await settle();
    expect(written).toEqual(['a', 'c']);
  });

  it('what is on the disk already is not written again; what was there before that is', async () => {
    const { writer, written, settle } = setUp();
    writer.save('a');
    await settle();
    writer.save('a');
    writer.save('b');
    await settle();
    writer.save('a');
    await settle();
    expect(written).toEqual(['a', 'b', 'a']);
  });

  it('back to what is on the disk while another is being written: that one is written last', async () => {
    const { writer, written, settle } = setUp();
    writer.save('a');
    await settle();
    writer.save('b');
    writer.save('a');
    await settle();
    await settle();
    expect(written).toEqual(['a', 'b', 'a']);
  });

  it('a write that fails: told, tried again later, and at once for something newer', async () => {
    const { writer, written, failures, timers, settle } = setUp();
    writer.save('a');
    await settle('full');
    expect([failures, timers.map(({ delayMs }) => delayMs)]).toEqual([['full'], [10_000]]);
    timers[0]?.callback();
    await settle('full');
    writer.save('b');
    expect([written, timers[1]?.isCancelled]).toEqual([['a', 'a', 'b'], true]);
    await settle();
    expect(timers).toHaveLength(2);
  });

  it('closed: waits for the write that is going on and for the newest, and is done with what fails', async () => {
    const { writer, written, timers, settle } = setUp();
    let isClosed = false;
    writer.save('a');
    writer.save('b');
    const close = async (): Promise<void> => {
      await writer.close();
      isClosed = true;
    };
    const closed = close();
    writer.save('c');
    await settle();
    expect([written, isClosed]).toEqual([['a', 'b'], false]);
    await settle('full');
    await closed;
    expect([written, timers]).toEqual([['a', 'b'], []]);
  });

  it('closed while it waits to try again: it does not', async () => {
    const { writer, timers, settle } = setUp();
    writer.save('a');
    await settle('full');
    await writer.close();
    expect(timers[0]?.isCancelled).toBe(true);
  });
});
