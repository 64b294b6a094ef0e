/**
 * Promises: the door through which this room gets a public key; the only one that may wait for I/O.
 * Leaves to others: fetching, caching and choosing keys (keyset/).
 */
import type { KeyObject } from 'node:crypto';
import type { Step } from '../decision/step.ts';
import type { Algorithm } from './algorithm.ts';
import type { Issuer } from './issuer.ts';

/**
 * A public key, imported for one algorithm.
 *
 * INVARIANT: while the issuer publishes the same JWK, refreshes keep handing out the same object, and a key that is no longer
 * published is never handed out again. A verified token is remembered together with the object that verified it.
 */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/** What a token's header says about its key. */
export interface KeyHint {
  readonly algorithm: Algorithm;
  readonly kid: string | undefined;
}

/**
 * Finds the keys that may have signed a token: at least one and at most five, or `key_unknown` or `keys_unavailable`.
 *
 * Answers without a promise when the keys are at hand. Waits at most `waitMs` for a fetch, then ends with `keys_unavailable`.
 */
export type ResolveKeys = (
  issuer: Issuer,
  hint: KeyHint,
  waitMs: number,
) => Step<readonly VerificationKey[]> | Promise<Step<readonly VerificationKey[]>>;
