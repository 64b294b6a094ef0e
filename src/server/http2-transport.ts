/**
 * Promises: our own HTTP/2 as a transport: connections with and without TLS, from their first byte to their farewell.
 * Leaves to others: the protocol of a connection (http2/), calls (http2-service.ts), listeners (connections.ts).
 */
import type { Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { ConnectionLimits } from '../http2/connection.ts';
import { handshakeTimeoutMs, maxConcurrentStreams } from './connection-settings.ts';
import { createHttp2Health } from './http2-health.ts';
import { Http2Service } from './http2-service.ts';
import { type Http2Socket, speakHttp2 } from './http2-socket.ts';
import { watchTls } from './tls-watch.ts';
import type { Transport, TransportOptions } from './transport.ts';

/** Prefix of a message. */
const prefixBytes = 5;

export async function createHttp2Transport(options: TransportOptions): Promise<Transport> {
  const sockets = new Set<Http2Socket>();
  const health = createHttp2Health();
  const service = new Http2Service(options, health);
  const limits: ConnectionLimits = {
    maxStreams: maxConcurrentStreams,
    streamWindow: options.maxMessageBytes + prefixBytes,
  };
  let isClosing = false;

  function speak(socket: Socket): void {
    const spoken = speakHttp2(socket, limits, {
      open: (stream, head) => service.open(stream, head),
      beforeRead: () => service.beforeRead(),
      afterRead: () => service.afterRead(),
      closed: () => sockets.delete(spoken),
      clock: options.clock,
      onFault: options.check.onFault,
    });
    sockets.add(spoken);
    if (isClosing) spoken.drain();
  }

  const tls = options.tls && (await watchTls(options.tls.files, tlsUse(speak), options.tls.ports));
  return {
    take: (socket) => {
      if (tls === undefined) speak(socket);
      else tls.served.emit('connection', socket);
    },
    setServing: (isServing) => health.setServing(isServing),
    close: () => {
      isClosing = true;
      tls?.stop();
      health.endWatches();
      for (const socket of sockets) socket.drain();
    },
    cut: () => {
      tls?.stop();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function tlsUse(speak: (socket: Socket) => void) {
  return {
    serve: (context: SecureContextOptions): TlsServer => {
      const isMutual = context.ca !== undefined;
      const server = createTlsServer({
        ...context,
        ALPNProtocols: ['h2'],
        requestCert: isMutual,
        rejectUnauthorized: isMutual,
        handshakeTimeout: handshakeTimeoutMs,
      });
      // A failed handshake is the client's affair: its socket is ended by node:tls.
      server.on('tlsClientError', () => undefined);
      return server.on('secureConnection', (socket: TLSSocket) => {
        // RFC 9113 section 3.2: who does not name the protocol may mean another one.
        if (socket.alpnProtocol === 'h2') speak(socket);
        else socket.destroy();
      });
    },
    replace: (server: TlsServer, context: SecureContextOptions): void => {
      server.setSecureContext(context);
    },
  };
}
