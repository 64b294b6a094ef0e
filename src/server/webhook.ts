/**
 * Promises: one path over HTTPS that takes JSON by POST, for an API server that asks before it stores; with limits that keep a slow, odd or
 * hostile client from costing much. New connections are served with what the TLS files hold now.
 * Leaves to others: what is answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { parseAddress } from './address.ts';
import { limitAdminConnections } from './admin-connections.ts';
import { type Clock, systemClock } from './clock.ts';
import { ListenError, listen } from './listen.ts';
import type { TlsFileError, TlsFiles } from './tls-files.ts';
import { type TlsWatch, watchTls } from './tls-watch.ts';

export interface WebhookAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

export interface WebhookServerOptions {
  /** `HOST:PORT` or `[IPV6]:PORT`. Port 0: any free port. */
  readonly address: string;
  readonly tls: TlsFiles;
  /** The only path that is served, such as `/validate`. */
  readonly path: string;
  /** Longest body that is read, in bytes. */
  readonly maxBodyBytes: number;
  readonly answer: (body: Uint8Array) => Promise<WebhookAnswer>;
  /** Told what `answer` threw; that is a bug. The client gets 500. */
  readonly onFault: (fault: unknown) => void;
  /** The TLS files are bad while the server runs: it goes on with the old ones. */
  readonly onTlsProblem: (problem: TlsFileError) => void;
  readonly onTlsReload: () => void;
  readonly clock?: Clock | undefined;
  /** How long a client may take for its handshake, and then to send its request, in ms. Default 5000. */
  readonly requestTimeoutMs?: number | undefined;
}

export interface WebhookServer {
  /** Returns the real address. Rejects with a ListenError or a TlsFileError. */
  start(): Promise<string>;
  /** Ends the listener and its connections at once. */
  stop(): Promise<void>;
}

/** Connections at one time: some API servers, each with one or two. Each may hold a whole body. */
const maxConnections = 16;

/** The longest time for which an API server waits for a webhook, in ms; a connection without a byte for longer has no use. */
const silenceMs = 30_000;

/**
 * In ms. API servers keep idle connections for 90 s. The side that asks must be the one that ends them: a request that crosses our end
 * of the connection fails, and a POST is not sent again.
 */
const keepAliveMs = 120_000;

function limits(requestTimeoutMs: number): ServerOptions {
  return {
    maxHeaderSize: 16_384,
    handshakeTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    // How often the timeouts are looked at; node's default would stretch them to 30 s.
    connectionsCheckingInterval: requestTimeoutMs / 5,
  };
}

export function createWebhookServer(options: WebhookServerOptions): WebhookServer {
  let watch: TlsWatch<Server> | undefined;
  const sockets = new Set<Socket>();

  function serve(context: SecureContextOptions): Server {
    const server = createServer({ ...limits(options.requestTimeoutMs ?? 5000), ...context }, (request, response) => {
      answer(options, request, response).catch(options.onFault);
    });
    limitAdminConnections(server, maxConnections);
    server.setTimeout(silenceMs);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    return server;
  }

  return {
    start: async () => {
      const { address, tls, clock = systemClock, onTlsProblem: onProblem, onTlsReload: onReload, onFault } = options;
      const parsed = parseAddress(address);
      if (typeof parsed !== 'string' && parsed.kind === 'unix') {
        throw new ListenError(address, 'a unix socket is not supported here');
      }
      const use = {
        serve,
        replace: (server: Server, context: SecureContextOptions) => {
          server.setSecureContext(context);
        },
      };
      watch = await watchTls(tls, use, { clock, onProblem, onReload, onFault });
      return listen(watch.served, address, 0).catch((error: unknown) => {
        watch?.stop();
        throw error;
      });
    },
    stop: async () => {
      watch?.stop();
      await close(watch?.served, sockets);
    },
  };
}

/** Sockets are ended by hand: the server does not know those whose handshake is not done. */
function close(server: Server | undefined, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined) {
      resolve();
      return;
    }
    // Not having been bound is no reason to fail.
    server.close(() => {
      resolve();
    });
    for (const socket of sockets) {
      socket.destroy();
    }
  });
}

async function answer(
  options: WebhookServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A client that goes away while it sends is no fault of ours.
  request.on('error', () => {});
  const refused = refusalOf(options, request);
  const body = refused ?? (await readBody(request, options.maxBodyBytes));
  if (!(body instanceof Uint8Array)) {
    refuse(response, body);
    return;
  }
  try {
    send(response, await options.answer(body));
  } catch (fault) {
    send(response, problem(500, 'internal_error'));
    options.onFault(fault);
  }
}

interface Refusal extends WebhookAnswer {
  readonly headers?: Readonly<Record<string, string>>;
}

/** By what is known before the body. */
function refusalOf({ path, maxBodyBytes }: WebhookServerOptions, request: IncomingMessage): Refusal | undefined {
  const { headers, method, url = '' } = request;
  // An API server appends its timeout as a query.
  if (url.split('?', 1).join('') !== path) {
    return problem(404, 'not_found');
  }
  if (method !== 'POST') {
    return { ...problem(405, 'method_not_allowed'), headers: { allow: 'POST' } };
  }
  const isJson = /^application\/json[\t ]*(?:;|$)/i.test(headers['content-type'] ?? '');
  if (!isJson || headers['content-encoding'] !== undefined) {
    return problem(415, 'unsupported_media_type');
  }
  return Number(headers['content-length'] ?? 0) > maxBodyBytes ? tooLarge : undefined;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | Refusal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of bytesOf(request)) {
      length += chunk.length;
      if (length > maxBytes) {
        return tooLarge;
      }
      chunks.push(chunk);
    }
  } catch {
    return problem(400, 'incomplete_request');
  }
  return Buffer.concat(chunks);
}

/** What is left unread ends with its connection; the answer goes out first. */
function bytesOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}

function problem(status: number, error: string): WebhookAnswer {
  return { status, body: `${JSON.stringify({ error })}\n` };
}

const tooLarge = problem(413, 'body_too_large');

/** The body was not read to its end: what follows on the connection is no request. */
function refuse(response: ServerResponse, { headers, ...refused }: Refusal): void {
  for (const [name, value] of Object.entries({ ...headers, connection: 'close' })) {
    response.setHeader(name, value);
  }
  send(response, refused);
}

function send(response: ServerResponse, { status, body }: WebhookAnswer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
