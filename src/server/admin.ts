/**
 * Promises: a few read-only pages over HTTP/1.1, for probes and scrapers, with limits that keep a slow or odd client from costing much.
 * Leaves to others: what the pages say.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { parseAddress } from './address.ts';
import { limitAdminConnections } from './admin-connections.ts';
import { ListenError, listen } from './listen.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Makes one page, anew for every request. */
export type AdminRoute = () => AdminAnswer | Promise<AdminAnswer>;

export interface AdminServerOptions {
  /** `HOST:PORT` or `[IPV6]:PORT`. Port 0: any free port. */
  readonly address: string;
  /** By exact path, such as `/readyz`. */
  readonly routes: ReadonlyMap<string, AdminRoute>;
  /** Told what a route threw; that is a bug. The client gets 500. */
  readonly onFault: (fault: unknown) => void;
  /** How long a client may take to send its request, in ms. Default 2000. */
  readonly requestTimeoutMs?: number | undefined;
}

export interface AdminServer {
  /** Returns the real address. Rejects with a ListenError. */
  start(): Promise<string>;
  /** Ends the listener and its connections at once. */
  stop(): Promise<void>;
}

/** Probes and scrapers send a few hundred bytes at once; who needs longer holds a socket for nothing. */
function limits(requestTimeoutMs: number): ServerOptions {
  return {
    maxHeaderSize: 8192,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 5000,
    // How often the timeouts are looked at; node's default would stretch them to 30 s.
    connectionsCheckingInterval: requestTimeoutMs / 5,
  };
}

/** Connections at one time: some probes and scrapers, each with one. */
const maxConnections = 256;

/** A page is made and goes out at once; a client that takes nothing of it for this time, in ms, is cut off. */
const silenceMs = 5000;

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const server = createServer(limits(options.requestTimeoutMs ?? 2000), (request, response) => {
    answer(options, request, response).catch(options.onFault);
  });
  limitAdminConnections(server, maxConnections);
  server.setTimeout(silenceMs);
  return {
    start: async () => {
      const address = parseAddress(options.address);
      if (typeof address !== 'string' && address.kind === 'unix') {
        throw new ListenError(options.address, 'a unix socket is not supported here');
      }
      return listen(server, options.address, 0);
    },
    stop: () => stop(server),
  };
}

async function answer(options: AdminServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = options.routes.get(pathOf(request));
  if (route === undefined) {
    send(request, response, problem(404, 'not_found'));
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(request, response, problem(405, 'method_not_allowed'));
    return;
  }
  try {
    send(request, response, await route());
  } catch (fault) {
    send(request, response, problem(500, 'internal_error'));
    options.onFault(fault);
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1).join('');
}

function problem(status: number, error: string): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify({ error })}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, page: AdminAnswer): void {
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'content-length': Buffer.byteLength(page.body),
    // What a page says is true for this moment only.
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Not having been started is no reason to fail.
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
