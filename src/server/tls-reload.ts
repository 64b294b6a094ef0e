/**
 * Promises: credentials of a gRPC server that serve new connections with what the TLS files hold now. Connections that exist keep what
 * they were made with.
 * Leaves to others: when to look at the files (tls-watch.ts), judging them (tls-files.ts).
 */
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { handshakeTimeoutMs } from './connection-settings.ts';
import type { TlsFiles } from './tls-files.ts';
import { type TlsWatchPorts, watchTls } from './tls-watch.ts';

/** Credentials of the gRPC server whose certificate can be exchanged while it runs. */
export class ReloadableCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    const isMutual = context.ca !== undefined;
    super({ requestCert: isMutual, rejectUnauthorized: isMutual, handshakeTimeout: handshakeTimeoutMs }, context);
  }

  /** INVARIANT: the context comes from `parseTls`; the server drops every new connection once OpenSSL has refused one. */
  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

export interface ReloadedTls {
  readonly credentials: ReloadableCredentials;
  /** Looks at the files no more. */
  stop(): void;
}

/** Reads the files and keeps reading them; bad files at this first look are thrown as a TlsFileError. */
export async function startTls(files: TlsFiles, ports: TlsWatchPorts): Promise<ReloadedTls> {
  const use = {
    serve: (context: SecureContextOptions) => new ReloadableCredentials(context),
    replace: (credentials: ReloadableCredentials, context: SecureContextOptions) => {
      credentials.replace(context);
    },
  };
  const watch = await watchTls(files, use, ports);
  return { credentials: watch.served, stop: () => watch.stop() };
}
