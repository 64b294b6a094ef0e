/**
 * Promises: what speaks gRPC on connections, whichever code does it: Check and health, bytes in and bytes out.
 * Leaves to others: listeners and connections (connections.ts), and when to stop (grpc.ts).
 */
import type { Socket } from 'node:net';
import type { CheckPorts } from './check-handler.ts';
import type { Clock } from './clock.ts';
import type { TlsFiles } from './tls-files.ts';
import type { TlsWatchPorts } from './tls-watch.ts';
import type { TransportLog } from './transport-log.ts';

export interface Transport {
  /** Takes a connection over. */
  take(socket: Socket): void;
  /** What health says; NOT_SERVING first. */
  setServing(isServing: boolean): void;
  /** Looks at TLS files no more, ends the watches of health and tells every client to go elsewhere; checks under way are answered. */
  close(): void;
  /** Ends everything now. */
  cut(): void;
}

export interface TransportOptions {
  readonly check: CheckPorts;
  readonly maxMessageBytes: number;
  readonly clock: Clock;
  /** Told what a library would write to stderr. */
  readonly onTransportLog: TransportLog;
  readonly tls: { readonly files: TlsFiles; readonly ports: TlsWatchPorts } | undefined;
}

/** Rejects with a TlsFileError. */
export type CreateTransport = (options: TransportOptions) => Promise<Transport>;
