/** What the primary answers its workers. */
import { expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { identityOfClient } from '../../../src/egress/client-tokens.ts';
import { type AnswerParts, createAnswers } from '../../../src/workers/answers.ts';
import type { Question } from '../../../src/workers/message.ts';
import { issuerOf } from '../../support/issuer.ts';

const issuer = issuerOf();
const client = { name: 'billing', issuer, clientId: 'orders', authentication: {}, scopes: ['a'], resource: undefined };
const identity = identityOfClient(client as never);
const key = { kind: 'key', issuer: issuer.issuer, hint: { algorithm: 'ES256', kid: 'k' }, waitMs: 5 } as const;
const token = { kind: 'token', client: 'billing', identity, waitMs: 5 } as const;

interface Found {
  readonly keys: unknown;
  readonly token: unknown;
}

function answers(found: Partial<Found>) {
  const parts = {
    store: { current: () => ({ issuers: new Map([[issuer.issuer, issuer]]), clients: [client] }) },
    keySets: { resolve: () => found.keys },
    clientTokens: { resolve: () => found.token, status: () => new Map([['billing', { leftSeconds: 30 }]]) },
    sender: { memory: { remember: async () => 'repeated' } },
  };
  return createAnswers(parts as unknown as AnswerParts);
}

const unknown = new Stop('key_unknown', 'no such kid');
const missing = { reason: 'key_unknown', detail: 'no such kid' };

const cases: Record<string, [found: Partial<Found>, question: Question, answer: unknown]> = {
  'a key that is there: no stop': [{ keys: [{}] }, key, { kind: 'key', stop: undefined, isAtOnce: true }],
  'a key that is refused at once: said so': [{ keys: unknown }, key, { kind: 'key', stop: missing, isAtOnce: true }],
  'a key that is waited for: said so': [
    { keys: Promise.resolve(unknown) },
    key,
    { kind: 'key', stop: missing, isAtOnce: false },
  ],
  'an issuer of another policy: unavailable': [
    {},
    { ...key, issuer: 'https://other.test' },
    { kind: 'key', stop: { reason: 'keys_unavailable', detail: 'the issuer is not in the policy' }, isAtOnce: true },
  ],
  'a proof: what the one memory says': [
    {},
    { kind: 'proof', proof: { digest: 'd', requestId: '', expiresAtMs: 1 }, nowMs: 0 },
    { kind: 'proof', novelty: 'repeated' },
  ],
  'the token of a client: with the time that it is good': [
    { token: 'ours' },
    token,
    { kind: 'token', token: 'ours', leftMs: 30_000 },
  ],
  'no token: why': [
    { token: new Stop('upstream_token_unavailable', 'client billing: token request: timeout') },
    token,
    {
      kind: 'no_token',
      stop: { reason: 'upstream_token_unavailable', detail: 'client billing: token request: timeout' },
    },
  ],
  'a client of that name that gets another token: none': [
    { token: 'ours' },
    { ...token, identity: identityOfClient({ ...client, scopes: ['b'] } as never) },
    {
      kind: 'no_token',
      stop: { reason: 'upstream_token_unavailable', detail: 'client billing is not in the policy' },
    },
  ],
};

it.each(Object.entries(cases))('%s', async (_name, [found, question, answer]) => {
  expect(await answers(found)(question)).toEqual(answer);
});
