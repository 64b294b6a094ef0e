/**
 * Promises: one worker: it answers the checks of the connections that the primary hands it, by the policy and the keys that the primary
 * tells, and ends when the primary says so or is gone.
 * Leaves to others: all that is done once for all workers (shared-serving.ts).
 */
import { Socket } from 'node:net';
import { createMirroredKeySets } from '../keyset/mirrored-key-sets.ts';
import type { GrpcServer } from '../server/grpc.ts';
import { createCheckServer } from '../sidecar/check-server.ts';
import { createSystemIntrospections } from '../sidecar/introspection.ts';
import { createReporting, type Reporting } from '../sidecar/reporting.ts';
import { openSender } from '../sidecar/sender.ts';
import { scheduleAfterReads, systemTiming } from '../sidecar/timing.ts';
import { askForKeys, askForProofs, askForTokens } from './asked.ts';
import { type FollowedState, followState } from './followed-state.ts';
import { isToWorker, type ToPrimary, type ToWorker, type WorkerInit, type WorkerState } from './message.ts';
import { createQuestions, type Questions } from './questions.ts';

/** The process, as far as it is a worker's. */
export interface WorkerPorts {
  /** `sent`: it has left, or never will. */
  readonly send: (message: ToPrimary, sent?: () => void) => void;
  readonly onMessage: (listener: (message: unknown, handle: unknown) => void) => void;
  /** The primary is gone. */
  readonly onDisconnect: (listener: () => void) => void;
}

/** How often the primary is told of traffic while it waits for the end of it. */
const trafficMs = 200;
/** JSON has no Infinity. */
const longQuietMs = 86_400_000;

/** Runs until the primary ends it; the exit code. */
export function runWorker(ports: WorkerPorts): Promise<number> {
  const { promise: ended, resolve: end, reject } = Promise.withResolvers<number>();
  let starting: Promise<Worker> | undefined;

  function start(init: WorkerInit): Promise<Worker> {
    const started = Worker.start(init, ports.send);
    started.catch((error: unknown) => {
      const why = error instanceof Error ? error.message : 'fault';
      ports.send({ kind: 'failed', message: why }, () => end(1));
    });
    return started;
  }

  /** In the order in which they came, behind the start; of one that failed the primary has been told. */
  async function take(message: AfterStart, handle: unknown): Promise<void> {
    const worker = await starting?.catch(() => undefined);
    const code = await worker?.take(message, handle);
    if (code !== undefined) end(code);
  }

  // Nobody is left who would hand connections over, or tell of a policy that has changed.
  ports.onDisconnect(() => end(1));
  ports.onMessage((message, handle) => {
    if (!isToWorker(message)) return;
    if (message.kind === 'init') starting = start(message);
    else take(message, handle).catch(reject);
  });
  return ended;
}

type AfterStart = Exclude<ToWorker, { kind: 'init' }>;

class Worker {
  readonly #send: WorkerPorts['send'];
  readonly #reporting: Reporting;
  readonly #questions: Questions;
  readonly #state: FollowedState;
  readonly #server: GrpcServer;
  readonly #close: () => void;

  /** Rejects with one clear line when a file of the settings is bad. */
  static async start(init: WorkerInit, send: WorkerPorts['send']): Promise<Worker> {
    const { settings, worker: number, nonceKey, subjectKey, state, isServing } = init;
    const reporting = createReporting(settings, { worker: number, subjectKey: Buffer.from(subjectKey, 'base64') });
    const { now } = systemTiming;
    const questions = createQuestions({
      send: (list) => send({ kind: 'questions', questions: list }),
      // An answer that has come is no late one: it may only be us who were busy.
      schedule: scheduleAfterReads,
    });
    const ask: Questions['ask'] = (about, waitMs) => questions.ask(about, waitMs);
    const keySets = createMirroredKeySets({
      now,
      maxStaleMs: settings.jwksMaxStaleMs,
      ask: askForKeys(ask, () => followed.taken()),
    });
    const followed = followState(keySets, reporting);
    const shared = { memory: askForProofs(ask), nonceKey: Buffer.from(nonceKey, 'base64') };
    const sender = await openSender(settings, reporting, shared);
    const introspections = createSystemIntrospections(reporting, keySets.resolve);
    const server = createCheckServer(settings, reporting, {
      policy: () => followed.policy(),
      resolveKeys: keySets.resolve,
      clientToken: askForTokens(ask, now),
      introspect: introspections.introspect,
      checkSender: sender.check,
    });
    const close = (): void => {
      introspections.stop();
      sender.close();
    };
    const worker = new Worker({ send, reporting, questions, followed, server, close });
    await worker.#follow(state);
    server.setServing(isServing);
    await server.start();
    send({ kind: 'up' });
    return worker;
  }

  private constructor(parts: {
    readonly send: WorkerPorts['send'];
    readonly reporting: Reporting;
    readonly questions: Questions;
    readonly followed: FollowedState;
    readonly server: GrpcServer;
    readonly close: () => void;
  }) {
    this.#send = parts.send;
    this.#reporting = parts.reporting;
    this.#questions = parts.questions;
    this.#state = parts.followed;
    this.#server = parts.server;
    this.#close = parts.close;
  }

  /** Undefined: it goes on; else it ends by this, with an exit code. */
  take(message: AfterStart, handle: unknown): Promise<number> | undefined {
    if (message.kind === 'finish') return this.#end(this.#server.drain({ minMs: 0, quietMs: 0, maxMs: message.maxMs }));
    if (message.kind === 'stop') return this.#end(this.#server.stop());
    this.#hear(message, handle);
    return undefined;
  }

  #hear(message: Exclude<AfterStart, { kind: 'finish' | 'stop' }>, handle: unknown): void {
    switch (message.kind) {
      case 'connection':
        this.#connect(handle);
        break;
      case 'answers':
        this.#questions.answered(message.answers);
        break;
      case 'state':
        this.#follow(message).catch(this.#reporting.fault);
        break;
      case 'serving':
        this.#server.setServing(true);
        break;
      case 'metrics':
        this.#tellMetrics().catch(this.#reporting.fault);
        break;
      case 'ping':
        this.#send({ kind: 'pong' });
        break;
      case 'draining':
        this.#server.setServing(false);
        this.#tellTraffic();
        break;
    }
  }

  async #follow(change: WorkerState): Promise<void> {
    if (await this.#state.take(change)) this.#send({ kind: 'applied', revision: change.revision });
  }

  async #tellMetrics(): Promise<void> {
    this.#send({ kind: 'metrics', snapshot: await this.#reporting.metrics.snapshot() });
  }

  #connect(handle: unknown): void {
    if (handle instanceof Socket) {
      handle.once('close', () => this.#send({ kind: 'closed' }));
      this.#server.take(handle);
    } else {
      // It was closed on the way.
      this.#send({ kind: 'closed' });
    }
  }

  #tellTraffic(): void {
    this.#send({ kind: 'traffic', quietMs: Math.min(this.#server.quietMs(), longQuietMs) });
    setTimeout(() => this.#tellTraffic(), trafficMs).unref();
  }

  async #end(served: Promise<unknown>): Promise<number> {
    await served;
    this.#close();
    await this.#reporting.close();
    return 0;
  }
}
