/**
 * Promises: answers of one issuer about opaque tokens: remembered for a short time by a digest of the token, one question at a time about
 * each token, a bounded number in all, and pauses where the issuer does not answer.
 * Leaves to others: asking (ask-issuer.ts), the other issuers (introspections.ts).
 */
import { createHash } from 'node:crypto';
import { type Step, Stop } from '../decision/step.ts';
import { RequestFailure, type RequestFailureKind } from '../egress/failure.ts';
import type { Timing } from '../egress/ports.ts';
import { retryDelay } from '../egress/renewal.ts';
import { readIntrospection } from '../token/introspected.ts';
import type { Issuer } from '../token/issuer.ts';
import type { VerifiedToken } from '../token/verify.ts';
import { type AnswerMemory, createAnswerMemory } from './answer-memory.ts';
import type { AskIssuer } from './ask-issuer.ts';

export interface IntrospectionObserver {
  /** A question was answered, or not. */
  asked(issuer: string, result: 'active' | 'inactive' | 'refused' | RequestFailureKind): void;
  /** A fault of ours; the question counts as not answered. */
  fault(issuer: string, error: unknown): void;
}

export interface IntrospectionPorts extends Timing {
  readonly ask: AskIssuer;
  readonly observe: IntrospectionObserver;
}

/** A token that is refused is worth less memory and less trust in the answer. */
const refusedMs = 10_000;
const maxAnswers = 10_000;
/** Questions to one issuer at one time; a flood of made-up tokens must not become one at the issuer. */
const maxQuestions = 64;
/** Failures in a row before it is left in peace for a while. */
const patience = 3;

type Answer = Step<VerifiedToken>;

export class IssuerIntrospection {
  readonly #issuer: Issuer;
  readonly #ports: IntrospectionPorts;
  readonly #signal: AbortSignal;
  readonly #answers: AnswerMemory<Answer> = createAnswerMemory(maxAnswers);
  /** Questions that are open, by digest, with what to call when one is answered. */
  readonly #open = new Map<string, Set<(answer: Answer) => void>>();
  #failures = 0;
  #pausedUntilMs = 0;

  constructor(issuer: Issuer, ports: IntrospectionPorts, signal: AbortSignal) {
    this.#issuer = issuer;
    this.#ports = ports;
    this.#signal = signal;
  }

  /** See Introspect. */
  resolve(token: string, waitMs: number): Answer | Promise<Answer> {
    const digest = createHash('sha256').update(token).digest('base64url');
    const known = this.#answers.get(digest, this.#ports.now());
    if (known !== undefined) return known;
    if (waitMs <= 0) return unavailable('no answer in time');
    const open = this.#open.get(digest);
    if (open !== undefined) return this.#wait(open, waitMs);
    if (this.#signal.aborted) return unavailable('stopped');
    if (this.#ports.now() < this.#pausedUntilMs) return unavailable('the issuer has not answered for a while');
    if (this.#open.size >= maxQuestions) return unavailable('too many questions at one time');
    return this.#wait(this.#start(digest, token), waitMs);
  }

  /** The question goes on for the others, and for the memory. */
  #wait(open: Set<(answer: Answer) => void>, waitMs: number): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const onAnswer = (answer: Answer): void => {
      cancel();
      resolve(answer);
    };
    const cancel = this.#ports.schedule(() => {
      open.delete(onAnswer);
      resolve(unavailable('no answer in time'));
    }, waitMs);
    open.add(onAnswer);
    return promise;
  }

  #start(digest: string, token: string): Set<(answer: Answer) => void> {
    const waiting = new Set<(answer: Answer) => void>();
    this.#open.set(digest, waiting);
    this.#run(digest, token, waiting).catch((error: unknown) => this.#ports.observe.fault(this.#issuer.name, error));
    return waiting;
  }

  async #run(digest: string, token: string, waiting: Set<(answer: Answer) => void>): Promise<void> {
    const answer = await this.#ask(digest, token);
    this.#open.delete(digest);
    for (const onAnswer of waiting) onAnswer(answer);
  }

  /** Never rejects: what waits for the answer would wait for ever. */
  async #ask(digest: string, token: string): Promise<Answer> {
    try {
      const said = await this.#ports.ask(this.#issuer, token, this.#signal);
      if (said instanceof RequestFailure) return this.#fail(said.kind);
      this.#failures = 0;
      const answer = readIntrospection(said, this.#issuer);
      this.#remember(digest, answer);
      this.#ports.observe.asked(this.#issuer.name, resultOf(answer));
      return answer;
    } catch (error) {
      this.#ports.observe.fault(this.#issuer.name, error);
      return this.#fail('internal_error');
    }
  }

  #fail(kind: RequestFailureKind): Stop {
    // Who sends tokens that an issuer stumbles over must not be able to stop the questions about those of others.
    if (!isOfToken(kind)) this.#failures += 1;
    if (this.#failures >= patience && !isOfToken(kind)) {
      const pause = retryDelay(this.#failures - patience + 1, this.#ports.random());
      this.#pausedUntilMs = this.#ports.now() + pause;
    }
    if (!this.#signal.aborted) this.#ports.observe.asked(this.#issuer.name, kind);
    return unavailable(kind);
  }

  /** IN-04: never past the end of the token. */
  #remember(digest: string, answer: Answer): void {
    const nowMs = this.#ports.now();
    const limitMs = (this.#issuer.introspection?.cacheSeconds ?? 0) * 1000;
    const forMs =
      answer instanceof Stop ? Math.min(limitMs, refusedMs) : Math.min(limitMs, answer.claims.expiresAt * 1000 - nowMs);
    this.#answers.set(digest, answer, { nowMs, forMs });
  }
}

/** The issuer has answered, and with another token the answer may be another. */
function isOfToken(kind: RequestFailureKind): boolean {
  if (['answer_malformed', 'answer_untrusted', 'too_large', 'oauth_invalid_request'].includes(kind)) return true;
  return kind.startsWith('status_') && !/^status_(?:429|50[234])$/.test(kind);
}

function resultOf(answer: Answer): 'active' | 'inactive' | 'refused' {
  if (!(answer instanceof Stop)) return 'active';
  return answer.reason === 'token_inactive' ? 'inactive' : 'refused';
}

/** IN-05. */
function unavailable(why: string): Stop {
  return new Stop('keys_unavailable', `introspection: ${why}`);
}
