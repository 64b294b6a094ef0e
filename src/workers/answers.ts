/**
 * Promises: the primary's answers to what workers ask: keys, proofs and tokens are looked for in one place, whoever asks.
 */
import { Stop } from '../decision/step.ts';
import { identityOfClient } from '../egress/client-tokens.ts';
import type { ServingParts } from '../sidecar/serving.ts';
import type { Answer, Question, SentStop } from './message.ts';

export type AnswerParts = Pick<ServingParts, 'store' | 'keySets' | 'clientTokens' | 'sender'>;

type Of<Kind extends Question['kind']> = Extract<Question, { readonly kind: Kind }>;

export function createAnswers(parts: AnswerParts): (question: Question) => Answer | Promise<Answer> {
  const { store, keySets, clientTokens, sender } = parts;

  function findKey({ issuer: name, hint, waitMs }: Of<'key'>): Answer | Promise<Answer> {
    const issuer = store.current()?.issuers.get(name);
    if (issuer === undefined) return missing(new Stop('keys_unavailable', 'the issuer is not in the policy'), true);
    const found = keySets.resolve(issuer, hint, waitMs);
    return found instanceof Promise ? found.then((step) => missing(step, false)) : missing(found, true);
  }

  async function rememberProof({ proof, nowMs }: Of<'proof'>): Promise<Answer> {
    return { kind: 'proof', novelty: await sender.memory.remember(proof, nowMs) };
  }

  async function findToken({ client: name, identity, waitMs }: Of<'token'>): Promise<Answer> {
    const client = store.current()?.clients.find((candidate) => candidate.name === name);
    // The worker may be a policy behind or ahead: it must not send the token of another client of that name.
    if (client === undefined || identityOfClient(client) !== identity) return withoutToken(name);
    const token = await clientTokens.resolve(client, waitMs);
    if (token instanceof Stop) return { kind: 'no_token', stop: sent(token) };
    return { kind: 'token', token, leftMs: (clientTokens.status().get(name)?.leftSeconds ?? 0) * 1000 };
  }

  return (question) => {
    if (question.kind === 'key') return findKey(question);
    return question.kind === 'proof' ? rememberProof(question) : findToken(question);
  };
}

function missing(step: unknown, isAtOnce: boolean): Answer {
  return { kind: 'key', stop: step instanceof Stop ? sent(step) : undefined, isAtOnce };
}

function withoutToken(client: string): Answer {
  const stop = { reason: 'upstream_token_unavailable', detail: `client ${client} is not in the policy` } as const;
  return { kind: 'no_token', stop };
}

function sent({ reason, detail }: Stop): SentStop {
  return { reason, detail };
}
