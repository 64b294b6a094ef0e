/**
 * Promises: gRPC on our own HTTP/2: Check and health, unary but for the watch of health, and strict about everything else, which is
 * answered with the status that gRPC has for it.
 * Leaves to others: the protocol of a connection (http2/), listeners (connections.ts).
 */
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, type Server as TlsServer } from 'node:tls';
import type { ConnectionLimits } from '../http2/connection.ts';
import { errorCode } from '../http2/frame.ts';
import type { RequestHead } from '../http2/request-head.ts';
import type { Stream, StreamReader } from '../http2/stream.ts';
import { type CheckPorts, checkPath, waitBudgetMs } from './check-handler.ts';
import { handshakeTimeoutMs, maxConcurrentStreams } from './connection-settings.ts';
import { answerHead, messagePrefix, okTrailers, refusals, timeoutMs } from './grpc-status.ts';
import { createHttp2Health, type Http2Health } from './http2-health.ts';
import { type Http2Socket, speakHttp2 } from './http2-socket.ts';
import { createIncompleteCalls, type IncompleteCalls } from './incomplete-calls.ts';
import { createLag, type Lag, systemLagPorts } from './lag.ts';
import { watchTls } from './tls-watch.ts';
import type { Transport, TransportOptions } from './transport.ts';
import { UnaryCall } from './unary-call.ts';

/** A check that has waited for more of its time than this, in its client's eyes, is not begun. */
const maxWaitedShare = 0.4;
/** Prefix of a message. */
const prefixBytes = 5;

export async function createHttp2Transport(options: TransportOptions): Promise<Transport> {
  const sockets = new Set<Http2Socket>();
  const health = createHttp2Health();
  const service = new Service(options, health);
  const limits: ConnectionLimits = {
    maxStreams: maxConcurrentStreams,
    streamWindow: options.maxMessageBytes + prefixBytes,
  };
  let isClosing = false;

  function speak(socket: Socket): void {
    const spoken = speakHttp2(socket, limits, {
      open: (stream, head) => service.open(stream, head),
      afterRead: () => service.afterRead(),
      closed: () => sockets.delete(spoken),
      now: () => options.clock.now(),
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
      return server.on('secureConnection', speak);
    },
    replace: (server: TlsServer, context: SecureContextOptions): void => {
      server.setSecureContext(context);
    },
  };
}

/** `leftMs`: to the deadline; Infinity without one. */
type Method = (stream: Stream, message: Buffer, leftMs: number) => void;

class Service {
  readonly #check: CheckPorts;
  readonly #maxMessageBytes: number;
  readonly #health: Http2Health;
  readonly #incomplete: IncompleteCalls;
  readonly #lag: Lag;
  readonly #methods: ReadonlyMap<string, Method>;
  /** Calls that began in the bytes that are being read. */
  #fresh: Call[] = [];

  constructor({ check, maxMessageBytes, clock }: TransportOptions, health: Http2Health) {
    this.#check = check;
    this.#maxMessageBytes = maxMessageBytes;
    this.#health = health;
    this.#incomplete = createIncompleteCalls(clock);
    this.#lag = createLag({ now: () => performance.now(), ...systemLagPorts });
    this.#methods = new Map<string, Method>([
      [checkPath, (stream, message, leftMs) => this.#onCheck(stream, message, leftMs)],
      ['/grpc.health.v1.Health/Check', (stream, message) => health.check(stream, message)],
      ['/grpc.health.v1.Health/Watch', (stream, message) => health.watch(stream, message)],
    ]);
  }

  open(stream: Stream, head: RequestHead): StreamReader {
    const method = this.#methods.get(head.path);
    const leftMs = timeoutMs(head.timeout);
    const refusal = refusalOf(head, method, leftMs);
    const call = new Call(stream, {
      maxMessageBytes: this.#maxMessageBytes,
      onMessage: (message) => {
        this.#incomplete.release(call);
        method?.(stream, message, leftMs ?? 0);
      },
      onClosed: () => {
        this.#incomplete.release(call);
        call.onEnd?.();
        this.#health.forget(stream);
      },
    });
    if (refusal === undefined) this.#fresh.push(call);
    else call.refuse(refusal);
    return call;
  }

  /** What has not become complete by now is waited for. */
  afterRead(): void {
    if (this.#fresh.length === 0) return;
    for (const call of this.#fresh) {
      if (!call.isComplete) {
        call.incomplete = this.#incomplete;
        this.#incomplete.hold(call);
      }
    }
    this.#fresh = [];
  }

  /** Under overload a check is refused early, at a fraction of its cost, so that those behind it are still in time. */
  #onCheck(stream: Stream, message: Buffer, leftMs: number): void {
    const { overloaded, waitWithoutDeadlineMs } = this.#check;
    const waitedMs = this.#lag.waitedMs();
    if (waitedMs >= leftMs) stream.finish(refusals.late);
    else if (overloaded !== undefined && waitedMs > maxWaitedShare * Math.min(leftMs, waitWithoutDeadlineMs)) {
      respond(stream, overloaded());
    } else this.#answer(stream, message, waitBudgetMs(leftMs - waitedMs, waitWithoutDeadlineMs));
  }

  #answer(stream: Stream, message: Buffer, waitMs: number): void {
    const { check, traffic, onFault } = this.#check;
    const { reader } = stream;
    if (reader instanceof Call) reader.onEnd = traffic.begin();
    function fail(fault: unknown): void {
      stream.finish(refusals.fault);
      onFault(fault);
    }
    try {
      const result = check(message, waitMs);
      if (result instanceof Uint8Array) respond(stream, result);
      else result.then((bytes) => respond(stream, bytes)).catch(fail);
    } catch (fault) {
      fail(fault);
    }
  }
}

function respond(stream: Stream, message: Uint8Array): void {
  stream.answer(answerHead, [messagePrefix(message.length), message], okTrailers);
}

class Call extends UnaryCall {
  onEnd: (() => void) | undefined;
  /** Set when the request was not complete at the end of its first bytes. */
  incomplete: IncompleteCalls | undefined;
  readonly #own: Stream;

  constructor(stream: Stream, ports: ConstructorParameters<typeof UnaryCall>[1]) {
    super(stream, ports);
    this.#own = stream;
  }

  override data(chunk: Buffer): void {
    super.data(chunk);
    if (!this.isComplete) this.incomplete?.hold(this);
  }

  giveUp(reason: 'slow' | 'too_much'): void {
    this.isComplete = true;
    this.#own.reset(reason === 'slow' ? errorCode.cancel : errorCode.enhanceYourCalm);
  }
}

function refusalOf(head: RequestHead, method: Method | undefined, leftMs: number | undefined): Uint8Array | undefined {
  if (head.method !== 'POST') return refusals.notPost;
  if (!/^application\/grpc(?:[+;]|$)/.test(head.contentType ?? '')) return refusals.notGrpc;
  if (method === undefined) return refusals.unknownMethod;
  if (head.encoding !== undefined && head.encoding !== 'identity') return refusals.compressed;
  if (leftMs === undefined) return refusals.badTimeout;
  return leftMs <= 0 ? refusals.late : undefined;
}
