/**
 * A loopback API server of one namespace that lists and watches ConfigMaps as a real one does, and for single requests does what a real one
 * cannot be made to: each step of a script answers one request, after the last one it behaves.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export type Verb = 'list' | 'watch' | 'create';

export interface Asked {
  readonly verb: Verb;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
  /** Common name of the client certificate. */
  readonly client: string | undefined;
}

export interface Exchange {
  readonly asked: Asked;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Answers this request as if it had come without a script. */
  readonly behave: () => void;
}

export type Step = (exchange: Exchange) => void;

/** What the server knows of a ConfigMap; `labels` is what a label selector is compared with, as a whole. */
export interface Stored {
  readonly data: Readonly<Record<string, string>>;
  readonly labels?: string;
  readonly created?: string;
  readonly binaryData?: Readonly<Record<string, string>>;
}

export interface ScriptedApiServer {
  readonly url: string;
  readonly port: number;
  readonly asked: readonly Asked[];
  /** Steps for the next requests of a verb. */
  script(verb: Verb, ...steps: readonly Step[]): void;
  /** Steps that no request has taken yet. */
  left(): number;
  /** Watches that are open and not of a script. */
  watching(): number;
  connections(): number;
  /** Makes it or changes it; a new one under a name that was deleted has another uid. */
  put(name: string, stored: Stored): void;
  delete(name: string): void;
  /** Sends a line to all that watch now. */
  say(line: string): void;
  /** Ends all watches in an orderly way. */
  endWatches(): void;
  /** Breaks all connections. */
  drop(): void;
  setTls(tls: Pem): void;
  close(): Promise<void>;
}

interface Pem {
  readonly cert: string;
  readonly key: string;
}

export interface ScriptedOptions {
  /** Default plain HTTP. */
  readonly tls?: Pem & { readonly ca?: string };
  readonly port?: number;
}

const namespace = 'shop';

export async function startApiServer({ tls, port = 0 }: ScriptedOptions = {}): Promise<ScriptedApiServer> {
  const objects = new Map<string, Record<string, unknown> & { readonly labels: string }>();
  const history: {
    readonly version: number;
    readonly type: string;
    readonly object: Record<string, unknown>;
    readonly labels: string;
  }[] = [];
  const scripts: Record<Verb, Step[]> = { list: [], watch: [], create: [] };
  const asked: Asked[] = [];
  const watches = new Set<{ readonly url: URL; readonly response: ServerResponse }>();
  const sockets = new Set<Socket>();
  let version = 100;
  let uids = 0;

  const server =
    tls === undefined
      ? createServer(onRequest)
      : createTlsServer(
          {
            cert: tls.cert,
            key: tls.key,
            ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: false }),
          },
          onRequest,
        );
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    });
  }
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const taken = (server.address() as AddressInfo).port;

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://server.test');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const verb: Verb = request.method === 'POST' ? 'create' : url.searchParams.has('watch') ? 'watch' : 'list';
      const peer =
        'getPeerCertificate' in request.socket
          ? (request.socket as { getPeerCertificate(): { subject?: { CN?: string } } }).getPeerCertificate()
          : {};
      const entry = {
        verb,
        url,
        authorization: request.headers.authorization,
        body: Buffer.concat(chunks).toString(),
        client: peer.subject?.CN,
      };
      asked.push(entry);
      const behave = (): void => answer(entry, response);
      const step = scripts[verb].shift();
      if (step === undefined) behave();
      else step({ asked: entry, request, response, behave });
    });
  }

  function answer({ verb, url }: Asked, response: ServerResponse): void {
    if (verb === 'create') {
      json(response, 201, { kind: 'Event' });
      return;
    }
    if (verb === 'list') {
      const items = [...objects.values()].filter((object) => fits(url, object, object.labels));
      json(response, 200, {
        kind: 'ConfigMapList',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(version) },
        items,
      });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch = { url, response };
    watches.add(watch);
    response.on('close', () => watches.delete(watch));
    const from = Number(url.searchParams.get('resourceVersion'));
    for (const entry of history) if (entry.version > from) send(watch, entry);
  }

  function send(
    { url, response }: { url: URL; response: ServerResponse },
    { type, object, labels }: (typeof history)[number],
  ): void {
    // Ended by the script, and not yet closed.
    if (response.writableEnded) return;
    if (fits(url, object, labels)) response.write(`${JSON.stringify({ type, object })}\n`);
  }

  function change(type: string, object: Record<string, unknown>, labels: string): void {
    const entry = { version, type, object, labels };
    history.push(entry);
    for (const watch of watches) send(watch, entry);
  }

  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${taken}`,
    port: taken,
    asked,
    script: (verb, ...steps) => void scripts[verb].push(...steps),
    watching: () => watches.size,
    connections: () => sockets.size,
    left: () => Object.values(scripts).flat().length,
    put: (name, { data, labels = '', created = '2026-11-01T00:00:00Z', binaryData }) => {
      const before = objects.get(name);
      version += 1;
      if (before === undefined) uids += 1;
      const uid = before === undefined ? `uid-${uids}` : (before['metadata'] as { uid: string }).uid;
      const metadata = { namespace, name, uid, resourceVersion: String(version), creationTimestamp: created };
      const object = {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata,
        data,
        ...(binaryData === undefined ? {} : { binaryData }),
      };
      objects.set(name, { ...object, labels });
      change(before === undefined ? 'ADDED' : 'MODIFIED', object, labels);
    },
    delete: (name) => {
      const { labels, ...object } = objects.get(name)!;
      objects.delete(name);
      version += 1;
      change(
        'DELETED',
        { ...object, metadata: { ...(object['metadata'] as object), resourceVersion: String(version) } },
        labels,
      );
    },
    say: (line) => {
      for (const { response } of watches) response.write(line);
    },
    endWatches: () => {
      for (const { response } of watches) response.end();
    },
    drop: () => {
      for (const socket of sockets) {
        // A socket below TLS cannot be reset.
        if (tls === undefined) socket.resetAndDestroy();
        else socket.destroy();
      }
    },
    setTls: (pem) => (server as TlsServer).setSecureContext(pem),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function fits(url: URL, object: Record<string, unknown>, labels: string): boolean {
  const { name } = object['metadata'] as { name: string };
  const field = url.searchParams.get('fieldSelector');
  const label = url.searchParams.get('labelSelector');
  return (field === null || field === `metadata.name=${name}`) && (label === null || label === labels);
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A failure as API servers write it. */
export function refuse(status: number, message = 'as it is written', headers: Record<string, string> = {}): Step {
  return ({ response }) => json(response, status, { kind: 'Status', code: status, message }, headers);
}

/** A watch that begins well and says this. */
export function streamed(text: string, end: 'end' | 'reset' | 'open' = 'end'): Step {
  return ({ request, response }) => {
    response.writeHead(200);
    response.write(text);
    if (end === 'end') response.end();
    // After what was written has gone out.
    if (end === 'reset') setImmediate(() => request.socket.destroy());
  };
}
