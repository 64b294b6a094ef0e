/**
 * Promises: Check and health on every configured address, bytes in and bytes out, from start to drain or stop. A drain loses no
 * check: it goes on answering until the mesh has turned away.
 * Leaves to others: what the bytes mean, when we are serving, and signals of the process.
 */
import type { Socket } from 'node:net';
import type { CheckHandler } from './check-handler.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Connections, createConnections } from './connections.ts';
import { type DrainLimits, type DrainOutcome, waitForQuiet } from './drain.ts';
import { createHttp2Transport } from './http2-transport.ts';
import type { TlsFileError, TlsFiles } from './tls-files.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import type { CreateTransport, Transport, TransportOptions } from './transport.ts';
import type { TransportLog } from './transport-log.ts';

export type TransportName = 'http2' | 'grpc-js';

const transports: Readonly<Record<TransportName, CreateTransport>> = {
  http2: createHttp2Transport,
  // Loaded where it is wanted: it takes longer to load than all the rest of a start.
  'grpc-js': async (options) => {
    const { createGrpcJsTransport } = await import('./grpc-js-transport.ts');
    return createGrpcJsTransport(options);
  },
};

export interface GrpcServerOptions {
  /** `HOST:PORT`, `[IPV6]:PORT` or `unix:/path`. Port 0: any free port. None: connections come by `take` alone. */
  readonly addresses: readonly string[];
  readonly check: CheckHandler;
  /** The answer to a check that has waited too long to be worked on (`http2` alone); absent: it is worked on. */
  readonly overloaded?: (() => Uint8Array) | undefined;
  /** Default `http2`, our own and the faster one; `grpc-js` is the gRPC library. */
  readonly transport?: TransportName | undefined;
  /** Told what a check handler threw; that is a bug. */
  readonly onFault: (fault: unknown) => void;
  /** Absent: no TLS. */
  readonly tls?: TlsFiles | undefined;
  /** TLS files changed and cannot be used; the old ones stay in use. Told once for each bad content. */
  readonly onTlsProblem?: ((problem: TlsFileError) => void) | undefined;
  /** TLS files changed and are used for new connections. */
  readonly onTlsReload?: (() => void) | undefined;
  /** Permission bits of unix sockets. Default 0660: Envoy shares a group with us, nobody else on the machine may ask. */
  readonly socketMode?: number | undefined;
  /**
   * Longest message accepted, in bytes. Default 256 KiB: 60 KiB of headers, which is all that Envoy lets through, a client certificate,
   * and as much again. Where Envoy passes bodies on, its limit of them and 128 KiB are needed (EA-45). A longer message is
   * RESOURCE_EXHAUSTED before it is read; what one client may make us hold grows with this number.
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Connections at one time, over all addresses; a further one is closed at once. Default 1024: one for each worker thread of each Envoy
   * is a hundred busy Envoys, and idle ones hold some ten MB.
   */
  readonly maxConnections?: number | undefined;
  /**
   * How long a check without a deadline may wait for keys, in ms. Default 1000: Envoy sends a deadline unless its timeout is switched
   * off, and then a client is still waiting.
   */
  readonly waitWithoutDeadlineMs?: number | undefined;
  /**
   * Told what the gRPC library would write to stderr (`grpc-js` alone), for every server of the process; that of the last one counts. Default: it
   * is dropped, because a line of a foreign form breaks whoever reads our log.
   */
  readonly onTransportLog?: TransportLog | undefined;
  readonly clock?: Clock | undefined;
}

export interface GrpcServer {
  /**
   * Binds all addresses, or none; returns the real ones in the same order. Rejects with a ListenError or a TlsFileError.
   * Health says NOT_SERVING until `setServing`, checks are answered from the first moment.
   */
  start(): Promise<string[]>;
  /** Has no effect once a drain has begun. */
  setServing(isServing: boolean): void;
  /** Health says NOT_SERVING and checks are answered until traffic has gone or the limit is reached; then as `stop`. */
  drain(limits: DrainLimits): Promise<DrainOutcome>;
  /** Ends listeners, connections and a drain at once. Socket files are removed. */
  stop(): Promise<void>;
  /** Takes a connection that another process accepted; after `start`. */
  take(socket: Socket): void;
  /** Checks being answered at the moment. */
  activeChecks(): number;
  /** How long there has been none, in ms: 0 while there is one, Infinity before the first. */
  quietMs(): number;
}

const defaults = {
  socketMode: 0o660,
  maxMessageBytes: 262_144,
  maxConnections: 1024,
  waitWithoutDeadlineMs: 1000,
} as const;

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  return new Life(options);
}

class Life implements GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #clock: Clock;
  readonly #traffic: Traffic;
  readonly #stopping = new AbortController();
  #transport: Transport | undefined;
  #connections: Connections | undefined;
  #isServing = false;
  #started: Promise<string[]> | undefined;
  #drained: Promise<DrainOutcome> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#traffic = createTraffic(this.#clock);
  }

  start(): Promise<string[]> {
    this.#started ??= this.#bind();
    return this.#started;
  }

  setServing(isServing: boolean): void {
    if (this.#drained === undefined && this.#stopped === undefined) {
      this.#sayServing(isServing);
    }
  }

  drain(limits: DrainLimits): Promise<DrainOutcome> {
    this.#sayServing(false);
    this.#drained ??= this.#drain(limits);
    return this.#drained;
  }

  stop(): Promise<void> {
    this.#sayServing(false);
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  take(socket: Socket): void {
    if (this.#connections === undefined) socket.destroy();
    else this.#connections.take(socket);
  }

  activeChecks(): number {
    return this.#traffic.active();
  }

  quietMs(): number {
    return this.#traffic.quietMs();
  }

  #sayServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#transport?.setServing(isServing);
  }

  async #bind(): Promise<string[]> {
    const transport = await transports[this.#options.transport ?? 'http2'](this.#transportOptions());
    this.#transport = transport;
    transport.setServing(this.#isServing);
    const connections = createConnections(
      (socket) => transport.take(socket),
      this.#options.maxConnections ?? defaults.maxConnections,
    );
    this.#connections = connections;
    const real: string[] = [];
    try {
      for (const address of this.#options.addresses) {
        real.push(await connections.listen(address, this.#options.socketMode ?? defaults.socketMode));
      }
      return real;
    } catch (error) {
      await this.#cut();
      throw error;
    }
  }

  #transportOptions(): TransportOptions {
    const { tls: files, onTlsProblem, onTlsReload, onFault, check, overloaded, waitWithoutDeadlineMs } = this.#options;
    const ports = {
      clock: this.#clock,
      onProblem: (problem: TlsFileError) => onTlsProblem?.(problem),
      onReload: () => onTlsReload?.(),
      onFault,
    };
    return {
      check: {
        check,
        overloaded,
        traffic: this.#traffic,
        onFault,
        waitWithoutDeadlineMs: waitWithoutDeadlineMs ?? defaults.waitWithoutDeadlineMs,
      },
      maxMessageBytes: this.#options.maxMessageBytes ?? defaults.maxMessageBytes,
      onTransportLog: this.#options.onTransportLog ?? (() => undefined),
      clock: this.#clock,
      tls: files && { files, ports },
    };
  }

  async #drain(limits: DrainLimits): Promise<DrainOutcome> {
    let isCut = false;
    const callOff = this.#clock.schedule(() => {
      isCut = true;
      this.#cut().catch(this.#options.onFault);
    }, limits.maxMs);
    const outcome = await waitForQuiet(limits, this.#traffic, this.#clock, this.#stopping.signal);
    await this.#close();
    callOff();
    return isCut ? 'limit' : outcome;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#started?.catch(() => undefined);
    await this.#cut();
  }

  /** Checks under way are answered, then their connections end; GOAWAY tells clients to go elsewhere. */
  async #close(): Promise<void> {
    const closed = this.#connections?.close();
    this.#transport?.close();
    await closed;
  }

  async #cut(): Promise<void> {
    const closed = this.#connections?.close();
    this.#transport?.cut();
    this.#connections?.destroy();
    await closed;
  }
}
