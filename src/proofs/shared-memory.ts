/**
 * Promises: a memory of DPoP proofs that replicas share (RFC 9449 section 11.1; DP-14): a proof is new at one of them only. Nobody waits longer
 * than `answerMs`, and while the store is away nobody waits at all: the answer is `unknown`, never `new`.
 * Leaves to others: the protocol (redis-connection.ts), what was seen by this process itself (layered-memory.ts).
 */
import { isRetry, type Novelty, type ProofMemory, type SeenProof } from '../token/proof-memory.ts';
import { type OpenedStore, reasonOf, type SharedMemoryPorts, type StoreConnection, StoreError } from './ports.ts';

/** A fifth of the time that Envoy gives a check by our settings: enough for a store in the same region that is busy. */
export const answerMs = 100;
/** How long a connection may take to be made, and to answer for the first time. */
export const openMs = 1000;
/** A store that fell silent is noticed by us, and not by the next client. */
const heartbeatMs = 5000;
/** Below 2 s, so that a store which is back is used soon. */
const retryMinMs = 100;
const retryMaxMs = 2000;

const keyPrefix = 'scopegate:dpop:';
const probeKey = `${keyPrefix}probe`;
const probeLifetimeMs = 1000;
/** Envoy's are 20 digits. */
const maxRequestIdLength = 128;

export interface SharedProofMemory extends ProofMemory {
  /** The store answers. */
  isUp(): boolean;
  close(): void;
}

export function createSharedMemory(ports: SharedMemoryPorts): SharedProofMemory {
  return new SharedMemory(ports);
}

class SharedMemory implements SharedProofMemory {
  readonly #ports: SharedMemoryPorts;
  readonly #closing = new AbortController();
  /** Undefined: the store is away. */
  #connection: StoreConnection | undefined;
  #failures = 0;
  #callOff = (): void => {};

  constructor(ports: SharedMemoryPorts) {
    this.#ports = ports;
    this.#connect();
  }

  isUp(): boolean {
    return this.#connection !== undefined;
  }

  async remember({ digest, requestId, expiresAtMs }: SeenProof, nowMs: number): Promise<Novelty> {
    const connection = this.#connection;
    if (connection === undefined) return 'unknown';
    const id = requestId.length <= maxRequestIdLength ? requestId : '';
    const lifetimeMs = Math.max(1, Math.ceil(expiresAtMs - nowMs));
    try {
      const set = connection.setIfAbsent(keyPrefix + digest, `${Math.floor(nowMs)} ${id}`, lifetimeMs);
      const before = await this.#within(set, answerMs);
      return before === null || isRetryOf(before, id, nowMs) ? 'new' : 'repeated';
    } catch (error) {
      this.#lose(connection, reasonOf(error));
      return 'unknown';
    }
  }

  close(): void {
    this.#closing.abort();
    this.#callOff();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #connect(): void {
    const late = new AbortController();
    const callOff = this.#ports.schedule(() => late.abort(), openMs);
    this.#open(AbortSignal.any([this.#closing.signal, late.signal]))
      .finally(callOff)
      .catch(this.#ports.observe.fault);
  }

  async #open(attempt: AbortSignal): Promise<void> {
    try {
      const opened = await this.#ports.open(attempt);
      // It counts as there once it has answered as fast as a check needs it.
      await this.#probe(opened.connection).catch((error: unknown) => {
        opened.connection.close();
        throw error;
      });
      this.#use(opened);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#ports.observe.unreachable(reasonOf(error));
      this.#retry();
    }
  }

  #use({ connection, facts }: OpenedStore): void {
    if (this.#closing.signal.aborted) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#failures = 0;
    connection.onEnd((reason) => this.#lose(connection, reason));
    this.#ports.observe.connected(facts);
    this.#beat(connection);
  }

  #beat(connection: StoreConnection): void {
    this.#callOff = this.#ports.schedule(() => {
      this.#check(connection).catch(this.#ports.observe.fault);
    }, heartbeatMs);
  }

  async #check(connection: StoreConnection): Promise<void> {
    try {
      await this.#probe(connection);
      if (this.#connection === connection) this.#beat(connection);
    } catch (error) {
      this.#lose(connection, reasonOf(error));
    }
  }

  async #probe(connection: StoreConnection): Promise<void> {
    await this.#within(connection.setIfAbsent(probeKey, '', probeLifetimeMs), answerMs);
  }

  /** Many checks may find out at the same time; the first is enough. */
  #lose(connection: StoreConnection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    connection.close();
    this.#ports.observe.lost(reason);
    this.#callOff();
    this.#retry();
  }

  #retry(): void {
    const stepMs = Math.min(retryMinMs * 2 ** this.#failures, retryMaxMs);
    this.#failures += 1;
    // Replicas that lost the store together should not come back together.
    this.#callOff = this.#ports.schedule(() => this.#connect(), stepMs * (0.5 + this.#ports.random() / 2));
  }

  async #within<T>(answer: Promise<T>, limitMs: number): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const callOff = this.#ports.schedule(() => reject(new StoreError('timeout')), limitMs);
    try {
      return await Promise.race([answer, late]);
    } finally {
      callOff();
    }
  }
}

/** EA-55, over replicas: what another of them wrote. */
function isRetryOf(entry: string, requestId: string, nowMs: number): boolean {
  const [, seenMs, before] = /^(\d{1,16}) (.*)$/s.exec(entry) ?? [];
  if (seenMs === undefined || before === undefined) return false;
  return isRetry({ requestId: before, seenMs: Number(seenMs) }, requestId, nowMs);
}
