/**
 * Promises: what the shared memory of proofs asks for: a connection to the store, time, and somebody to tell.
 */

/** One connection to the store. Its answers may be late; whoever asks bounds the wait. */
export interface StoreConnection {
  /** Sets the key for so long unless it is there; what was there, or null. Rejects when the store cannot do it. */
  setIfAbsent(key: string, value: string, lifetimeMs: number): Promise<string | null>;
  /** Tells once that the connection has ended, with a word for why; not after `close`. */
  onEnd(listener: (reason: string) => void): void;
  close(): void;
}

/** What the store says of itself, as far as it matters for what is kept there. */
export interface StoreFacts {
  /** `maxmemory-policy`; undefined: it does not say. */
  readonly evictionPolicy: string | undefined;
}

export interface OpenedStore {
  readonly connection: StoreConnection;
  readonly facts: StoreFacts;
}

export type OpenStore = (signal: AbortSignal) => Promise<OpenedStore>;

export interface StoreObserver {
  /** It answers from now on. */
  readonly connected: (facts: StoreFacts) => void;
  /** It answered until now. */
  readonly lost: (reason: string) => void;
  /** It still does not answer. */
  readonly unreachable: (reason: string) => void;
  /** A bug of ours. */
  readonly fault: (error: unknown) => void;
}

export interface SharedMemoryPorts {
  readonly open: OpenStore;
  /** Calls back once, after so many milliseconds; returns what calls it off. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** 0 to 1. */
  readonly random: () => number;
  readonly observe: StoreObserver;
}

/** The store did not do what it was asked; the reason is a word of ours, or a code of Node or of the store, never a text of either. */
export class StoreError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(`store of proofs: ${reason}`);
    this.name = 'StoreError';
    this.reason = reason;
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof StoreError ? error.reason : 'error';
}
