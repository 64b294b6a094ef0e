/**
 * Promises: the keys of every issuer of the policy as another process fetched them, for a process that fetches none: that one decides when
 * keys are fetched and what a token with an unknown key is told, so cool-downs hold for all who ask it.
 * Leaves to others: fetching (key-sets.ts, there), and how the other process is asked.
 */
import { type Step, Stop } from '../decision/step.ts';
import type { Issuer } from '../token/issuer.ts';
import type { KeyHint, ResolveKeys, VerificationKey } from '../token/key.ts';
import { Failure } from './failure.ts';
import { importKeys } from './import-key.ts';
import { ownKeys } from './key-issuer.ts';
import { chooseKeys, createKeySet, type KeySet, parseJwks } from './key-set.ts';
import { sourceIdentity } from './key-source.ts';
import type { SavedJwks } from './saved-jwks.ts';

export interface MissingKeyAnswer {
  /** Undefined: the keys have come. */
  readonly stop: Stop | undefined;
  /** Nothing was waited for: any other key that is missing is refused in the same way. */
  readonly isAtOnce: boolean;
}

export interface MirrorPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long after their fetch keys may serve. */
  readonly maxStaleMs: number;
  /** Asks the other process to find a key that is not here; what it finds is taken before the answer comes. */
  readonly ask: (issuer: string, hint: KeyHint, waitMs: number) => Promise<MissingKeyAnswer>;
}

export interface MirroredKeySets {
  readonly resolve: ResolveKeys;
  /** Takes over the issuers of a new policy, before it is used. */
  update(issuers: Iterable<Issuer>): Promise<void>;
  /** The newest keys, by where they came from. */
  take(keys: Iterable<readonly [source: string, keys: SavedJwks]>): Promise<void>;
}

type Keys = readonly VerificationKey[];

/** How long what was refused at once is refused without asking again: a flood of unknown keys must not become one of questions. */
const refusalMs = 100;

/** The keys of one source. */
class MirroredKeys {
  readonly #ports: MirrorPorts;
  readonly #isInline: boolean;
  #set: KeySet = createKeySet(new Map());
  #fetchedAt: number | undefined;
  #refusal: { readonly stop: Stop; readonly untilMs: number } | undefined;

  constructor(isInline: boolean, ports: MirrorPorts) {
    this.#isInline = isInline;
    this.#ports = ports;
  }

  async take(document: unknown, fetchedAt: number): Promise<void> {
    const parsed = parseJwks(document);
    const jwks = parsed instanceof Failure ? [] : parsed.jwks;
    // Equal keys stay the same objects (the INVARIANT of token/key.ts).
    const { keys } = await importKeys(jwks, this.#set.imported);
    this.#set = createKeySet(keys);
    this.#fetchedAt = fetchedAt;
    this.#refusal = undefined;
  }

  resolve({ issuer }: Issuer, hint: KeyHint, waitMs: number): Step<Keys> | Promise<Step<Keys>> {
    const found = this.#find(hint);
    if (found !== undefined) return found;
    if (this.#isInline) return new Stop('key_unknown', 'no key of the issuer has this kid');
    if (this.#refusal !== undefined && this.#ports.now() < this.#refusal.untilMs) return this.#refusal.stop;
    return waitMs <= 0 ? new Stop('keys_unavailable', 'no keys in time') : this.#ask(issuer, hint, waitMs);
  }

  #find(hint: KeyHint): Step<Keys> | undefined {
    if (this.#fetchedAt === undefined) return undefined;
    if (!this.#isInline && this.#ports.now() - this.#fetchedAt > this.#ports.maxStaleMs) return undefined;
    const choice = chooseKeys(this.#set, hint);
    if (choice === 'unknown') return undefined;
    return choice === 'unfit' ? new Stop('key_unknown', 'the keys of the issuer do not fit kid and alg') : choice;
  }

  async #ask(issuer: string, hint: KeyHint, waitMs: number): Promise<Step<Keys>> {
    const { stop, isAtOnce } = await this.#ports.ask(issuer, hint, waitMs);
    if (stop === undefined) return this.#find(hint) ?? new Stop('keys_unavailable', 'the keys have not come');
    if (isAtOnce) this.#refusal = { stop, untilMs: this.#ports.now() + refusalMs };
    return stop;
  }
}

export function createMirroredKeySets(ports: MirrorPorts): MirroredKeySets {
  let latest: ReadonlyMap<string, SavedJwks> = new Map();
  let sources: ReadonlyMap<string, MirroredKeys> = new Map();
  const keysOf = new WeakMap<Issuer, MirroredKeys>();

  async function update(issuers: Iterable<Issuer>): Promise<void> {
    const next = new Map<string, MirroredKeys>();
    for (const issuer of issuers) {
      const source = sourceIdentity(issuer);
      const keys = next.get(source) ?? sources.get(source) ?? (await mirror(issuer, source));
      next.set(source, keys);
      keysOf.set(issuer, keys);
    }
    sources = next;
    // Keys of issuers that are gone need not be kept for ever.
    latest = new Map([...latest].filter(([source]) => next.has(source)));
  }

  async function mirror(issuer: Issuer, source: string): Promise<MirroredKeys> {
    const { jwks } = issuer;
    const keys = new MirroredKeys(jwks.kind === 'inline', ports);
    const known = latest.get(source);
    if (jwks.kind === 'inline') await keys.take(ownKeys({ keys: jwks.keys }, issuer), 0);
    else if (known !== undefined) await keys.take(known, known.fetchedAt);
    return keys;
  }

  async function take(changed: Iterable<readonly [string, SavedJwks]>): Promise<void> {
    for (const [source, saved] of changed) {
      latest = new Map([...latest, [source, saved]]);
      await sources.get(source)?.take(saved, saved.fetchedAt);
    }
  }

  const resolve: ResolveKeys = (issuer, hint, waitMs) => {
    if (!issuer.algorithms.has(hint.algorithm))
      return new Stop('key_unknown', 'the algorithm is not the one of the issuer');
    const keys = keysOf.get(issuer);
    return keys === undefined
      ? new Stop('keys_unavailable', 'the issuer is not in the policy')
      : keys.resolve(issuer, hint, waitMs);
  };

  return { resolve, update, take };
}
