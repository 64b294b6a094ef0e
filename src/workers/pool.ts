/**
 * Promises: as many workers as are wanted, all told the same: one that ends is replaced while the others go on, and none takes a connection
 * before it has what the others answer by.
 * Leaves to others: one worker (worker-process.ts), listeners and the end of traffic (shared-serving.ts).
 */
import type { Socket } from 'node:net';
import type { Log } from '../sidecar/reporting.ts';
import type { WorkerCounts } from '../sidecar/serving.ts';
import type { MetricsSnapshot } from '../telemetry/joined-metrics.ts';
import { failuresAfter, restartDelay } from './backoff.ts';
import type { ToWorker, WorkerInit } from './message.ts';
import { type ExitOfWorker, WorkerProcess, type WorkerProcessPorts } from './worker-process.ts';

export interface PoolPorts extends Pick<WorkerProcessPorts, 'fork' | 'answer' | 'onFault'> {
  readonly wanted: number;
  /** Connections at one time, over all workers. */
  readonly maxConnections: number;
  /** All that a worker starts with. */
  readonly init: (worker: number) => WorkerInit;
  /** Of the newest state. */
  readonly revision: () => number;
  readonly log: Log;
  /** `counts` may be another. */
  readonly onCounts: () => void;
  readonly onRestart: () => void;
  /** The last that is known of the metrics of one that has ended. */
  readonly onGone: (snapshot: MetricsSnapshot) => void;
}

/** A place of one worker after the other. */
interface Place {
  readonly number: number;
  worker: WorkerProcess;
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

export class Pool {
  readonly #ports: PoolPorts;
  readonly #places: Place[] = [];
  /** Connections that came while no worker could take them. */
  readonly #waiting: Socket[] = [];
  /** One that ends is replaced while `running` alone. */
  #phase: 'starting' | 'running' | 'draining' | 'ending' = 'starting';
  readonly #starting = Promise.withResolvers<void>();

  constructor(ports: PoolPorts) {
    this.#ports = ports;
  }

  /** Resolves when all take connections. Rejects with one clear line when one cannot start. */
  async start(): Promise<void> {
    for (let number = 1; number <= this.#ports.wanted; number += 1) {
      this.#places.push({ number, worker: this.#fork(number), failures: 0, timer: undefined });
    }
    await this.#starting.promise;
    // The end may have begun meanwhile.
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  counts(): WorkerCounts {
    const running = this.#running();
    const revision = this.#ports.revision();
    const current = running.filter((worker) => worker.revision === revision).length;
    return { wanted: this.#ports.wanted, running: running.length, current };
  }

  tell(message: ToWorker): void {
    for (const { worker } of this.#places) worker.tell(message);
  }

  /** To the worker that has the fewest: a connection of Envoy stays for long. */
  take(socket: Socket): void {
    const running = this.#running();
    const open = running.reduce((sum, { connections }) => sum + connections, this.#waiting.length);
    const [first, ...others] = running;
    if (open >= this.#ports.maxConnections) socket.destroy();
    else if (first === undefined) this.#wait(socket);
    else others.reduce((least, next) => (next.connections < least.connections ? next : least), first).give(socket);
  }

  #wait(socket: Socket): void {
    if (this.#phase === 'starting' || this.#phase === 'running') this.#waiting.push(socket);
    else socket.destroy();
  }

  async metrics(): Promise<readonly MetricsSnapshot[]> {
    await Promise.all(this.#running().map((worker) => worker.refreshMetrics()));
    // Of one that has ended meanwhile `onGone` was told.
    return this.#running().map(({ lastSnapshot }) => lastSnapshot);
  }

  /** Since the last check of any of them. */
  quietMs(): number {
    return Math.min(...this.#running().map(({ quietMs }) => quietMs));
  }

  /** None is started any more; ends when the last has ended, which those that are left after `maxMs` do not do by themselves. */
  async end(message: ToWorker, maxMs: number): Promise<void> {
    this.#turnTo('ending');
    this.tell(message);
    const late = setTimeout(() => {
      for (const { worker } of this.#places) worker.kill();
    }, maxMs);
    await Promise.all(this.#places.map(({ worker }) => worker.exited));
    clearTimeout(late);
  }

  /** From now on those that end are not replaced. */
  drain(): void {
    this.#turnTo('draining');
    this.tell({ kind: 'draining' });
  }

  #turnTo(phase: 'draining' | 'ending'): void {
    this.#phase = phase;
    for (const { timer } of this.#places) clearTimeout(timer);
    for (const socket of this.#waiting.splice(0)) this.take(socket);
  }

  #running(): readonly WorkerProcess[] {
    return this.#places.map(({ worker }) => worker).filter(({ isUp }) => isUp);
  }

  #fork(number: number): WorkerProcess {
    const { fork, answer, onFault, init, log, onCounts } = this.#ports;
    const worker = new WorkerProcess({
      fork,
      answer,
      onFault,
      onUp: () => {
        log.info({ worker: number, pid: worker.pid }, 'worker started');
        this.#isUp();
      },
      onChange: onCounts,
      onExit: (how) => this.#onExit(number, how),
    });
    worker.tell({ kind: 'init', ...init(number) });
    return worker;
  }

  #isUp(): void {
    for (const socket of this.#waiting.splice(0)) this.take(socket);
    if (this.#running().length === this.#ports.wanted) this.#starting.resolve();
    this.#ports.onCounts();
  }

  #onExit(number: number, { code, signal, failure, ranMs }: ExitOfWorker): void {
    const place = this.#places[number - 1];
    const how = failure ?? `worker ${number} ended with ${signal ?? `exit code ${code ?? 'unknown'}`}`;
    // Only the first start of all is one that `serve` can fail by; later this settles nothing.
    this.#starting.reject(new Error(how));
    if (place === undefined) return;
    this.#ports.onGone(place.worker.lastSnapshot);
    if (this.#phase === 'running') this.#replace(place, { how, ranMs });
    this.#ports.onCounts();
  }

  #replace(place: Place, { how, ranMs }: { readonly how: string; readonly ranMs: number }): void {
    const { log, onRestart } = this.#ports;
    place.failures = failuresAfter(place.failures, ranMs);
    const inMs = Math.round(restartDelay(place.failures, Math.random()));
    log.error({ worker: place.number, reason: how, restartInMs: inMs }, 'worker ended, it is started again');
    place.timer = setTimeout(() => {
      onRestart();
      place.worker = this.#fork(place.number);
    }, inMs);
  }
}
