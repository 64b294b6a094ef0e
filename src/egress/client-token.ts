/**
 * Promises: the access token of one client: asked for before anybody needs it, renewed ahead of its end, one attempt at a time, served
 * until its end while renewal fails, and never told to anyone but who asks for it.
 * Leaves to others: the other clients (client-tokens.ts), when to renew (renewal.ts), how (request-token.ts).
 */
import { type Step, Stop } from '../decision/step.ts';
import type { OAuthClient } from '../token/oauth-client.ts';
import { RequestFailure, type RequestFailureKind } from './failure.ts';
import type { ClientTokenObserver, Timing } from './ports.ts';
import { type HeldToken, mayServe, renewalAt, retryDelay, servesUntil } from './renewal.ts';
import type { RequestToken } from './request-token.ts';

export interface ClientTokenStatus {
  /** A token is at hand and good. */
  readonly hasToken: boolean;
  /** Since it was asked for; undefined: none came yet. */
  readonly ageSeconds: number | undefined;
  /** Until it is no longer served; undefined: it is not, at the moment. */
  readonly leftSeconds: number | undefined;
  /** Of the last attempt; undefined: it succeeded, or there was none. */
  readonly lastError: RequestFailureKind | undefined;
}

export interface ClientTokenPorts extends Timing {
  readonly request: RequestToken;
  readonly observe: ClientTokenObserver;
}

export class ClientToken {
  readonly #client: OAuthClient;
  readonly #ports: ClientTokenPorts;
  readonly #abort = new AbortController();
  /** To call when the attempt that is going on has ended; undefined: none is. */
  #flight: Set<() => void> | undefined;
  #held: HeldToken | undefined;
  #failures = 0;
  #lastError: RequestFailureKind | undefined;
  #nextAt = 0;
  #cancelTimer = (): void => {};

  /** Starts the first attempt. */
  constructor(client: OAuthClient, ports: ClientTokenPorts) {
    this.#client = client;
    this.#ports = ports;
    this.#start();
  }

  /** See ResolveClientToken. */
  resolve(waitMs: number): Step<string> | Promise<Step<string>> {
    const token = this.#find();
    if (token !== undefined) return token;
    // A machine that slept has missed its timer.
    if (this.#flight === undefined && this.#ports.now() >= this.#nextAt && !this.#abort.signal.aborted) this.#start();
    return this.#flight === undefined || waitMs <= 0 ? this.#refuse() : this.#wait(this.#flight, waitMs);
  }

  status(): ClientTokenStatus {
    const now = this.#ports.now();
    const held = this.#held;
    const isServing = held !== undefined && mayServe(held, now);
    return {
      hasToken: isServing,
      ageSeconds: held === undefined ? undefined : Math.max(0, now - held.askedAt) / 1000,
      leftSeconds: isServing ? (servesUntil(held) - now) / 1000 : undefined,
      lastError: this.#lastError,
    };
  }

  /** Ends asking. What is at hand keeps serving to those who still ask, within its life. */
  stop(): void {
    this.#cancelTimer();
    this.#abort.abort();
  }

  #find(): string | undefined {
    return this.#held !== undefined && mayServe(this.#held, this.#ports.now()) ? this.#held.accessToken : undefined;
  }

  #refuse(): Stop {
    const why = this.#lastError === undefined ? 'no token in time' : `token request: ${this.#lastError}`;
    return new Stop('upstream_token_unavailable', `client ${this.#client.name}: ${why}`);
  }

  /** Waits for the attempt or until the time is over, whichever is first; the attempt goes on for the others. */
  #wait(flight: Set<() => void>, waitMs: number): Promise<Step<string>> {
    const { promise, resolve } = Promise.withResolvers<Step<string>>();
    const onEnd = (): void => {
      cancel();
      resolve(this.#find() ?? this.#refuse());
    };
    const cancel = this.#ports.schedule(() => {
      flight.delete(onEnd);
      resolve(this.#refuse());
    }, waitMs);
    flight.add(onEnd);
    return promise;
  }

  #start(): void {
    this.#cancelTimer();
    const flight = new Set<() => void>();
    this.#flight = flight;
    this.#run(flight).catch((error: unknown) => this.#ports.observe.fault(this.#client.name, error));
  }

  async #run(flight: Set<() => void>): Promise<void> {
    const askedAt = this.#ports.now();
    const outcome = await this.#request();
    this.#flight = undefined;
    if (outcome instanceof RequestFailure) this.#fail(outcome);
    else this.#hold({ ...outcome, askedAt });
    for (const onEnd of flight) onEnd();
    if (!this.#abort.signal.aborted) this.#ports.observe.requested(this.#client.name, this.#lastError ?? 'ok');
  }

  /** Never rejects: what waits for the attempt would wait for ever. */
  async #request(): Promise<Omit<HeldToken, 'askedAt'> | RequestFailure> {
    try {
      return await this.#ports.request(this.#client, this.#abort.signal);
    } catch (error) {
      this.#ports.observe.fault(this.#client.name, error);
      return new RequestFailure('internal_error');
    }
  }

  #hold(token: HeldToken): void {
    this.#held = token;
    this.#failures = 0;
    this.#lastError = undefined;
    this.#schedule(renewalAt(token, this.#ports.random()));
  }

  // INVARIANT: an attempt that failed starts a pause, whoever caused it; an issuer that is down is not asked once a request.
  #fail({ kind }: RequestFailure): void {
    this.#failures += 1;
    this.#lastError = kind;
    this.#schedule(this.#ports.now() + retryDelay(this.#failures, this.#ports.random()));
  }

  #schedule(at: number): void {
    this.#nextAt = at;
    if (this.#abort.signal.aborted) return;
    this.#cancelTimer = this.#ports.schedule(
      () => {
        if (this.#flight === undefined) this.#start();
      },
      Math.max(0, at - this.#ports.now()),
    );
  }
}
