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

interface Connection {
  /** As it was accepted, before any TLS. */
  readonly socket: Socket;
  readonly kind: Kind;
}

/** At most `maxConnections` are open at one time; those whose handshake is not done count too. */
export function limitAdminConnections(server: Server, maxConnections: number): void {
  /** By peer, in the order in which they became what they are. */
  const connections = new Map<string, Connection>();

  function become(peer: string, kind: Kind): void {
    const connection = connections.get(peer);
    if (connection !== undefined) {
      connections.delete(peer);
      connections.set(peer, { ...connection, kind });
    }
  }
  function forget(peer: string, socket: Socket): void {
    if (connections.get(peer)?.socket === socket) {
      connections.delete(peer);
    }
  }
  server.on('connection', (socket) => {
    const [dropped, connection] = connections.size < maxConnections ? [] : leastDeserving(connections);
    if (dropped !== undefined) {
      connection?.socket.destroy();
      // At once, and not when it has closed: in the same turn further ones may come.
      connections.delete(dropped);
    }
    const peer = peerOf(socket);
    connections.set(peer, { socket, kind: 'no complete request yet' });
    socket.once('close', () => {
      forget(peer, socket);
    });
  });
  server.on('request', ({ socket }, response) => {
    const peer = peerOf(socket);
    become(peer, 'being answered');
    response.once('close', () => {
      become(peer, 'between requests');
    });
  });
}

/** The same for the socket that was accepted and for the TLS socket around it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function leastDeserving(connections: ReadonlyMap<string, Connection>): readonly [string, Connection] | readonly [] {
  for (const kind of kinds) {
    for (const entry of connections) {
      if (entry[1].kind === kind) {
        return entry;
      }
    }
  }
  return [];
}
