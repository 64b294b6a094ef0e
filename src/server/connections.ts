/**
 * Promises: every listener of a server and every connection that came through one, so that they can be closed gently or at once, and
 * no more connections than a limit.
 * Sockets are ours and not the gRPC library's, because it names neither the real address nor the cause when it cannot bind, and
 * because a unix socket needs its permissions from its first moment.
 * Leaves to others: what is spoken on a connection.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { listen } from './listen.ts';

export interface Connections {
  /** Binds one more address; connections go to `accept`. Returns the real address. */
  listen(address: string, socketMode: number): Promise<string>;
  /** Takes a connection that another process accepted. */
  take(socket: Socket): void;
  /** Accepts nothing more, and removes unix socket files. Ends when the last connection has ended. */
  close(): Promise<void>;
  /** Ends every connection now, whatever is under way on it. */
  destroy(): void;
}

/** At most `maxConnections` are open at one time, over all listeners; a further one is closed at once. */
export function createConnections(accept: (socket: Socket) => void, maxConnections: number): Connections {
  const listeners: Server[] = [];
  const sockets = new Set<Socket>();
  let closed: Promise<void> | undefined;
  let emptied: (() => void) | undefined;

  /** A listener waits for its own connections, and not for those that were taken. */
  function allEnded(): Promise<void> {
    return sockets.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          emptied = resolve;
        });
  }

  function onConnection(socket: Socket): void {
    if (sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) emptied?.();
    });
    // A reset is the peer's right and followed by `close`; without a listener it would end the process.
    socket.on('error', () => undefined);
    accept(socket);
  }
  return {
    listen: async (address, socketMode) => {
      const listener = createServer(onConnection);
      const real = await listen(listener, address, socketMode);
      listeners.push(listener);
      return real;
    },
    take: onConnection,
    close: () => {
      closed ??= Promise.all([...listeners.map(closeListener), allEnded()]).then(() => undefined);
      // A peer that never sent a byte has no session that could be closed gently; behind TLS it would be waited for.
      for (const socket of sockets) {
        if (socket.bytesRead === 0) {
          socket.destroy();
        }
      }
      return closed;
    },
    destroy: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}

function closeListener(listener: Server): Promise<void> {
  return new Promise((resolve) => {
    listener.close(() => {
      resolve();
    });
  });
}
