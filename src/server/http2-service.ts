/**
 * Promises: gRPC on our own HTTP/2: Check and health, unary but for the watch of health, and strict about everything else, which is
 * answered with the status that gRPC has for it.
 */
import type { RequestHead } from '../http2/request-head.ts';
import type { Stream, StreamReader } from '../http2/stream.ts';
import { Call, type CallOwner, type Method } from './call.ts';
import { type CheckPorts, checkPath } from './check-handler.ts';
import { type CheckQueue, createCheckQueue } from './check-queue.ts';
import { refusals, timeoutMs } from './grpc-status.ts';
import type { Http2Health } from './http2-health.ts';
import { createIncompleteCalls, type IncompleteCalls } from './incomplete-calls.ts';
import type { TransportOptions } from './transport.ts';

export class Http2Service implements CallOwner {
  readonly check: CheckPorts;
  readonly maxMessageBytes: number;
  readonly incomplete: IncompleteCalls;
  readonly #health: Http2Health;
  readonly #queue: CheckQueue;
  readonly #methods: ReadonlyMap<string, Method>;
  /** Calls that began in the bytes that are being read. */
  #fresh: Call[] = [];

  constructor({ check, maxMessageBytes, clock }: TransportOptions, health: Http2Health) {
    this.check = check;
    this.maxMessageBytes = maxMessageBytes;
    this.incomplete = createIncompleteCalls(clock);
    this.#health = health;
    this.#queue = createCheckQueue({ now: () => clock.now(), ...turnPorts });
    this.#methods = new Map<string, Method>([
      [checkPath, (call, message) => this.#onCheck(call, message)],
      ['/grpc.health.v1.Health/Check', ({ stream }, message) => health.check(stream, message)],
      ['/grpc.health.v1.Health/Watch', ({ stream }, message) => health.watch(stream, message)],
    ]);
  }

  open(stream: Stream, head: RequestHead): StreamReader {
    const method = this.#methods.get(head.path);
    const leftMs = timeoutMs(head.timeout);
    const refusal = refusalOf(head, method, leftMs);
    const call = new Call(stream, this, { method, timeoutMs: leftMs ?? 0 });
    if (refusal === undefined) this.#fresh.push(call);
    else call.refuseWith(refusal);
    return call;
  }

  beforeRead(): void {
    this.#queue.beginRead();
  }

  /** What has not become complete by now is waited for. */
  afterRead(): void {
    if (this.#fresh.length === 0) return;
    for (const call of this.#fresh) call.hold();
    this.#fresh = [];
  }

  closed(stream: Stream): void {
    this.#health.forget(stream);
  }

  #onCheck(call: Call, message: Buffer): void {
    call.begin(message);
    this.#queue.offer(call);
  }
}

const turnPorts = {
  afterReads: (task: () => void): void => {
    setImmediate(task);
  },
  // Behind all promises that are settled, and what is written because of them.
  afterWork: (task: () => void): void => {
    process.nextTick(task);
  },
} as const;

function refusalOf(head: RequestHead, method: Method | undefined, leftMs: number | undefined): Uint8Array | undefined {
  if (head.method !== 'POST') return refusals.notPost;
  if (!/^application\/grpc(?:[+;]|$)/.test(head.contentType ?? '')) return refusals.notGrpc;
  if (method === undefined) return refusals.unknownMethod;
  if (head.encoding !== undefined && head.encoding !== 'identity') return refusals.compressed;
  if (leftMs === undefined) return refusals.badTimeout;
  return leftMs <= 0 ? refusals.late : undefined;
}
