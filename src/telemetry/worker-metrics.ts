/**
 * Promises: how the processes that share the listeners fare. There are no such series where there is one process.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface WorkerMetrics {
  readonly restarted: () => void;
  readonly running: (count: number) => void;
}

export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry];
  const restarts = new Counter({
    name: 'scopegate_worker_restarts_total',
    help: 'Workers that ended by themselves and were started again.',
    registers,
  });
  const running = new Gauge({
    name: 'scopegate_workers_running',
    help: 'Workers that answer checks at the moment; as many as --workers when all is well.',
    registers,
  });
  return { restarted: () => restarts.inc(), running: (count) => running.set(count) };
}
