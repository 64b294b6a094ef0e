/**
 * Promises: checks answered by several processes behind one set of listeners. This one, the primary, does once what need not be done by each:
 * it watches the policy, fetches keys, remembers proofs, and tells of them all.
 * Leaves to others: what a worker does (worker.ts).
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { ServeSettings } from '../config/settings.ts';
import type { SavedJwks } from '../keyset/saved-jwks.ts';
import { systemClock } from '../server/clock.ts';
import { farewellMs, waitForQuiet } from '../server/drain.ts';
import { createSharedListeners } from '../server/shared-listeners.ts';
import type { Member } from '../sidecar/origin.ts';
import type { Reporting } from '../sidecar/reporting.ts';
import type { CreateServing, Followers, Serving, ServingParts } from '../sidecar/serving.ts';
import { createAnswers } from './answers.ts';
import type { WorkerInit, WorkerPolicy, WorkerState } from './message.ts';
import { Pool } from './pool.ts';

/** What was told to end at once and has not by then is killed. */
const stopMs = 300;
/** Beyond the time that a worker has to finish: its log is to be written too. */
const lastWordsMs = 1000;

/** `program`: the file that this process runs, which starts a worker with the argument `worker`. */
export function serveByWorkers(program: string): CreateServing {
  return (settings, reporting, parts) => {
    const state = new SharedState(parts);
    let onCounts: (() => void) | undefined;
    const pool = createPool(program, { settings, reporting, parts, state, onCounts: () => onCounts?.() });
    const followers: Followers = {
      policyChanged: (active) => {
        const change = state.takePolicy(active);
        if (change !== undefined) pool.tell({ kind: 'state', ...change });
      },
      keysChanged: () => {
        const change = state.takeKeys();
        if (change !== undefined) pool.tell({ kind: 'state', ...change });
      },
      counts: () => pool.counts(),
      onCounts: (listener) => {
        onCounts = listener;
      },
    };
    return { ...lifeOf(settings, pool, state), followers };
  };
}

interface Surroundings {
  readonly settings: ServeSettings;
  readonly reporting: Reporting;
  readonly parts: ServingParts;
  readonly state: SharedState;
  readonly onCounts: () => void;
}

function createPool(program: string, { settings, reporting, parts, state, onCounts }: Surroundings): Pool {
  const { log, metrics, fault } = reporting;
  const told = metrics.workers.begin();
  const secrets = { nonceKey: randomBytes(32).toString('base64'), subjectKey: randomBytes(32).toString('base64') };
  const workerSettings = settingsOfWorker(settings);
  const pool: Pool = new Pool({
    wanted: settings.workers,
    maxConnections: settings.maxConnections,
    // The same flags of Node as this process has.
    fork: () => fork(program, ['worker'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    answer: createAnswers(parts),
    init: (worker): WorkerInit => ({
      settings: workerSettings,
      worker,
      ...secrets,
      state: state.whole(),
      isServing: state.isServing,
    }),
    revision: () => state.revision,
    log,
    onFault: fault,
    onRestart: told.restarted,
    onGone: metrics.workers.ended,
    onCounts: () => {
      told.running(pool.counts().running);
      onCounts();
    },
  });
  metrics.workers.join(() => pool.metrics());
  return pool;
}

/** Each has its share of what is meant for all of them. */
function settingsOfWorker(settings: ServeSettings): ServeSettings {
  const decisionLogPerSecond = Math.ceil(settings.decisionLogPerSecond / settings.workers);
  return { ...settings, grpcAddresses: [], decisionLogPerSecond };
}

function lifeOf(settings: ServeSettings, pool: Pool, state: SharedState): Omit<Serving, 'followers'> {
  const listeners = createSharedListeners({
    addresses: settings.grpcAddresses,
    socketMode: settings.grpcSocketMode,
    accept: (socket) => pool.take(socket),
  });
  const stopping = new AbortController();

  async function stop(): Promise<void> {
    stopping.abort();
    listeners.close();
    await pool.end({ kind: 'stop' }, stopMs);
  }

  return {
    start: async () => {
      const addresses = await listeners.start();
      try {
        await pool.start();
        return addresses;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    setServing: (isServing) => {
      state.isServing = isServing;
      if (isServing) pool.tell({ kind: 'serving' });
    },
    drain: async (limits) => {
      const start = systemClock.now();
      state.isServing = false;
      pool.drain();
      // All of them together: one that ended before the others would get connections that they tell to go elsewhere.
      const outcome = await waitForQuiet(limits, pool, systemClock, stopping.signal);
      listeners.close();
      const leftMs = limits.maxMs - (systemClock.now() - start);
      const maxMs = Math.max(leftMs, farewellMs(limits.maxMs));
      await pool.end({ kind: 'finish', maxMs }, maxMs + lastWordsMs);
      return outcome;
    },
    stop,
  };
}

/** What workers answer by, as it is at the moment. */
class SharedState {
  readonly #parts: ServingParts;
  #policy: WorkerPolicy | undefined;
  #active: readonly Member[] = [];
  #keys: ReadonlyMap<string, SavedJwks> = new Map();
  revision = 0;
  isServing = false;

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  whole(): WorkerState {
    return { revision: this.revision, policy: this.#policy, keys: [...this.#keys] };
  }

  /** What is new; undefined: nothing is. */
  takePolicy(active: readonly Member[]): WorkerState | undefined {
    const hash = this.#parts.store.current()?.hash;
    const isSame = active.length === this.#active.length && active.every((one, index) => one === this.#active[index]);
    if (hash === undefined || isSame) return undefined;
    this.#active = active;
    const sources = active.map(
      ({ source, order, files }) =>
        [source, { order, files: files.map(({ name, text }) => ({ name, text })) }] as const,
    );
    this.#policy = { hash, sources };
    this.revision += 1;
    return { revision: this.revision, policy: this.#policy };
  }

  takeKeys(): WorkerState | undefined {
    const keys = this.#parts.keySets.toSave();
    const changed = [...keys].filter(([source, { fetchedAt }]) => this.#keys.get(source)?.fetchedAt !== fetchedAt);
    this.#keys = keys;
    if (changed.length === 0) return undefined;
    this.revision += 1;
    return { revision: this.revision, keys: changed };
  }
}
