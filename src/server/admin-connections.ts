/**
 * Promises: whoever comes gets a connection, also when every one that is allowed is taken: the one that deserves it least is dropped. To
 * refuse the newcomer would let a handful of idle connections take the liveness probe away, and the platform would restart us.
 * Leaves to others: the time in which a request has to be complete (admin.ts).
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** By what a connection has to show; the first kind is dropped first, and of one kind the one that is so for the longest time. */
const kinds = ['no complete request yet', 'between requests', 'being answered'] as const;

type Kind = (typeof kinds)[number];

/** At most `maxConnections` are open at one time. */
export function limitAdminConnections(server: Server, maxConnections: number): void {
  /** In the order in which they became what they are. */
  const connections = new Map<Socket, Kind>();

  function become(socket: Socket, kind: Kind): void {
    if (connections.delete(socket)) {
      connections.set(socket, kind);
    }
  }
  server.on('connection', (socket) => {
    const dropped = connections.size < maxConnections ? undefined : leastDeserving(connections);
    if (dropped !== undefined) {
      dropped.destroy();
      // At once, and not when it has closed: in the same turn further ones may come.
      connections.delete(dropped);
    }
    connections.set(socket, 'no complete request yet');
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    become(socket, 'being answered');
    response.once('close', () => become(socket, 'between requests'));
  });
}

function leastDeserving(connections: ReadonlyMap<Socket, Kind>): Socket | undefined {
  for (const kind of kinds) {
    for (const [socket, its] of connections) {
      if (its === kind) {
        return socket;
      }
    }
  }
  return undefined;
}
