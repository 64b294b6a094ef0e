/**
 * Promises: an HTTP server on 127.0.0.1 that tells its port and can be stopped with connections open; a taken port is a clear line.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SetupError } from '../envoy/setup-error.ts';

export interface LocalServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Listens on `port` (0: any free one) for `owner`, the name by which an error line calls it. */
export async function listen(owner: string, port: number, handle: RequestListener): Promise<LocalServer> {
  const server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(owner, port, error)));
    server.listen(port, '127.0.0.1', resolve);
  });
  return { port: portOf(server), stop: () => close(server) };
}

/** Fails as `listen` does when `port` is taken. Envoy itself would share it with another Envoy and say nothing. */
export async function requireFree(owner: string, port: number): Promise<void> {
  if (port === 0) return;
  const server = await listen(owner, port, () => {});
  await server.stop();
}

function cannotListen(owner: string, port: number, error: NodeJS.ErrnoException): SetupError {
  if (error.code !== 'EADDRINUSE') return new SetupError(`${owner} cannot listen on port ${port}: ${error.message}`);
  return new SetupError(
    `port ${port} is taken, and ${owner} needs it: stop what listens there, or choose others with --port-base PORT`,
  );
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
