/**
 * A loopback HTTP(S) server that plays an issuer: JWKS at `/jwks`, metadata where a test puts it, and any way of answering badly.
 * It counts requests by path and lets a test wait for the n-th one.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** How one request is answered; everything is optional. */
export interface Answer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes go out as they are, anything else as JSON. */
  readonly body?: unknown;
  /** Waits before the first byte. */
  readonly delayMs?: number;
  /** `hang`: no byte ever; `drip`: headers and a byte of body, then a byte every 5 ms for ever; `reset`: the connection breaks in the body. */
  readonly fault?: 'hang' | 'drip' | 'reset';
}

/** An answer, or what makes one for the n-th request (from 1) of that path. */
export type Answers = Answer | ((count: number) => Answer);

export interface JwksServer {
  /** `http://127.0.0.1:PORT` or `https://localhost:PORT`, without a slash at its end. */
  readonly origin: string;
  /** `origin` + `/jwks`. */
  readonly jwksUri: string;
  /** Every request so far: `GET /path?query`. */
  readonly requests: readonly string[];
  /** Sets how a path is answered from now on; a path nobody set is 404. */
  serve(path: string, answers: Answers): void;
  /** Publishes a JWK Set at `/jwks`: the way to rotate keys. */
  publish(keys: readonly unknown[], headers?: Readonly<Record<string, string>>): void;
  /** Publishes OpenID metadata for `origin` + `path`; `overrides` replace or add members. */
  discover(path?: string, overrides?: Readonly<Record<string, unknown>>): void;
  /** Requests of a path, without query, so far. */
  count(path: string): number;
  /** Resolves when a path was asked for `times` times in all. */
  asked(path: string, times: number): Promise<void>;
  /** Breaks open connections and stops listening. */
  close(): Promise<void>;
}

export interface JwksServerOptions {
  /** HTTPS with the certificate of `test/support/tls`. Default false. */
  readonly tls?: boolean;
  /** Default any free one: to come back where a closed server was. */
  readonly port?: number;
}

/** PEM files of `test/support/tls`. */
export function readTestPem(name: string): string {
  return readFileSync(new URL(`tls/${name}`, import.meta.url), 'utf8');
}

export async function startJwksServer({ tls = false, port = 0 }: JwksServerOptions = {}): Promise<JwksServer> {
  const answers = new Map<string, Answers>();
  const requests: string[] = [];
  const counts = new Map<string, number>();
  const watchers = new Set<() => void>();

  const listener: RequestListener = (request, response) => {
    const path = pathOf(request);
    const times = count(path) + 1;
    counts.set(path, times);
    requests.push(`${request.method} ${request.url}`);
    for (const look of watchers) look();
    const found = answers.get(path) ?? { status: 404, body: 'not here' };
    reply(response, typeof found === 'function' ? found(times) : found);
  };
  const server = tls
    ? createTlsServer({ cert: readTestPem('server.pem'), key: readTestPem('server-key.pem') }, listener)
    : createServer(listener);
  // A client that breaks off a handshake is what some tests are about.
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const origin = tls ? `https://localhost:${bound}` : `http://127.0.0.1:${bound}`;

  function count(path: string): number {
    return counts.get(path) ?? 0;
  }

  return {
    origin,
    jwksUri: `${origin}/jwks`,
    requests,
    serve: (path, answer) => void answers.set(path, answer),
    publish: (keys, headers = {}) => void answers.set('/jwks', { headers, body: { keys } }),
    discover: (path = '', overrides = {}) => {
      const body = { issuer: `${origin}${path}`, jwks_uri: `${origin}/jwks`, ...overrides };
      answers.set(`${path}/.well-known/openid-configuration`, { body });
    },
    count,
    asked: (path, times) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (count(path) < times) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/\?.*$/s, '');
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer.fault === 'hang') return;
  if (answer.delayMs === undefined) return write(response, answer);
  const timer = setTimeout(() => write(response, answer), answer.delayMs);
  response.on('close', () => clearTimeout(timer));
}

function write(response: ServerResponse, { status = 200, headers = {}, body, fault }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  if (fault === 'drip') return drip(response);
  if (fault === 'reset') {
    response.write('{"keys":[');
    setImmediate(() => response.destroy());
    return;
  }
  response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body ?? {}));
}

function drip(response: ServerResponse): void {
  response.write('{');
  const timer = setInterval(() => response.write(' '), 5);
  response.on('close', () => clearInterval(timer));
}
