import { EventEmitter } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { type Running, runServe, type ServePorts } from '../../../src/commands/serve.ts';
import { readServeSettings } from '../../../src/config/read-serve-settings.ts';
import type { ServeSettings } from '../../../src/config/settings.ts';

function settings(): ServeSettings {
  const read = readServeSettings(new Map([['--policy', ['p.yaml']]]), {});
  if ('errors' in read) {
    throw new Error(read.errors.join('\n'));
  }
  return read.settings;
}

afterEach(() => {
  vi.useRealTimers();
});

class Stage {
  readonly signals = new EventEmitter();
  readonly calls: string[] = [];
  readonly started = Promise.withResolvers<void>();
  readonly drained = Promise.withResolvers<void>();
  readonly draining = Promise.withResolvers<void>();
  error = '';
  exitCode: number | undefined;

  readonly running: Running = {
    drain: async () => {
      this.calls.push('drain');
      this.draining.resolve();
      await this.drained.promise;
    },
    stop: async () => {
      this.calls.push('stop');
      // A drain under way ends with it.
      this.drained.resolve();
    },
  };

  async serve(ports: Partial<ServePorts> = {}): Promise<number> {
    const exitCode = await runServe(settings(), {
      signals: this.signals,
      start: async () => {
        await this.started.promise;
        return this.running;
      },
      writeError: (text) => {
        this.error += text;
      },
      ...ports,
    });
    this.exitCode = exitCode;
    return exitCode;
  }

  /** How many listeners are left. */
  listeners(): number {
    return this.signals.listenerCount('SIGTERM') + this.signals.listenerCount('SIGINT');
  }
}

it.each(['SIGTERM', 'SIGINT'])('runs until %s, drains, then 0', async (signal) => {
  const stage = new Stage();
  const served = stage.serve();
  stage.started.resolve();
  await new Promise(setImmediate);
  expect([stage.calls, stage.exitCode]).toStrictEqual([[], undefined]);
  stage.signals.emit(signal);
  await stage.draining.promise;
  expect([stage.calls, stage.exitCode]).toStrictEqual([['drain'], undefined]);
  stage.drained.resolve();
  expect(await served).toBe(0);
  expect([stage.calls, stage.listeners(), stage.error]).toStrictEqual([['drain'], 0, '']);
});

it.each([
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGTERM', 'SIGINT', 130],
])('%s, then %s while it drains: ends at once with %i', async (first, second, exitCode) => {
  const stage = new Stage();
  const served = stage.serve();
  stage.started.resolve();
  stage.signals.emit(first);
  await stage.draining.promise;
  stage.signals.emit(second);
  expect(await served).toBe(exitCode);
  expect([stage.calls, stage.listeners()]).toStrictEqual([['drain', 'stop'], 0]);
});

it('a second signal, and closing hangs: ends all the same', async () => {
  const stage = new Stage();
  vi.useFakeTimers();
  const hang = new Promise<void>(() => undefined);
  const served = stage.serve({ start: async () => ({ ...stage.running, stop: async () => hang }) });
  stage.signals.emit('SIGINT');
  stage.signals.emit('SIGINT');
  await vi.advanceTimersByTimeAsync(500);
  expect(await served).toBe(130);
});

it('a signal while it starts: drains once it has started', async () => {
  const stage = new Stage();
  const served = stage.serve();
  stage.signals.emit('SIGTERM');
  expect(stage.calls).toStrictEqual([]);
  stage.started.resolve();
  stage.drained.resolve();
  expect(await served).toBe(0);
  expect(stage.calls).toStrictEqual(['drain']);
});

it('an address that cannot be bound: one line and 1', async () => {
  const stage = new Stage();
  const start = async (): Promise<Running> => {
    throw new (class ListenError extends Error {
      override readonly name = 'ListenError';
    })('cannot listen on 127.0.0.1:9001: it is in use');
  };
  expect(await stage.serve({ start })).toBe(1);
  expect(stage.error).toBe('scopegate serve: cannot listen on 127.0.0.1:9001: it is in use\n');
  expect(stage.listeners()).toBe(0);
});

it('a fault of ours while it starts: not taken for a mistake of the operator', async () => {
  const stage = new Stage();
  const fault = new TypeError('x is undefined');
  const start = async (): Promise<Running> => {
    throw fault;
  };
  await expect(stage.serve({ start })).rejects.toBe(fault);
  expect([stage.error, stage.listeners()]).toStrictEqual(['', 0]);
});
