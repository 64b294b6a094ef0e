import { describe, expect, it } from 'vitest';
import { answerMs } from '../../../src/proofs/shared-memory.ts';
import { nowMs, ScriptedStore, scene, settle } from './scripted-store.ts';

describe('a store that answers', () => {
  it('DP-14 a proof: new once, then repeated, also for another replica', async () => {
    const store = new ScriptedStore();
    const [first, second] = [await scene(store), await scene(store)];
    expect(await first.ask('a')).toBe('new');
    expect(await first.ask('a')).toBe('repeated');
    expect(await second.ask('a')).toBe('repeated');
    expect(await second.ask('b')).toBe('new');
  });

  it('what it is given: a digest with a prefix, the time and the id, until the proof has expired', async () => {
    const { store, ask } = await scene();
    await ask('digest', '77');
    expect([...store.entries]).toEqual([['scopegate:dpop:digest', { value: `${nowMs} 77`, lifetimeMs: 70_001 }]]);
  });

  it('a proof that expires at this moment: kept for a millisecond, since 0 would be refused', async () => {
    const { store, memory } = await scene();
    await memory.remember({ digest: 'a', requestId: '', expiresAtMs: nowMs - 5 }, nowMs);
    expect(store.entries.get('scopegate:dpop:a')?.lifetimeMs).toBe(1);
  });

  const retries: Record<string, readonly [before: string, again: string, afterMs: number, expected: string]> = {
    'EA-55 the same request after 5 s: new': ['7', '7', 5000, 'new'],
    'EA-55 the same request at a replica whose clock is behind: new': ['7', '7', -3000, 'new'],
    'EA-55 the same request later: repeated': ['7', '7', 5001, 'repeated'],
    'EA-55 another request: repeated': ['7', '8', 0, 'repeated'],
    'EA-55 requests without an id: repeated': ['', '', 0, 'repeated'],
    'an id longer than any of Envoy, which is not kept: repeated': ['7'.repeat(129), '7'.repeat(129), 0, 'repeated'],
    'an id with a blank and a newline: the whole of it counts': ['7 \n8', '7 \n9', 0, 'repeated'],
  };

  it.each(Object.entries(retries))('%s', async (_name, [before, again, afterMs, expected]) => {
    const store = new ScriptedStore();
    const [first, second] = [await scene(store), await scene(store)];
    expect(await first.ask('a', before)).toBe('new');
    expect(await second.ask('a', again, nowMs + afterMs)).toBe(expected);
  });

  it.each(['', '7', 'x 7', `${nowMs}`, '99999999999999999 7'])(
    'an entry that nobody of us wrote (%j): repeated',
    async (value) => {
      const { store, ask } = await scene();
      store.entries.set('scopegate:dpop:a', { value, lifetimeMs: 1 });
      expect(await ask('a', '7')).toBe('repeated');
    },
  );
});

describe('a store that does not answer', () => {
  it('a proof: unknown after the limit, then at once', async () => {
    const { clock, store, ask, told, memory } = await scene();
    store.behaviour = 'silent';
    let answer: string | undefined;
    const asked = ask('a').then((novelty) => (answer = novelty));
    await clock.pass(answerMs - 1);
    expect(answer).toBeUndefined();
    await clock.pass(1);
    await asked;
    expect(answer).toBe('unknown');
    expect(memory.isUp()).toBe(false);
    expect(told).toEqual(['connected noeviction', 'lost timeout']);
    expect(await ask('b')).toBe('unknown');
    expect(store.connections[0]?.isClosed).toBe(true);
  });

  it('many proofs at that time: all are unknown, and it is told once', async () => {
    const { clock, store, ask, told } = await scene();
    store.behaviour = 'silent';
    const asked = Promise.all(['a', 'b', 'c'].map((digest) => ask(digest)));
    await clock.pass(answerMs);
    expect(await asked).toEqual(['unknown', 'unknown', 'unknown']);
    expect(told.filter((line) => line.startsWith('lost'))).toEqual(['lost timeout']);
  });

  it('nobody asks: noticed all the same', async () => {
    const { clock, store, told } = await scene();
    store.behaviour = 'silent';
    await clock.pass(5000 + answerMs);
    expect(told).toContain('lost timeout');
  });

  it('it refuses: unknown, with its code', async () => {
    const { store, ask, told } = await scene();
    store.behaviour = 'refuses';
    expect(await ask('a')).toBe('unknown');
    expect(told.at(-1)).toBe('lost OOM');
  });

  it('it ends the connection: unknown at once', async () => {
    const { store, ask, told } = await scene();
    store.connections[0]?.end('closed');
    expect(told.at(-1)).toBe('lost closed');
    expect(await ask('a')).toBe('unknown');
  });

  it('it is back: used again, and what it knows still counts', async () => {
    const { clock, store, ask, told } = await scene();
    expect(await ask('a')).toBe('new');
    store.connections[0]?.end('closed');
    await clock.pass(100);
    expect(told.at(-1)).toBe('connected noeviction');
    expect(await ask('a')).toBe('repeated');
    expect(await ask('b')).toBe('new');
  });

  it('an old connection that ends late does not take the new one down', async () => {
    const { clock, store, memory } = await scene();
    const [old] = store.connections;
    old?.end('closed');
    await clock.pass(100);
    old?.end('closed again');
    expect(memory.isUp()).toBe(true);
  });
});

describe('connecting', () => {
  it('refused: tried again after 0.1, 0.2, 0.4 … 2 s at most', async () => {
    const store = new ScriptedStore();
    store.opening = 'refused';
    const { clock } = await scene(store);
    const times: number[] = [];
    for (let known = store.attempts; clock.ms < 9000; ) {
      await clock.pass(50);
      if (store.attempts > known) times.push(clock.ms);
      known = store.attempts;
    }
    expect(times).toEqual([100, 300, 700, 1500, 3100, 5100, 7100]);
  });

  it('chance halves the wait at most', async () => {
    const store = new ScriptedStore();
    store.opening = 'refused';
    const { clock } = await scene(store, 0);
    await clock.pass(49);
    expect(store.attempts).toBe(1);
    await clock.pass(1);
    expect(store.attempts).toBe(2);
  });

  it('an attempt that hangs: given up after a second, and tried again', async () => {
    const store = new ScriptedStore();
    store.opening = 'hangs';
    const { clock, told } = await scene(store);
    await clock.pass(1000);
    expect(told).toEqual(['unreachable timeout']);
    store.opening = 'opens';
    await clock.pass(100);
    expect(told.at(-1)).toBe('connected noeviction');
  });

  it('a store that opens but does not answer a probe in time: not used, the connection closed', async () => {
    const store = new ScriptedStore();
    store.behaviour = 'silent';
    const { clock, memory, told } = await scene(store);
    await clock.pass(answerMs);
    expect(memory.isUp()).toBe(false);
    expect(told).toEqual(['unreachable timeout']);
    expect(store.connections.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  it('closed: no connection, no timer, no attempt is left, and proofs are unknown', async () => {
    const { clock, store, memory, ask, told } = await scene();
    memory.close();
    expect(clock.waiting).toBe(0);
    expect(store.connections[0]?.isClosed).toBe(true);
    expect(await ask('a')).toBe('unknown');
    await clock.pass(60_000);
    expect(store.attempts).toBe(1);
    expect(told).toEqual(['connected noeviction']);
  });

  it('closed while it connects: what opens afterwards is closed too', async () => {
    const store = new ScriptedStore();
    store.opening = 'hangs';
    const { clock, memory, told } = await scene(store);
    memory.close();
    await settle();
    await clock.pass(60_000);
    expect(store.attempts).toBe(1);
    expect(told).toEqual([]);
  });
});
