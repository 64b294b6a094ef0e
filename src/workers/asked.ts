/**
 * Promises: keys, proofs and tokens as a worker gets them: from the primary, where they are for all workers.
 */
import { Stop } from '../decision/step.ts';
import { identityOfClient } from '../egress/client-tokens.ts';
import type { MirrorPorts } from '../keyset/mirrored-key-sets.ts';
import type { OAuthClient, ResolveClientToken } from '../token/oauth-client.ts';
import type { ProofMemory } from '../token/proof-memory.ts';
import type { Answer, SentStop } from './message.ts';
import type { Questions } from './questions.ts';

/** Four fifths of the time that Envoy gives a check by our settings; the memory that replicas share may take a fifth of it. */
const proofMs = 400;
/** How long a token is used without asking again. */
const heldMs = 5000;

type Ask = Questions['ask'];

/** `taken`: all states that have come until now are in use. */
export function askForKeys(ask: Ask, taken: () => Promise<unknown>): MirrorPorts['ask'] {
  return async (issuer, hint, waitMs) => {
    const answer = await ask({ kind: 'key', issuer, hint, waitMs }, waitMs);
    if (answer?.kind !== 'key') return { stop: new Stop('keys_unavailable', 'no keys in time'), isAtOnce: false };
    await taken();
    return { stop: answer.stop && received(answer.stop), isAtOnce: answer.isAtOnce };
  };
}

export function askForProofs(ask: Ask): ProofMemory {
  return {
    remember: async (proof, nowMs) => {
      // What the primary has no answer for may have been seen: never `new`.
      const answer = await ask({ kind: 'proof', proof, nowMs }, proofMs);
      return answer?.kind === 'proof' ? answer.novelty : 'unknown';
    },
  };
}

interface HeldToken {
  readonly token: string;
  readonly untilMs: number;
}

export function askForTokens(ask: Ask, now: () => number): ResolveClientToken {
  const held = new WeakMap<OAuthClient, HeldToken>();

  async function askFor(client: OAuthClient, waitMs: number): Promise<string | Stop> {
    const question = { kind: 'token', client: client.name, identity: identityOfClient(client), waitMs } as const;
    const answer: Answer | undefined = await ask(question, waitMs);
    if (answer?.kind === 'token') {
      held.set(client, { token: answer.token, untilMs: now() + Math.min(heldMs, answer.leftMs) });
      return answer.token;
    }
    return answer?.kind === 'no_token'
      ? received(answer.stop)
      : new Stop('upstream_token_unavailable', `client ${client.name}: no token in time`);
  }

  return (client, waitMs) => {
    const known = held.get(client);
    return known !== undefined && now() < known.untilMs ? known.token : askFor(client, waitMs);
  };
}

function received({ reason, detail }: SentStop): Stop {
  return new Stop(reason, detail);
}
