/**
 * Promises: the keys of one issuer: fetched ahead of need, one attempt at a time, served while a newer set is fetched or cannot be,
 * and never taken away by a failed or empty answer (JWK-08, JWK-09).
 * Leaves to others: the other issuers (key-sets.ts), when to fetch (refresh.ts), how (key-source.ts).
 */
import { type Step, Stop } from '../decision/step.ts';
import type { Issuer } from '../token/issuer.ts';
import type { KeyHint, VerificationKey } from '../token/key.ts';
import { Failure, type FailureKind } from './failure.ts';
import { type ImportedKeys, importKeys } from './import-key.ts';
import { chooseKeys, createKeySet, type IgnoredCounts, type KeySet, parseJwks } from './key-set.ts';
import { loadJwks, sourceIdentity } from './key-source.ts';
import type { KeySetPorts } from './ports.ts';
import { afterAttempt, mayServe, onMissingKey, type RefreshOptions, untried } from './refresh.ts';
import { publicKeysOf, type SavedJwks } from './saved-jwks.ts';

export interface KeySetStatus {
  /** Keys are at hand and may serve. */
  readonly hasKeys: boolean;
  /** Since the last good fetch; undefined: none yet, or inline keys, which do not age. */
  readonly ageSeconds: number | undefined;
  /** Of the last attempt; undefined: it succeeded, or there was none. */
  readonly lastError: FailureKind | undefined;
}

type Keys = readonly VerificationKey[];

/** An attempt that is going on. */
interface Flight {
  isForUnknownKey: boolean;
  /** To call when it has ended. */
  readonly waiting: Set<() => void>;
}

/** What an attempt brought. */
interface Landing {
  readonly set: KeySet;
  readonly published: readonly object[];
  readonly ignored: IgnoredCounts;
  readonly maxAgeSeconds: number | undefined;
}

export class IssuerKeys {
  readonly #issuer: Issuer;
  readonly #options: RefreshOptions;
  readonly #ports: KeySetPorts;
  readonly #isInline: boolean;
  readonly #abort = new AbortController();
  #set: KeySet = createKeySet(new Map());
  /** Of the keys at hand, what may be saved. */
  #published: readonly object[] = [];
  #state = untried;
  #flight: Flight | undefined;
  #cancelTimer = (): void => {};

  /** Starts the first attempt. */
  constructor(issuer: Issuer, options: RefreshOptions, ports: KeySetPorts) {
    this.#issuer = issuer;
    this.#options = options;
    this.#ports = ports;
    this.#isInline = issuer.jwks.kind === 'inline';
    this.#start(false);
    this.#restore().catch((error: unknown) => ports.observe.fault(issuer.name, error));
  }

  /** See ResolveKeys. */
  resolve(hint: KeyHint, waitMs: number): Step<Keys> | Promise<Step<Keys>> {
    return this.#find(hint) ?? this.#findMissing(hint, waitMs);
  }

  status(): KeySetStatus {
    const { fetchedAt, failure } = this.#state;
    const age = fetchedAt === undefined || this.#isInline ? undefined : Math.max(0, this.#ports.now() - fetchedAt);
    return {
      hasKeys: this.#isServing() && this.#set.imported.size > 0,
      ageSeconds: age === undefined ? undefined : age / 1000,
      lastError: failure,
    };
  }

  /** What to serve with after a restart; undefined: nothing that would be of use then. */
  toSave(): SavedJwks | undefined {
    const { fetchedAt } = this.#state;
    if (this.#isInline || fetchedAt === undefined || !this.#isServing() || this.#published.length === 0)
      return undefined;
    return { fetchedAt, keys: this.#published };
  }

  /** Ends fetching. What is at hand keeps serving to those who still ask, within its age. */
  stop(): void {
    this.#cancelTimer();
    this.#abort.abort();
  }

  #isServing(): boolean {
    if (this.#isInline) return this.#state.fetchedAt !== undefined;
    return mayServe(this.#state, this.#ports.now(), this.#options);
  }

  /** The answer of the keys at hand; undefined when newer ones may know better. */
  #find(hint: KeyHint): Step<Keys> | undefined {
    if (!this.#isServing()) return undefined;
    const choice = chooseKeys(this.#set, hint);
    if (choice === 'unknown') return undefined;
    return choice === 'unfit' ? new Stop('key_unknown', 'the keys of the issuer do not fit kid and alg') : choice;
  }

  #findMissing(hint: KeyHint, waitMs: number): Step<Keys> | Promise<Step<Keys>> {
    const isForUnknownKey = this.#isServing();
    if (this.#flight !== undefined) {
      // What this attempt does not bring is unknown for a cool-down, although a timer started it.
      this.#flight.isForUnknownKey ||= isForUnknownKey;
      return this.#wait(this.#flight, hint, waitMs);
    }
    const next = this.#onMissingKey();
    if (next !== 'fetch') return this.#refuse(next);
    return this.#wait(this.#start(isForUnknownKey), hint, waitMs);
  }

  #onMissingKey(): 'fetch' | 'key_unknown' | 'keys_unavailable' {
    // Inline keys are all there ever will be.
    if (this.#isInline) return 'key_unknown';
    if (this.#abort.signal.aborted) return 'keys_unavailable';
    return onMissingKey(this.#state, this.#ports.now(), this.#options);
  }

  #refuse(reason: 'key_unknown' | 'keys_unavailable'): Stop {
    if (reason === 'key_unknown') return new Stop(reason, 'no key of the issuer has this kid');
    return new Stop(reason, this.#state.failure === undefined ? 'no keys in time' : `fetch: ${this.#state.failure}`);
  }

  /** Waits for the attempt or until the time is over, whichever is first; the attempt goes on for the others. */
  #wait(flight: Flight, hint: KeyHint, waitMs: number): Step<Keys> | Promise<Step<Keys>> {
    if (waitMs <= 0) return this.#refuse('keys_unavailable');
    const { promise, resolve } = Promise.withResolvers<Step<Keys>>();
    const onLanded = (): void => {
      cancel();
      resolve(this.#find(hint) ?? this.#refuse(this.#afterWaiting()));
    };
    const cancel = this.#ports.schedule(() => {
      flight.waiting.delete(onLanded);
      resolve(this.#refuse('keys_unavailable'));
    }, waitMs);
    flight.waiting.add(onLanded);
    return promise;
  }

  /** A second attempt for the same request would bring nothing that this one did not. */
  #afterWaiting(): 'key_unknown' | 'keys_unavailable' {
    return this.#isInline || this.#state.failure === undefined ? 'key_unknown' : 'keys_unavailable';
  }

  #start(isForUnknownKey: boolean): Flight {
    this.#cancelTimer();
    const flight: Flight = { isForUnknownKey, waiting: new Set() };
    this.#flight = flight;
    this.#run(flight).catch((error: unknown) => this.#ports.observe.fault(this.#issuer.name, error));
    return flight;
  }

  async #run(flight: Flight): Promise<void> {
    const outcome = await this.#load();
    this.#settle(flight, outcome);
    for (const onLanded of flight.waiting) onLanded();
    this.#tell(outcome);
  }

  /** Never rejects: what waits for the attempt would wait for ever. */
  async #load(): Promise<Landing | Failure> {
    try {
      return await this.#loadOrThrow();
    } catch (error) {
      this.#ports.observe.fault(this.#issuer.name, error);
      return new Failure('internal_error');
    }
  }

  async #loadOrThrow(): Promise<Landing | Failure> {
    const loaded = await loadJwks(this.#issuer, this.#ports.get, this.#abort.signal);
    if (loaded instanceof Failure) return loaded;
    const parsed = parseJwks(loaded.document);
    if (parsed instanceof Failure) return parsed;
    const { keys, invalid } = await importKeys(parsed.jwks, this.#set.imported);
    const ignored = invalid === 0 ? parsed.ignored : new Map([...parsed.ignored, ['invalid', invalid] as const]);
    const published = publicKeysOf(loaded.document);
    return { set: createKeySet(keys), published, ignored, maxAgeSeconds: loaded.maxAgeSeconds };
  }

  /** Saved keys are as old as they are: a restart does not let them serve any longer. */
  async #restore(): Promise<void> {
    const saved = this.#isInline ? undefined : this.#ports.saved?.(sourceIdentity(this.#issuer));
    // A time yet to come would be stale too late.
    if (saved === undefined || saved.fetchedAt > this.#ports.now()) return;
    const keys = await importSaved(saved);
    if (keys.size === 0 || this.#state.fetchedAt !== undefined || this.#abort.signal.aborted) return;
    const restored = { ...this.#state, fetchedAt: saved.fetchedAt };
    if (!mayServe(restored, this.#ports.now(), this.#options)) return;
    this.#set = createKeySet(keys);
    this.#published = saved.keys;
    this.#state = restored;
    this.#ports.observe.restored?.(this.#issuer.name, saved.fetchedAt);
  }

  #settle(flight: Flight, outcome: Landing | Failure): void {
    this.#flight = undefined;
    const hasKeys = !(outcome instanceof Failure) && outcome.set.imported.size > 0;
    // INVARIANT: only a set with a key in it takes the place of another one (JWK-09).
    if (hasKeys) {
      this.#set = outcome.set;
      this.#published = outcome.published;
    }
    const attempt = {
      endedAt: this.#ports.now(),
      isForUnknownKey: flight.isForUnknownKey,
      failure: outcome instanceof Failure ? outcome.kind : hasKeys ? undefined : ('no_usable_keys' as const),
      maxAgeSeconds: outcome instanceof Failure ? undefined : outcome.maxAgeSeconds,
      jitter: this.#ports.random(),
    };
    this.#state = afterAttempt(this.#state, attempt, this.#options);
    if (this.#isInline || this.#abort.signal.aborted) return;
    this.#cancelTimer = this.#ports.schedule(() => this.#refresh(), this.#state.nextAt - attempt.endedAt);
  }

  #refresh(): void {
    if (this.#flight === undefined) this.#start(false);
  }

  #tell(outcome: Landing | Failure): void {
    if (this.#abort.signal.aborted) return;
    const { observe } = this.#ports;
    const { name } = this.#issuer;
    if (!this.#isInline) observe.fetched(name, this.#state.failure ?? 'ok');
    if (!(outcome instanceof Failure)) observe.ignored(name, outcome.ignored);
    observe.changed(name);
  }
}

async function importSaved({ keys }: SavedJwks): Promise<ImportedKeys> {
  const parsed = parseJwks({ keys });
  return parsed instanceof Failure ? new Map() : (await importKeys(parsed.jwks, new Map())).keys;
}
