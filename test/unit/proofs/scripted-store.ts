/** A store of proofs and a clock that do what a test says. */
import { type OpenedStore, type StoreConnection, StoreError, type StoreFacts } from '../../../src/proofs/ports.ts';
import { createSharedMemory, type SharedProofMemory } from '../../../src/proofs/shared-memory.ts';
import type { Novelty, SeenProof } from '../../../src/token/proof-memory.ts';

/** Epoch of the tests, in ms. */
export const nowMs = 1_790_000_000_000;

export class ScriptedClock {
  ms = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  readonly schedule = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { at: this.ms + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer, with what each of them sets off. */
  async pass(delayMs: number): Promise<void> {
    const goal = this.ms + delayMs;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > goal) break;
      this.#timers.delete(next);
      this.ms = next.at;
      next.callback();
      await settle();
    }
    this.ms = goal;
  }
}

/** All promises that can settle have settled. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

type Behaviour = 'answers' | 'silent' | 'refuses';

/** What is behind all connections. */
export class ScriptedStore {
  readonly entries = new Map<string, { readonly value: string; readonly lifetimeMs: number }>();
  readonly log: string[] = [];
  behaviour: Behaviour = 'answers';
  /** What an attempt to connect comes to. */
  opening: 'opens' | 'hangs' | 'refused' = 'opens';
  facts: StoreFacts = { evictionPolicy: 'noeviction' };
  attempts = 0;
  connections: ScriptedConnection[] = [];

  readonly open = (signal: AbortSignal): Promise<OpenedStore> => {
    this.attempts += 1;
    if (this.opening === 'refused') return Promise.reject(new StoreError('ECONNREFUSED'));
    if (this.opening === 'hangs') {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new StoreError('timeout'))));
    }
    const connection = new ScriptedConnection(this);
    this.connections.push(connection);
    return Promise.resolve({ connection, facts: this.facts });
  };
}

export class ScriptedConnection implements StoreConnection {
  readonly #store: ScriptedStore;
  isClosed = false;
  /** What the connection does when the other side ends it. */
  end: (reason: string) => void = () => undefined;

  constructor(store: ScriptedStore) {
    this.#store = store;
  }

  setIfAbsent(key: string, value: string, lifetimeMs: number): Promise<string | null> {
    const { behaviour, entries } = this.#store;
    if (behaviour === 'silent') return new Promise(() => undefined);
    if (behaviour === 'refuses') return Promise.reject(new StoreError('OOM'));
    const before = entries.get(key);
    if (before === undefined && !key.endsWith(':probe')) entries.set(key, { value, lifetimeMs });
    return Promise.resolve(before?.value ?? null);
  }

  onEnd(listener: (reason: string) => void): void {
    this.end = listener;
  }

  close(): void {
    this.isClosed = true;
  }
}

export interface Scene {
  readonly clock: ScriptedClock;
  readonly store: ScriptedStore;
  readonly memory: SharedProofMemory;
  readonly told: string[];
  readonly ask: (digest: string, requestId?: string, atMs?: number) => Promise<Novelty>;
}

export async function scene(store = new ScriptedStore(), random = 1): Promise<Scene> {
  const clock = new ScriptedClock();
  const told: string[] = [];
  const memory = createSharedMemory({
    open: store.open,
    schedule: clock.schedule,
    random: () => random,
    observe: {
      connected: ({ evictionPolicy }) => told.push(`connected ${evictionPolicy}`),
      lost: (reason) => told.push(`lost ${reason}`),
      unreachable: (reason) => told.push(`unreachable ${reason}`),
      fault: (error) => told.push(`fault ${String(error)}`),
    },
  });
  await settle();
  const ask: Scene['ask'] = async (digest, requestId = '', atMs = nowMs) =>
    memory.remember(seen(digest, requestId, atMs), atMs);
  return { clock, store, memory, told, ask };
}

export function seen(digest: string, requestId = '', atMs = nowMs): SeenProof {
  return { digest, requestId, expiresAtMs: atMs + 70_000.4 };
}
