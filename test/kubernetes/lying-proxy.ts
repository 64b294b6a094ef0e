/**
 * A proxy before the API server that passes everything on, until it is told to lie. It ends TLS with a certificate of `test/support`, so
 * clients need a kubeconfig that trusts that one. It counts what it was asked.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer, type RequestOptions, request } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { readTestPem } from '../support/jwks-server.ts';
import type { ApiServer } from './api-server.ts';

export type Lie =
  /** Connections are accepted and closed at once, open ones as well. */
  | { readonly kind: 'drop' }
  /** As `drop`, by a TCP reset. */
  | { readonly kind: 'reset' }
  /** Each piece of each answer is held back for so long. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** A watch ends in the middle of the next line; what else is asked is answered. */
  | { readonly kind: 'truncate' }
  /** In a watch comes a line that no API server writes, and the true ones after it. */
  | { readonly kind: 'gibberish' }
  /** A watch ends with the event that its version is too old. */
  | { readonly kind: 'expire' }
  /** No byte passes in either direction, of new connections either; none is closed. */
  | { readonly kind: 'swallow' }
  /** No byte passes of the connections that are open now; new ones are served. */
  | { readonly kind: 'strand' }
  /** Every request is answered so; open watches are cut off. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>> };

export interface LyingProxy {
  readonly url: string;
  /** PEM of who signed its first certificate. */
  readonly ca: string;
  /** Requests so far, and connections that ended or hang without one. */
  attempts(): number;
  /** Resolves after so many further attempts. */
  attempted(times: number): Promise<void>;
  tell(lie: Lie): void;
  /** From now on everything is passed on; connections that were frozen stay so, as in a network that forgot them. */
  tellTheTruth(): void;
  /** Takes another certificate for new connections, and gives the PEM of who signed it. */
  renewCertificate(): string;
  close(): Promise<void>;
}

export async function startLyingProxy(api: Pick<ApiServer, 'url' | 'ca'>): Promise<LyingProxy> {
  const state = new ProxyState();
  const inner = createServer(
    { cert: readTestPem('server.pem'), key: readTestPem('server-key.pem') },
    (incoming, outgoing) => answer(state, api, { incoming, outgoing }),
  );
  inner.on('tlsClientError', () => {});
  inner.on('clientError', (_error, socket) => socket.destroy());
  const innerPort = await listen(inner);
  const outer = createTcpServer((socket) => accept(state, socket, innerPort));
  const port = await listen(outer);
  return {
    url: `https://127.0.0.1:${port}`,
    ca: readTestPem('ca.pem'),
    attempts: () => state.attempts,
    attempted: (times) => state.attempted(state.attempts + times),
    tell: (lie) => state.tell(lie),
    tellTheTruth: () => state.tell(undefined),
    renewCertificate: () => {
      const [cert, key] = ['renewed.pem', 'renewed-key.pem'].map((name) => readTestPem(`../tls-server/${name}`));
      inner.setSecureContext({ cert, key });
      return cert ?? '';
    },
    close: async () => {
      for (const { client, server } of state.links) {
        client.destroy();
        server.destroy();
      }
      inner.closeAllConnections();
      await Promise.all([inner, outer].map((server) => new Promise((closed) => server.close(closed))));
    },
  };
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** What is true at the moment, and what is open. */
class ProxyState {
  readonly links = new Set<Link>();
  /** Watches that are being passed on. */
  readonly watches = new Set<Watch>();
  lie: Lie | undefined;
  attempts = 0;
  readonly #waiting = new Set<() => void>();

  tell(lie: Lie | undefined): void {
    this.lie = lie;
    if (lie?.kind === 'drop' || lie?.kind === 'reset') for (const { client } of this.links) end(client, lie);
    if (lie?.kind === 'swallow' || lie?.kind === 'strand') for (const link of this.links) freeze(link);
    if (lie?.kind === 'answer') for (const watch of this.watches) watch.outgoing.destroy();
    if (lie?.kind === 'gibberish') for (const watch of this.watches) watch.outgoing.write('<html>{"type":"ADDED"}\n');
    if (lie?.kind === 'expire') for (const watch of this.watches) watch.outgoing.end(expired);
  }

  attempt(): void {
    this.attempts += 1;
    for (const look of this.#waiting) look();
  }

  attempted(goal: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.attempts < goal) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

interface Watch {
  readonly outgoing: ServerResponse;
}

/** How an API server says it within a watch. */
const expired = `${JSON.stringify({
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'too old resource version: 1 (2)',
    reason: 'Expired',
    code: 410,
  },
})}\n`;

function accept(state: ProxyState, client: Socket, port: number): void {
  client.on('error', () => {});
  const { lie } = state;
  if (lie?.kind === 'drop' || lie?.kind === 'reset') {
    state.attempt();
    end(client, lie);
    return;
  }
  const server = connect(port, '127.0.0.1');
  const link = { client, server };
  state.links.add(link);
  server.on('error', () => client.destroy());
  client.on('close', () => {
    state.links.delete(link);
    server.destroy();
  });
  server.on('close', () => {
    if (!frozen.has(client)) client.destroy();
  });
  client.pipe(server);
  server.pipe(client);
  if (lie?.kind === 'swallow') {
    state.attempt();
    freeze(link);
  }
}

function end(client: Socket, lie: Lie): void {
  if (lie.kind === 'reset') client.resetAndDestroy();
  else client.destroy();
}

const frozen = new WeakSet<Socket>();

/** The kernel goes on to acknowledge: to the client it looks like a peer that has nothing to say. */
function freeze({ client, server }: Link): void {
  frozen.add(client);
  client.unpipe(server).pause();
  server.unpipe(client).pause();
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

function answer(state: ProxyState, api: Pick<ApiServer, 'url' | 'ca'>, { incoming, outgoing }: Exchange): void {
  state.attempt();
  const { lie } = state;
  if (lie?.kind === 'answer') {
    answerStatus(outgoing, lie.status, lie.headers ?? {});
    return;
  }
  const options: RequestOptions = {
    ca: api.ca,
    agent: false,
    method: incoming.method,
    headers: { ...incoming.headers, host: new URL(api.url).host },
  };
  const sent = request(`${api.url}${incoming.url}`, options, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    // A watch whose object does not change has no body for a minute; its head goes out at once all the same.
    outgoing.flushHeaders();
    const isWatch = /[?&]watch=(true|1)/.test(incoming.url ?? '') && response.statusCode === 200;
    pass(state, response, { outgoing, isWatch });
  });
  sent.on('error', () => outgoing.destroy());
  outgoing.on('close', () => sent.destroy());
  incoming.pipe(sent);
}

function answerStatus(outgoing: ServerResponse, code: number, headers: Readonly<Record<string, string>>): void {
  const message = STATUS_CODES[code] ?? '';
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code };
  outgoing.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(status));
}

function pass(
  state: ProxyState,
  response: IncomingMessage,
  { outgoing, isWatch }: { readonly outgoing: ServerResponse; readonly isWatch: boolean },
): void {
  const watch: Watch = { outgoing };
  if (isWatch) state.watches.add(watch);
  outgoing.on('close', () => state.watches.delete(watch));
  response.on('data', (chunk: Buffer) => {
    const { lie } = state;
    if (isWatch && lie?.kind === 'truncate') {
      outgoing.end(chunk.subarray(0, chunk.length / 2));
      return;
    }
    hold(lie, () => void outgoing.write(chunk));
  });
  response.on('end', () => hold(state.lie, () => void outgoing.end()));
  response.on('error', () => outgoing.destroy());
  response.on('close', () => {
    if (!response.complete) outgoing.destroy();
  });
}

function hold(lie: Lie | undefined, act: () => void): void {
  if (lie?.kind === 'delay') setTimeout(act, lie.ms);
  else act();
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
