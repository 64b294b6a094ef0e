/**
 * Promises: cases through a real Envoy: a client that writes its own bytes, so that any spelling and any duplicate can be sent, and an
 * upstream that tells what reached it.
 */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import type { Check } from './case-file.ts';
import { type Answer, isGrpc } from './doors.ts';
import type { ClientRequest, HeaderLine } from './request-maker.ts';

type Headers = Map<string, string[]>;

/** Answers 200 to whatever comes over HTTP/1.1 and keeps the headers; takes methods and targets that no library would. */
export class Upstream {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Headers of the requests that came, lower-case names. */
  seen: Headers[] = [];

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Its port on 127.0.0.1. */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    let received = '';
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
        const headers = headersOf(received.slice(0, end));
        const isChunked = headers.get('transfer-encoding')?.join() === 'chunked';
        // Bodies of cases are empty: a chunked one is its last chunk alone.
        const next = end + 4 + (isChunked ? '0\r\n\r\n'.length : 0);
        if (received.length < next) return;
        received = received.slice(next);
        this.seen.push(headers);
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      }
    });
  }
}

/** What the client sees, and what the upstream saw meanwhile. */
export async function envoyAnswer(
  port: number,
  upstream: Upstream,
  check: Check,
  request: ClientRequest,
): Promise<Answer> {
  upstream.seen = [];
  const { status, headers, body } = check.http === 2 ? await askHttp2(port, request) : await askHttp1(port, request);
  const reached = upstream.seen[0];
  if (upstream.seen.length > 1) throw new Error('the upstream was called more than once');
  const common = { status, headers, ...(reached === undefined ? {} : { upstream: reached }) };
  if (reached !== undefined) return { ...common, decision: 'allow' };
  if (status === 200 && !isGrpc(request)) return { ...common, decision: 'answer', body };
  const challenges = headers.get('www-authenticate') ?? [];
  if (isGrpc(request)) return { ...common, decision: 'deny', challenges };
  const reason: unknown = body.startsWith('{') ? Reflect.get(JSON.parse(body) as object, 'reason') : undefined;
  return { ...common, decision: 'deny', challenges, body, reason: typeof reason === 'string' ? reason : undefined };
}

/** Where a client of Envoy sees something else than our answer as it is. */
export function envoyDifferences({ envoy }: Check, answer: Answer): string[] {
  if (envoy === undefined) return [];
  const found = answer.status === envoy.status ? [] : [`status: ${answer.status}, not ${envoy.status}`];
  for (const [name, value] of Object.entries(envoy.headers)) {
    const seen = answer.headers?.get(name)?.join();
    if (seen !== value) found.push(`${name}: ${seen}, not ${value}`);
  }
  return answer.upstream === undefined ? found : [...found, 'the upstream was called'];
}

interface ClientView {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function askHttp1(port: number, { method, path, host, headers }: ClientRequest): Promise<ClientView> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(10_000, () => socket.destroy(new Error('Envoy did not answer')));
  const isClosing = headers.some(([name]) => name.toLowerCase() === 'connection');
  const length: HeaderLine[] = method === 'POST' ? [['content-length', '0']] : [];
  const lines: HeaderLine[] = [
    ['host', host],
    ...headers,
    ...(isClosing ? [] : [['connection', 'close'] as const]),
    ...length,
  ];
  const head = lines.flatMap(([name, value]) => [`${name}: `, value, '\r\n']);
  // In one piece: after a first line that it refuses, Envoy answers, closes and resets what comes later.
  socket.write(Buffer.concat([`${method} ${path} HTTP/1.1\r\n`, ...head, '\r\n'].map((text) => Buffer.from(text))));
  const received = await readAll(socket);
  const end = received.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1]);
  return { status, headers: headersOf(received.slice(0, end)), body: received.slice(end + 4) };
}

async function askHttp2(port: number, { method, path, host, headers }: ClientRequest): Promise<ClientView> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    const lines = new Map<string, string[]>();
    for (const [name, value] of headers)
      lines.set(name.toLowerCase(), [...(lines.get(name.toLowerCase()) ?? []), String(value)]);
    const pseudo = { ':method': method, ':path': path, ':authority': host };
    const stream = session.request({ ...pseudo, ...Object.fromEntries(lines) }, { endStream: true });
    stream.setTimeout(10_000, () => stream.destroy(new Error('Envoy did not answer')));
    const seen: Headers = new Map();
    stream.on('response', (answered) => {
      for (const [name, value] of Object.entries(answered)) seen.set(name, [value].flat().map(String));
    });
    const body = await readAll(stream);
    return { status: Number(seen.get(':status')?.[0]), headers: seen, body };
  } finally {
    session.close();
  }
}

/** The header lines after the first line; names in lower case, values as UTF-8 was sent. */
function headersOf(head: string): Headers {
  const headers: Headers = new Map();
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return headers;
}
