/**
 * Promises: one worker as the primary sees it: started, told, asked and ended, and all that is known of it.
 * Leaves to others: the other workers, and when one is started again (pool.ts).
 */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { MetricsSnapshot } from '../telemetry/joined-metrics.ts';
import { createBatch } from './batch.ts';
import { type Answer, isToPrimary, type Numbered, type Question, type ToPrimary, type ToWorker } from './message.ts';

export interface WorkerProcessPorts {
  /** Starts the program. */
  readonly fork: () => ChildProcess;
  readonly answer: (question: Question) => Answer | Promise<Answer>;
  /** It takes connections. */
  readonly onUp: () => void;
  /** What it answers by, or what it has, may be another. */
  readonly onChange: () => void;
  /** Once. `failure`: why it could not start, in its own words. */
  readonly onExit: (how: ExitOfWorker) => void;
  readonly onFault: (fault: unknown) => void;
}

export interface ExitOfWorker {
  readonly code: number | null;
  readonly signal: string | null;
  readonly failure: string | undefined;
  readonly ranMs: number;
}

/** How long a snapshot of its metrics is waited for; a worker that is that busy is told of as it was. */
const metricsMs = 1000;

/** How often it is asked whether it still hears, and how long it may say nothing. A start is no silence that is too long, on any machine. */
const pingMs = 10_000;
const silenceMs = 60_000;

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ports: WorkerProcessPorts;
  readonly #startedAt = performance.now();
  readonly #exited = Promise.withResolvers<void>();
  readonly #sendAnswer: (answer: Numbered<Answer>) => void;
  #isUp = false;
  #isGone = false;
  #revision = -1;
  #connections = 0;
  #quietMs = 0;
  #failure: string | undefined;
  #snapshot: MetricsSnapshot = [];
  #tellMetrics: (() => void) | undefined;
  #heardAt = performance.now();
  readonly #pinging: NodeJS.Timeout;

  constructor(ports: WorkerProcessPorts) {
    this.#ports = ports;
    this.#child = ports.fork();
    this.#sendAnswer = createBatch((answers) => this.tell({ kind: 'answers', answers }));
    this.#pinging = setInterval(() => this.#ping(), pingMs).unref();
    this.#child.on('message', (message: unknown) => {
      this.#heardAt = performance.now();
      if (isToPrimary(message) && message.kind !== 'pong') this.#take(message);
    });
    this.#child.on('exit', (code, signal) => this.#exit(code, signal));
    // It could not be started, ended, or told something: of an end `exit` tells.
    this.#child.on('error', () => {
      if (this.#child.pid === undefined) this.#exit(null, null);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It takes connections. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Of the state that it answers by. */
  get revision(): number {
    return this.#revision;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Since its last check, as it last said; told from the beginning of a drain on. */
  get quietMs(): number {
    return this.#quietMs;
  }

  /** The newest that is known of its metrics. */
  get lastSnapshot(): MetricsSnapshot {
    return this.#snapshot;
  }

  /** It has ended. */
  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  tell(message: ToWorker): void {
    // It may have ended a moment ago; `exit` tells.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Hands a connection over. */
  give(socket: Socket): void {
    this.#connections += 1;
    const message: ToWorker = { kind: 'connection' };
    this.#child.send(message, socket, (error) => {
      if (error !== null) socket.destroy();
    });
  }

  /** Ends when `lastSnapshot` is of now, or as new as it will be. */
  async refreshMetrics(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, metricsMs);
    this.#tellMetrics = resolve;
    this.tell({ kind: 'metrics' });
    await Promise.race([promise, this.#exited.promise]);
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #take(message: Exclude<ToPrimary, { kind: 'pong' }>): void {
    switch (message.kind) {
      case 'up':
        this.#isUp = true;
        this.#ports.onUp();
        break;
      case 'failed':
        this.#failure = message.message;
        break;
      case 'applied':
        this.#revision = message.revision;
        this.#ports.onChange();
        break;
      case 'closed':
        this.#connections -= 1;
        break;
      case 'questions':
        for (const question of message.questions) this.#answer(question);
        break;
      case 'metrics':
        this.#snapshot = message.snapshot;
        this.#tellMetrics?.();
        break;
      case 'traffic':
        this.#quietMs = message.quietMs;
        break;
    }
  }

  /** One that hangs would keep its connections for ever, and no probe would see it. */
  #ping(): void {
    if (performance.now() - this.#heardAt > silenceMs) this.kill();
    else this.tell({ kind: 'ping' });
  }

  #answer({ id, about: question }: Numbered<Question>): void {
    const answer = this.#ports.answer(question);
    if (answer instanceof Promise) {
      answer.then((about) => this.#sendAnswer({ id, about })).catch(this.#ports.onFault);
    } else {
      this.#sendAnswer({ id, about: answer });
    }
  }

  #exit(code: number | null, signal: string | null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isUp = false;
    clearInterval(this.#pinging);
    this.#exited.resolve();
    this.#ports.onExit({ code, signal, failure: this.#failure, ranMs: performance.now() - this.#startedAt });
  }
}
