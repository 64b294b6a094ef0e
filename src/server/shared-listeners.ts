/**
 * Promises: listeners whose connections other processes speak on: not a byte is read here. The listeners outlive whichever of those ends, so
 * that an address stays bound, a free port stays the same, and a unix socket keeps its file.
 * Leaves to others: who gets a connection (workers/).
 */
import { createServer, type Server, type Socket } from 'node:net';
import { listen } from './listen.ts';

export interface SharedListeners {
  /** Binds all addresses, or none; returns the real ones in the same order. Rejects with a ListenError. */
  start(): Promise<string[]>;
  /** Accepts nothing more, and removes unix socket files. */
  close(): void;
}

export interface SharedListenersOptions {
  /** `HOST:PORT`, `[IPV6]:PORT` or `unix:/path`. */
  readonly addresses: readonly string[];
  /** Permission bits of unix sockets. */
  readonly socketMode: number;
  readonly accept: (socket: Socket) => void;
}

export function createSharedListeners({ addresses, socketMode, accept }: SharedListenersOptions): SharedListeners {
  const servers: Server[] = [];

  function close(): void {
    for (const server of servers) server.close();
  }

  function onConnection(socket: Socket): void {
    // A reset before it is handed over is the peer's right; without a listener it would end the process.
    socket.on('error', () => undefined);
    accept(socket);
  }

  return {
    start: async () => {
      const real: string[] = [];
      try {
        for (const address of addresses) {
          const server = createServer({ pauseOnConnect: true }, onConnection);
          real.push(await listen(server, address, socketMode));
          servers.push(server);
        }
        return real;
      } catch (error) {
        close();
        throw error;
      }
    },
    close,
  };
}
