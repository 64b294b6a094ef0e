/** Workers as the primary sees them, with processes of the test's. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failuresAfter, restartDelay } from '../../../src/workers/backoff.ts';
import type { ToPrimary, ToWorker } from '../../../src/workers/message.ts';
import { Pool } from '../../../src/workers/pool.ts';

class FakeChild extends EventEmitter {
  readonly pid = 7;
  connected = true;
  told: string[] = [];
  readonly sockets: unknown[] = [];

  send(message: ToWorker, ...rest: unknown[]): void {
    this.told.push(message.kind);
    if (message.kind === 'connection') this.sockets.push(rest[0]);
  }

  kill(): void {
    this.exit(null, 'SIGKILL');
  }

  say(message: ToPrimary): void {
    this.emit('message', message);
  }

  up(revision = 0): void {
    this.say({ kind: 'applied', revision });
    this.say({ kind: 'up' });
  }

  exit(code: number | null, signal: string | null = null): void {
    this.connected = false;
    this.emit('exit', code, signal);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function createStage(wanted = 2, maxConnections = 100) {
  const children: FakeChild[] = [];
  const stage = { revision: 0, restarts: 0, gone: 0, faults: [] as unknown[] };
  const log = { info: () => {}, error: () => {} };
  const pool = new Pool({
    wanted,
    maxConnections,
    fork: () => {
      const child = new FakeChild();
      children.push(child);
      return child as unknown as ChildProcess;
    },
    answer: () => ({ kind: 'proof', novelty: 'new' }),
    init: (worker) => ({ worker }) as never,
    revision: () => stage.revision,
    log: log as never,
    onFault: (fault) => stage.faults.push(fault),
    onCounts: () => {},
    onRestart: () => {
      stage.restarts += 1;
    },
    onGone: () => {
      stage.gone += 1;
    },
  });
  return { pool, children, stage };
}

async function running(wanted = 2, maxConnections = 100) {
  const stage = createStage(wanted, maxConnections);
  const started = stage.pool.start();
  for (const child of stage.children) child.up();
  await started;
  return stage;
}

function socket(): Socket & { readonly isDestroyed: boolean } {
  const made = {
    isDestroyed: false,
    destroy: () => {
      made.isDestroyed = true;
    },
  };
  return made as never;
}

function loads(children: readonly FakeChild[]): readonly number[] {
  return children.map(({ sockets }) => sockets.length);
}

describe('a start', () => {
  it('all are up: it is over; each was told what to start with before anything else', async () => {
    const { pool, children } = await running(3);
    expect(children.map(({ told }) => told)).toEqual([['init'], ['init'], ['init']]);
    expect(pool.counts()).toEqual({ wanted: 3, running: 3, current: 3 });
  });

  const failures: Record<string, [end: (child: FakeChild) => void, message: string]> = {
    'one says why it cannot: its words': [
      (child) => {
        child.say({ kind: 'failed', message: 'TLS file x cannot be read' });
        child.exit(1);
      },
      'TLS file x cannot be read',
    ],
    'one ends without a word: what it ended with': [(child) => child.exit(1), 'worker 2 ended with exit code 1'],
    'one is killed: by what': [(child) => child.exit(null, 'SIGKILL'), 'worker 2 ended with SIGKILL'],
  };

  it.each(Object.entries(failures))('%s, and nothing is started again', async (_name, [end, message]) => {
    const { pool, children } = createStage();
    const started = pool.start();
    children[0]?.up();
    if (children[1] !== undefined) end(children[1]);
    await expect(started).rejects.toThrow(message);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(children).toHaveLength(2);
  });
});

it('a drain that begins before all are up: one that ends is not started again', async () => {
  const { pool, children } = createStage();
  const started = pool.start();
  pool.drain();
  for (const child of children) child.up();
  await started;
  children[0]?.exit(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(children).toHaveLength(2);
});

describe('connections', () => {
  it('go to the worker that has the fewest', async () => {
    const { pool, children } = await running(3);
    for (let number = 0; number < 7; number += 1) pool.take(socket());
    expect(loads(children)).toEqual([3, 2, 2]);
    children[1]?.say({ kind: 'closed' });
    children[1]?.say({ kind: 'closed' });
    pool.take(socket());
    pool.take(socket());
    expect(loads(children)).toEqual([3, 4, 2]);
  });

  it('more than there may be over all workers: closed at once', async () => {
    const { pool, children } = await running(2, 3);
    const all = Array.from({ length: 4 }, socket);
    for (const one of all) pool.take(one);
    expect(loads(children)).toEqual([2, 1]);
    expect(all.map(({ isDestroyed }) => isDestroyed)).toEqual([false, false, false, true]);
    children[0]?.say({ kind: 'closed' });
    pool.take(socket());
    expect(loads(children)).toEqual([3, 1]);
  });

  it('no worker is left: they wait for the next one, and no more than there may be', async () => {
    const { pool, children } = await running(2, 2);
    for (const child of children.slice()) child.exit(null, 'SIGKILL');
    const all = Array.from({ length: 3 }, socket);
    for (const one of all) pool.take(one);
    expect(all.map(({ isDestroyed }) => isDestroyed)).toEqual([false, false, true]);
    await vi.advanceTimersByTimeAsync(200);
    children[2]?.up();
    expect(loads(children)).toEqual([0, 0, 2, 0]);
  });
});

describe('a worker ends', () => {
  it('it is started again after a moment, and what it counted is handed on once', async () => {
    const { pool, children, stage } = await running();
    children[0]?.exit(1);
    children[0]?.exit(1);
    expect(pool.counts()).toMatchObject({ running: 1 });
    expect(stage).toMatchObject({ restarts: 0, gone: 1 });
    await vi.advanceTimersByTimeAsync(200);
    expect(stage.restarts).toBe(1);
    children[2]?.up();
    expect(pool.counts()).toMatchObject({ running: 2 });
  });

  it('again and again: seldom enough, and each place by itself', async () => {
    const { children } = await running();
    for (let times = 0; times < 20; times += 1) {
      children.at(-1)?.exit(1);
      await vi.advanceTimersByTimeAsync(5000);
    }
    expect(children.length).toBeGreaterThanOrEqual(21);
    children.at(-1)?.exit(1);
    await vi.advanceTimersByTimeAsync(2000);
    const waiting = children.length;
    await vi.advanceTimersByTimeAsync(3000);
    expect(children).toHaveLength(waiting + 1);
  });

  it('one that hears no more is killed, and replaced; one that answers is not', async () => {
    const { children, stage } = await running();
    const [quiet, sound] = children;
    for (let seconds = 0; seconds < 80; seconds += 10) {
      await vi.advanceTimersByTimeAsync(10_000);
      sound?.say({ kind: 'pong' });
    }
    expect([quiet?.connected, sound?.connected]).toEqual([false, true]);
    expect(stage.restarts).toBe(1);
  });

  it('while it drains or ends: not started again', async () => {
    const { pool, children } = await running();
    pool.drain();
    children[0]?.exit(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(children).toHaveLength(2);
  });
});

describe('the state', () => {
  it('it has changed: those that have said so are current', async () => {
    const { pool, children, stage } = await running();
    stage.revision = 1;
    expect(pool.counts()).toEqual({ wanted: 2, running: 2, current: 0 });
    children[0]?.say({ kind: 'applied', revision: 1 });
    expect(pool.counts()).toEqual({ wanted: 2, running: 2, current: 1 });
  });

  it('traffic: that of the busiest', async () => {
    const { pool, children } = await running();
    pool.drain();
    expect(pool.quietMs()).toBe(0);
    children[0]?.say({ kind: 'traffic', quietMs: 5000 });
    expect(pool.quietMs()).toBe(0);
    children[1]?.say({ kind: 'traffic', quietMs: 700 });
    expect(pool.quietMs()).toBe(700);
  });

  it('an end: who does not end in time is killed', async () => {
    const { pool, children } = await running();
    const ended = pool.end({ kind: 'stop' }, 300);
    expect(children.map(({ told }) => told.at(-1))).toEqual(['stop', 'stop']);
    children[0]?.exit(0);
    await vi.advanceTimersByTimeAsync(300);
    await ended;
    expect(children.map(({ connected }) => connected)).toEqual([false, false]);
  });

  it('what Node or a library says on the channel: ignored', async () => {
    const { children, stage } = await running();
    for (const message of [undefined, null, 'x', { kind: 'other' }, { type: 'axm' }])
      children[0]?.emit('message', message);
    expect(stage.faults).toEqual([]);
  });
});

describe('the time before a restart', () => {
  const delays: Record<string, [failures: number, jitter: number, ms: number]> = {
    'the first: at most 100 ms': [1, 1, 100],
    'the first: at least 50 ms': [1, 0, 50],
    'the third: four times that': [3, 1, 400],
    'after many: 5 s': [1000, 1, 5000],
  };
  it.each(Object.entries(delays))('%s', (_name, [failures, jitter, ms]) => {
    expect(restartDelay(failures, jitter)).toBe(ms);
  });

  it('who ran for a minute begins anew', () => {
    expect([failuresAfter(5, 59_999), failuresAfter(5, 60_000)]).toEqual([6, 1]);
  });
});
