/**
 * Promises: the authorizer and the verifier of `serve` asked about one request, at one instant. Keys are those of the policy, or fetched
 * where it says, waited for as long as a fetch may take.
 */
import { createAuthorizer } from '../authorizer/authorize.ts';
import { createSenderCheck, type SenderCheck, uncheckedSender } from '../authorizer/sender.ts';
import { createTokenVerifier, createUnsignedVerifier, type TokenVerifier } from '../authorizer/token-verifier.ts';
import { directLane } from '../authorizer/verification-lane.ts';
import { Stop } from '../decision/step.ts';
import { createKeySets } from '../keyset/key-sets.ts';
import { systemPorts } from '../keyset/ports.ts';
import { defaultRefreshOptions } from '../keyset/refresh.ts';
import type { NonceSealer } from '../token/dpop-nonce.ts';
import type { Introspect } from '../token/introspected.ts';
import type { ResolveKeys } from '../token/key.ts';
import { placeholderTokens } from '../token/oauth-client.ts';
import { createLocalProofMemory } from '../token/proof-memory.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explanation.ts';
import type { Question } from './facts.ts';

/** Two documents of discovery and the keys themselves. */
const keyWaitMs = 15_000;

/** `onFault` is told of what is a fault of ours while keys are fetched. */
export async function explainRequest(question: Question, onFault: (fault: unknown) => void): Promise<Explanation> {
  const now = (): number => question.nowMs;
  const keys = createKeys(onFault);
  const verify: TokenVerifier = question.isSigned
    ? createTokenVerifier(
        { resolveKeys: keys.resolve, introspect: notAsked, lane: directLane, now },
        { ...question, tokenCacheEntries: 0 },
      )
    : createUnsignedVerifier(now, question);
  try {
    const checkSender = question.isSigned ? createSender(now) : uncheckedSender;
    const policy = (): Question['snapshot'] => question.snapshot;
    const authorizer = createAuthorizer({ policy, verify, checkSender, clientToken: placeholderTokens, now });
    return await explain(question, authorizer, keyWaitMs);
  } finally {
    keys.stop();
  }
}

/** The secrets of `serve` are not those of whoever explains a decision. */
const notAsked: Introspect = () => new Stop('keys_unavailable', 'introspection: the issuer is not asked by explain');

/** One request is asked about, with whatever was sent then: that a proof was used before, or that a nonce was ours, is not seen here. */
function createSender(now: () => number): SenderCheck {
  const nonces: NonceSealer = { issue: () => '', judge: () => 'fresh' };
  return createSenderCheck({ memory: createLocalProofMemory(1), nonces, lane: directLane, now });
}

interface Keys {
  readonly resolve: ResolveKeys;
  readonly stop: () => void;
}

/** Of the issuer that is asked for and no other. They are waited for by shadow rules too: where it serves, they are at hand. */
function createKeys(onFault: (fault: unknown) => void): Keys {
  const observe = {
    fetched: ignore,
    ignored: ignore,
    changed: ignore,
    fault: (_: string, fault: unknown) => onFault(fault),
  };
  const keySets = createKeySets(defaultRefreshOptions, systemPorts(observe));
  return {
    resolve: (issuer, hint) => {
      keySets.update([issuer]);
      return keySets.resolve(issuer, hint, keyWaitMs);
    },
    stop: () => keySets.stop(),
  };
}

function ignore(): void {}
