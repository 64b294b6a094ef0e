import { describe, expect, it } from 'vitest';
import { createSenderCheck, type SenderQuestion, type SenderVerdict } from '../../../src/authorizer/sender.ts';
import { directLane } from '../../../src/authorizer/verification-lane.ts';
import type { RequestAttributes } from '../../../src/decision/request.ts';
import { Stop } from '../../../src/decision/step.ts';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import type { Confirmation } from '../../../src/token/confirmation.ts';
import { createNonceSealer } from '../../../src/token/dpop-nonce.ts';
import type { Novelty, ProofMemory, SeenProof } from '../../../src/token/proof-memory.ts';
import type { VerifiedToken } from '../../../src/token/verify.ts';
import { DpopClient } from '../../support/dpop-client.ts';
import { certificateThumbprint, envoyCertificate } from '../../support/proofs.ts';

const nowMs = Date.now();
const host = 'orders.example.com';
const url = `https://${host}/orders/7`;
const text = 'header.payload.signature';
const dpop = new DpopClient();
const x5tS256 = certificateThumbprint('client');
const nonces = createNonceSealer([Buffer.alloc(32, 7)]);

type Wanted = 'none' | 'dpop' | 'mtls' | 'any';

function snapshotOf(senderConstraint: Wanted, nonce: boolean): PolicySnapshot {
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'corp', issuer: 'https://idp.test', audiences: ['api'], senderConstraint, dpop: { nonce } }],
    rules: [{ name: 'orders', hosts: [host], paths: ['/orders/**'] }],
  };
  const { snapshot } = compile(parseDocuments({ name: 'p', text: JSON.stringify(document) }).documents);
  if (snapshot === undefined) throw new Error('the policy of this test is bad');
  return snapshot;
}

interface Asked {
  readonly confirmation?: Confirmation | 'uncheckable' | undefined;
  readonly scheme?: 'Bearer' | 'DPoP';
  readonly wanted?: Wanted;
  readonly nonce?: boolean;
  readonly proofs?: readonly string[];
  readonly certificate?: string;
  readonly path?: string;
  readonly id?: string;
}

function questionOf(asked: Asked): SenderQuestion {
  const snapshot = snapshotOf(asked.wanted ?? 'none', asked.nonce ?? false);
  const issuer = snapshot.issuers.get('https://idp.test');
  const values = (name: string): readonly string[] => (name === 'dpop' ? (asked.proofs ?? []) : []);
  const request: RequestAttributes = {
    id: asked.id ?? 'envoy-1',
    method: 'GET',
    host,
    path: asked.path ?? '/orders/7?page=2',
    certificate: asked.certificate ?? '',
    headers: { values, underscoreNames: [] },
  };
  const token = { issuer, claims: { confirmation: asked.confirmation } } as unknown as VerifiedToken;
  return { scheme: asked.scheme ?? 'Bearer', text, token, request, host, snapshot, waitMs: 100 };
}

class WatchedMemory implements ProofMemory {
  readonly seen: SeenProof[] = [];
  answer: Novelty = 'new';

  async remember(proof: SeenProof): Promise<Novelty> {
    this.seen.push(proof);
    return this.answer;
  }
}

async function ask(asked: Asked, memory = new WatchedMemory()): Promise<string> {
  return shown(await createSenderCheck({ memory, nonces, lane: directLane, now: () => nowMs })(questionOf(asked)));
}

function shown({ stop, nonce }: SenderVerdict): string {
  const [reason, given] = [stop === undefined ? 'passed' : stop.reason, nonce === undefined ? '' : ' with a nonce'];
  return reason + given;
}

const key: Confirmation = { jkt: dpop.thumbprint, x5tS256: undefined };
const certificate: Confirmation = { jkt: undefined, x5tS256 };
const both: Confirmation = { jkt: dpop.thumbprint, x5tS256 };
const own = envoyCertificate('client');
const proofOf = (claims: Readonly<Record<string, unknown>> = {}): readonly string[] => [dpop.proof(url, text, claims)];

const verdicts: Record<string, readonly [asked: Asked, expected: string]> = {
  'an unbound token: passes': [{}, 'passed'],
  'an unbound token with a proof under Bearer, where nobody wants one: passes': [{ proofs: proofOf() }, 'passed'],
  'MT-03 a confirmation that cannot be checked': [{ confirmation: 'uncheckable' }, 'sender_constraint_failed'],
  'MT-01 its certificate': [{ confirmation: certificate, certificate: own }, 'passed'],
  'MT-01 another certificate': [
    { confirmation: certificate, certificate: envoyCertificate('server') },
    'sender_constraint_failed',
  ],
  'MT-01 no certificate': [{ confirmation: certificate }, 'sender_constraint_failed'],
  'DP-13 a bound token under Bearer': [{ confirmation: key, proofs: proofOf() }, 'sender_constraint_failed'],
  'DP-13 an unbound token under DPoP': [{ scheme: 'DPoP', proofs: proofOf() }, 'sender_constraint_failed'],
  'DP-13 a certificate-bound token under DPoP': [
    { confirmation: certificate, certificate: own, scheme: 'DPoP', proofs: proofOf() },
    'sender_constraint_failed',
  ],
  'DP-12 its key': [{ confirmation: key, scheme: 'DPoP', proofs: proofOf() }, 'passed'],
  'DP-12 another key': [
    { confirmation: key, scheme: 'DPoP', proofs: [new DpopClient().proof(url, text)] },
    'sender_constraint_failed',
  ],
  'DP-01 no proof': [{ confirmation: key, scheme: 'DPoP' }, 'dpop_proof_invalid'],
  'DP-01 two proofs, each of them good': [
    { confirmation: key, scheme: 'DPoP', proofs: [...proofOf(), ...proofOf()] },
    'dpop_proof_invalid',
  ],
  'DP-12 MT-01 both, and both shown': [
    { confirmation: both, certificate: own, scheme: 'DPoP', proofs: proofOf() },
    'passed',
  ],
  'DP-12 MT-01 both, without the certificate': [
    { confirmation: both, scheme: 'DPoP', proofs: proofOf() },
    'sender_constraint_failed',
  ],
  'DP-12 MT-01 both, without the proof': [{ confirmation: both, certificate: own }, 'sender_constraint_failed'],
  'DP-13 an issuer that wants keys: an unbound token': [{ wanted: 'dpop' }, 'sender_constraint_failed'],
  'DP-13 an issuer that wants keys: a token with a certificate': [
    { wanted: 'dpop', confirmation: certificate, certificate: own },
    'sender_constraint_failed',
  ],
  'MT-01 an issuer that wants certificates: an unbound token': [
    { wanted: 'mtls', certificate: own },
    'sender_constraint_failed',
  ],
  'MT-01 an issuer that wants certificates: a token with a key': [
    { wanted: 'mtls', confirmation: key, scheme: 'DPoP', proofs: proofOf() },
    'sender_constraint_failed',
  ],
  'an issuer that wants any: an unbound token': [{ wanted: 'any' }, 'sender_constraint_failed'],
  'an issuer that wants any: a key': [
    { wanted: 'any', confirmation: key, scheme: 'DPoP', proofs: proofOf() },
    'passed',
  ],
  'an issuer that wants any: a certificate': [{ wanted: 'any', confirmation: certificate, certificate: own }, 'passed'],
  'DP-10 a nonce is wanted and none came': [
    { nonce: true, confirmation: key, scheme: 'DPoP', proofs: proofOf() },
    'dpop_nonce_required with a nonce',
  ],
  'DP-10 a fresh nonce': [
    { nonce: true, confirmation: key, scheme: 'DPoP', proofs: proofOf({ nonce: nonces.issue(nowMs) }) },
    'passed',
  ],
  'DP-15 an ageing nonce: the next one comes along': [
    { nonce: true, confirmation: key, scheme: 'DPoP', proofs: proofOf({ nonce: nonces.issue(nowMs - 200_000) }) },
    'passed with a nonce',
  ],
  'DP-10 a stale nonce': [
    { nonce: true, confirmation: key, scheme: 'DPoP', proofs: proofOf({ nonce: nonces.issue(nowMs - 400_000) }) },
    'dpop_nonce_required with a nonce',
  ],
  'DP-10 a nonce of somebody else': [
    { nonce: true, confirmation: key, scheme: 'DPoP', proofs: proofOf({ nonce: 'bm9uY2U' }) },
    'dpop_nonce_required with a nonce',
  ],
  'a nonce that nobody asked for: ignored': [
    { confirmation: key, scheme: 'DPoP', proofs: proofOf({ nonce: 'bm9uY2U' }) },
    'passed',
  ],
  'DP-10 a bad proof, whatever its nonce: no nonce is given for it': [
    { nonce: true, confirmation: key, scheme: 'DPoP', proofs: proofOf({ htm: 'PUT' }) },
    'dpop_proof_invalid',
  ],
};

it.each(Object.entries(verdicts))('%s', async (_name, [asked, expected]) => {
  expect(await ask(asked)).toBe(expected);
});

describe('the memory of proofs', () => {
  const good: Asked = { confirmation: key, scheme: 'DPoP', proofs: proofOf() };

  it.each([
    ['repeated', 'dpop_proof_invalid'],
    ['unknown', 'proof_memory_unavailable'],
    ['new', 'passed'],
  ] as const)('DP-14 it says %s: %s', async (answer, expected) => {
    const memory = new WatchedMemory();
    memory.answer = answer;
    expect(await ask(good, memory)).toBe(expected);
  });

  it('DP-14 it is told of good proofs only: a bad one takes no room, and cannot use up the jti of another', async () => {
    const memory = new WatchedMemory();
    const stranger = [new DpopClient().proof(url, text)];
    const asked: Asked[] = [{ proofs: [] }, { proofs: stranger }, { proofs: proofOf({ ath: 'x' }) }, { nonce: true }];
    for (const changes of asked) await ask({ ...good, ...changes }, memory);
    expect(memory.seen).toEqual([]);
  });

  it('DP-14 what it is told: a digest, the id of Envoy, and an end that is past the window of every clock', async () => {
    const memory = new WatchedMemory();
    const iat = Math.floor(nowMs / 1000) - 20;
    await ask({ ...good, proofs: proofOf({ iat }) }, memory);
    expect(memory.seen).toEqual([
      { digest: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), requestId: 'envoy-1', expiresAtMs: (iat + 70) * 1000 },
    ]);
  });

  it('DP-14 the digest: another for another key, jti or target, the same for another spelling, time or signature', async () => {
    const digest = async (client: DpopClient, htu: string, claims: object, path = '/orders/7'): Promise<string> => {
      const memory = new WatchedMemory();
      const confirmation = { jkt: client.thumbprint, x5tS256: undefined };
      await ask({ ...good, confirmation, path, proofs: [client.proof(htu, text, { ...claims })] }, memory);
      return memory.seen[0]?.digest ?? 'none';
    };
    const other = new DpopClient();
    const first = await digest(dpop, url, { jti: 'a' });
    const same = [
      digest(dpop, url, { jti: 'a' }),
      digest(dpop, `HTTPS://${host}:443/x/%2E./orders/7`, { jti: 'a' }),
      digest(dpop, url, { jti: 'a', iat: Math.floor(nowMs / 1000) - 5 }),
    ];
    const different = [
      digest(other, url, { jti: 'a' }),
      digest(dpop, url, { jti: 'b' }),
      digest(dpop, `https://${host}/orders/8`, { jti: 'a' }, '/orders/8'),
    ];
    expect(await Promise.all(same)).toEqual([first, first, first]);
    expect(new Set([first, ...(await Promise.all(different))]).size).toBe(4);
  });

  it('a shadow rule asks about the same request: it is told what came of it, and the memory is not asked twice', async () => {
    const memory = new WatchedMemory();
    const check = createSenderCheck({ memory, nonces, lane: directLane, now: () => nowMs });
    const question = questionOf(good);
    const [first, second] = [await check(question), await check({ ...question })];
    expect([shown(first), shown(second)]).toEqual(['passed', 'passed']);
    expect(memory.seen).toHaveLength(1);
  });

  it('nothing of the proof is in a detail', async () => {
    const marked = proofOf({ jti: 'marked', htu: 'https://marked.example.com/' });
    const check = createSenderCheck({ memory: new WatchedMemory(), nonces, lane: directLane, now: () => nowMs });
    const { stop } = await check(questionOf({ ...good, proofs: marked }));
    expect(stop?.detail).toMatch(/^its htu /);
    expect(stop?.detail).not.toContain('marked');
  });
});

it('a flood of proofs: those that are not reached in time are overloaded, and their proofs are not used up', async () => {
  const memory = new WatchedMemory();
  const lane = { run: () => new Stop('overloaded') };
  const check = createSenderCheck({ memory, nonces, lane, now: () => nowMs });
  expect(shown(await check(questionOf({ confirmation: key, scheme: 'DPoP', proofs: proofOf() })))).toBe('overloaded');
  expect(memory.seen).toEqual([]);
});
