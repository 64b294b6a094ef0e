/**
 * Promises: the gRPC library's server as a transport, with settings that suit an authorizer beside or behind Envoy.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { addCheckService } from './check-service.ts';
import type { Clock } from './clock.ts';
import { keepalive, maxConcurrentStreams } from './connection-settings.ts';
import { addHealthService } from './health.ts';
import { limitIncompleteRequests, type StreamSource } from './incomplete-requests.ts';
import { startTls } from './tls-reload.ts';
import type { Transport, TransportOptions } from './transport.ts';
import { redirectTransportLog } from './transport-log.ts';

export async function createGrpcJsTransport(options: TransportOptions): Promise<Transport> {
  redirectTransportLog(options.onTransportLog);
  const server = createServer(options.maxMessageBytes);
  const health = addHealthService(server);
  addCheckService(server, options.check);
  const tls = options.tls && (await startTls(options.tls.files, options.tls.ports));
  const take = createConnectionTaker(server, tls?.credentials ?? ServerCredentials.createInsecure(), options.clock);
  return {
    take,
    setServing: (isServing) => health.setServing(isServing),
    close: () => {
      tls?.stop();
      health.endWatches();
      server.tryShutdown(() => undefined);
    },
    cut: () => {
      tls?.stop();
      server.forceShutdown();
    },
  };
}

function serverOptions(maxMessageBytes: number): ServerOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': maxConcurrentStreams,
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    // Books kept on every call for a service that we do not offer.
    'grpc.enable_channelz': 0,
    // No maximum age or idle time of connections: ending one takes from Envoy a connection that it has to replace while requests
    // wait, and gains nothing, because a client that should go elsewhere is told so by a drain.
  };
}

/**
 * Streams that a peer may reset: at most this many at once, and as many again every second.
 *
 * Envoy resets a check when its own client goes away and when its timeout passes. Node's default (1,000, then 33 a second) ends the
 * whole connection with GOAWAY, and with it every other check on it, as soon as clients hang up or keys are slow under ordinary
 * load. This is more than one process answers, so only an attack (CVE-2023-44487) meets it.
 */
const streamResets = { streamResetBurst: 20_000, streamResetRate: 20_000 } as const;

function createServer(maxMessageBytes: number): Server {
  const server = new Server(serverOptions(maxMessageBytes));
  // The library has no option for what it passes to node:http2, so it is added to what it will pass; a test sends 3,000 resets.
  const http2Options: unknown = Reflect.get(server, 'commonServerOptions');
  if (typeof http2Options === 'object' && http2Options !== null) {
    Object.assign(http2Options, streamResets);
  }
  return server;
}

/** Takes a connection over and speaks gRPC on it. */
function createConnectionTaker(server: Server, credentials: ServerCredentials, clock: Clock): (socket: Socket) => void {
  const injector = server.createConnectionInjector(credentials);
  // The library neither limits the time of a request nor shows its streams; the last node:http2 server that it keeps is
  // the one that it has just made.
  const http2Servers: unknown = Reflect.get(server, 'http2Servers');
  const http2Server = http2Servers instanceof Map ? Array.from<unknown>(http2Servers.keys()).at(-1) : undefined;
  if (!isStreamSource(http2Server)) {
    throw new TypeError('the gRPC library keeps its HTTP/2 server elsewhere');
  }
  limitIncompleteRequests(http2Server, clock);
  return (socket) => {
    injector.injectConnection(socket);
  };
}

function isStreamSource(value: unknown): value is StreamSource {
  return value instanceof EventEmitter;
}
