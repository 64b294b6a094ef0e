/**
 * Promises: one call of our own transport from its first bytes to its end: held while it is incomplete, worked on or refused when it is whole,
 * answered once, and given up when its client does not take the answer.
 */
import { errorCode } from '../http2/frame.ts';
import type { Stream } from '../http2/stream.ts';
import { type CheckPorts, waitBudgetMs } from './check-handler.ts';
import type { WaitingCheck } from './check-queue.ts';
import { answerHead, messagePrefix, okTrailers, refusals } from './grpc-status.ts';
import type { HeldCall, IncompleteCalls } from './incomplete-calls.ts';
import { UnaryCall } from './unary-call.ts';

/** What all calls share. */
export interface CallOwner {
  readonly check: CheckPorts;
  readonly maxMessageBytes: number;
  readonly incomplete: IncompleteCalls;
  closed(stream: Stream): void;
}

/** Takes the whole message of a call. */
export type Method = (call: Call, message: Buffer) => void;

export class Call extends UnaryCall implements HeldCall, WaitingCheck {
  /** What an answer may take, in ms: to the deadline, and no longer than without one. */
  readonly leftMs: number;
  readonly #timeoutMs: number;
  readonly #owner: CallOwner;
  readonly #method: Method | undefined;
  #message: Buffer | undefined;
  /** Of an answer that the client does not take. */
  #blockedBytes = 0;
  #isHeld = false;
  #isOver = false;
  #endTraffic: (() => void) | undefined;

  /** `timeoutMs`: Infinity without a deadline. */
  constructor(
    stream: Stream,
    owner: CallOwner,
    { method, timeoutMs }: { method: Method | undefined; timeoutMs: number },
  ) {
    super(stream, owner.maxMessageBytes);
    this.#owner = owner;
    this.#method = method;
    this.#timeoutMs = timeoutMs;
    this.leftMs = Math.min(timeoutMs, owner.check.waitWithoutDeadlineMs);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Of the message that waits to be worked on. */
  get bytes(): number {
    return this.#message?.length ?? 0;
  }

  override get heldBytes(): number {
    return super.heldBytes + this.#blockedBytes;
  }

  /** Nothing more of it has come yet. */
  hold(): void {
    if (this.isComplete) return;
    this.detachMessage();
    this.#hold();
  }

  override data(chunk: Buffer): void {
    super.data(chunk);
    if (this.#isHeld && !this.isComplete) this.#hold();
  }

  giveUp(reason: 'slow' | 'too_much'): void {
    this.giveUpMessage();
    this.stream.reset(reason === 'slow' ? errorCode.cancel : errorCode.enhanceYourCalm);
  }

  /** `message` is that of a check, which is now to be worked on. */
  begin(message: Buffer): void {
    this.#message = message;
    this.#endTraffic = this.#owner.check.traffic.begin();
  }

  run(waitedMs: number): void {
    const { check, waitWithoutDeadlineMs } = this.#owner.check;
    const message = this.#message ?? Buffer.alloc(0);
    this.#message = undefined;
    try {
      const result = check(message, waitBudgetMs(this.#timeoutMs - waitedMs, waitWithoutDeadlineMs));
      if (result instanceof Uint8Array) this.#respond(result);
      else result.then((bytes) => this.#respond(bytes)).catch((fault: unknown) => this.#fail(fault));
    } catch (fault) {
      this.#fail(fault);
    }
  }

  refuse(waitedMs: number): void {
    const { overloaded } = this.#owner.check;
    if (waitedMs >= this.#timeoutMs) {
      this.stream.finish(refusals.late);
    } else if (overloaded === undefined) {
      this.run(waitedMs);
    } else {
      try {
        this.#respond(overloaded());
      } catch (fault) {
        this.#fail(fault);
      }
    }
  }

  protected override onMessage(message: Buffer): void {
    this.#release();
    this.#method?.(this, message);
  }

  protected override onClosed(): void {
    this.#isOver = true;
    this.#message = undefined;
    this.#release();
    this.#endTraffic?.();
    this.#owner.closed(this.stream);
  }

  #fail(fault: unknown): void {
    this.stream.finish(refusals.fault);
    this.#owner.check.onFault(fault);
  }

  #respond(message: Uint8Array): void {
    this.stream.answer(answerHead, [messagePrefix(message.length), message], okTrailers);
    if (!this.stream.isBlocked) return;
    this.#blockedBytes = message.length;
    this.#hold();
  }

  #hold(): void {
    this.#isHeld = true;
    this.#owner.incomplete.hold(this);
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#owner.incomplete.release(this);
  }
}
