/**
 * Promises: whether the sender of a token may use it (RFC 9449 section 7, RFC 8705 section 3; DP-01 to DP-15, MT-01 to MT-04): what
 * `cnf` binds it to is shown, and it is bound where the issuer's `senderConstraint` wants that. A proof counts once.
 * Leaves to others: the token itself, which is verified before.
 */
import type { RequestAttributes } from '../decision/request.ts';
import { type Step, Stop } from '../decision/step.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { isCertificate } from '../token/client-certificate.ts';
import type { Confirmation } from '../token/confirmation.ts';
import type { NonceSealer } from '../token/dpop-nonce.ts';
import { aheadSeconds, type DpopProof, verifyProof } from '../token/dpop-proof.ts';
import type { Issuer } from '../token/issuer.ts';
import type { ProofMemory } from '../token/proof-memory.ts';
import { normalizeTarget } from '../token/target-uri.ts';
import type { VerifiedToken } from '../token/verify.ts';
import { digestOf } from './proof-digest.ts';
import type { VerificationLane } from './verification-lane.ts';

export interface SenderQuestion {
  readonly scheme: 'Bearer' | 'DPoP';
  /** As it was sent. */
  readonly text: string;
  readonly token: VerifiedToken;
  readonly request: RequestAttributes;
  /** Canonical. */
  readonly host: string;
  readonly snapshot: PolicySnapshot;
  /** How long the proof may wait for its turn. */
  readonly waitMs: number;
}

export interface SenderVerdict {
  /** Undefined: the sender is the right one. */
  readonly stop: Stop | undefined;
  /** For `DPoP-Nonce` of the answer; undefined: none. */
  readonly nonce: string | undefined;
}

/** Never rejects but for a fault of ours. */
export type SenderCheck = (question: SenderQuestion) => SenderVerdict | Promise<SenderVerdict>;

export interface SenderPorts {
  readonly memory: ProofMemory;
  readonly nonces: NonceSealer;
  /** Where signatures are checked. */
  readonly lane: VerificationLane;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const passed: SenderVerdict = { stop: undefined, nonce: undefined };

/** For policy tests and claims that somebody typed: sender proofs are not part of them (interface section 2). Never part of `serve`. */
export const uncheckedSender: SenderCheck = () => passed;

export function createSenderCheck(ports: SenderPorts): SenderCheck {
  /** A shadow rule asks about the same request again, and must not find the proof used. */
  const proven = new WeakMap<RequestAttributes, Promise<SenderVerdict>>();

  return (question) => {
    const { scheme, token, request } = question;
    const confirmation = token.claims.confirmation;
    if (confirmation === 'uncheckable') return failed('cnf has a form or a method that cannot be checked');
    const stop = findUnbound(confirmation, question) ?? findCertificateMismatch(confirmation, request);
    if (stop !== undefined) return { stop, nonce: undefined };
    if (scheme === 'Bearer' || confirmation?.jkt === undefined) return passed;
    const known = proven.get(request);
    if (known !== undefined) return known;
    const verdict = prove(question, confirmation.jkt, ports);
    proven.set(request, verdict);
    return verdict;
  };
}

function failed(detail: string): SenderVerdict {
  return { stop: new Stop('sender_constraint_failed', detail), nonce: undefined };
}

interface WantedBinding {
  readonly isMet: (hasKey: boolean, hasCertificate: boolean) => boolean;
  readonly otherwise: string;
}

const wantedBindings: Readonly<Record<Issuer['senderConstraint'], WantedBinding>> = {
  none: { isMet: () => true, otherwise: '' },
  dpop: { isMet: (hasKey) => hasKey, otherwise: 'the token has no jkt' },
  mtls: { isMet: (_, hasCertificate) => hasCertificate, otherwise: 'the token has no x5t#S256' },
  any: { isMet: (hasKey, hasCertificate) => hasKey || hasCertificate, otherwise: 'the token is bound to no sender' },
};

/** The kind of binding against the scheme and against what the issuer's tokens must have (DP-13). */
function findUnbound(confirmation: Confirmation | undefined, { scheme, token }: SenderQuestion): Stop | undefined {
  const { isMet, otherwise } = wantedBindings[token.issuer.senderConstraint];
  const [hasKey, hasCertificate] = [confirmation?.jkt !== undefined, confirmation?.x5tS256 !== undefined];
  if (scheme === 'DPoP' && !hasKey) return new Stop('sender_constraint_failed', 'scheme DPoP with a token without jkt');
  if (scheme === 'Bearer' && hasKey) return new Stop('sender_constraint_failed', 'scheme Bearer with a token with jkt');
  return isMet(hasKey, hasCertificate) ? undefined : new Stop('sender_constraint_failed', otherwise);
}

function findCertificateMismatch(
  confirmation: Confirmation | undefined,
  { certificate }: RequestAttributes,
): Stop | undefined {
  const x5tS256 = confirmation?.x5tS256;
  if (x5tS256 === undefined || isCertificate(certificate, x5tS256)) return undefined;
  const detail = certificate === '' ? 'no client certificate came' : 'the client certificate is another one';
  return new Stop('sender_constraint_failed', detail);
}

async function prove(question: SenderQuestion, jkt: string, ports: SenderPorts): Promise<SenderVerdict> {
  const { token, request } = question;
  const { nonce: wantsNonce, maxAgeSeconds } = token.issuer.dpop;
  const proof = await ports.lane.run(() => readOnlyProof(question, ports.now()), question.waitMs);
  if (proof instanceof Stop) return { stop: proof, nonce: undefined };
  const nowMs = ports.now();
  const age = wantsNonce ? ageOfNonce(proof, ports.nonces, nowMs) : 'fresh';
  const nonce = age === 'fresh' ? undefined : ports.nonces.issue(nowMs);
  if (age === 'stale') return { stop: new Stop('dpop_nonce_required', 'its nonce is absent or too old'), nonce };
  if (proof.jkt !== jkt) return { ...failed('the proof is made with another key'), nonce };
  const seen = {
    digest: digestOf(proof),
    requestId: request.id,
    expiresAtMs: (proof.issuedAt + maxAgeSeconds + aheadSeconds) * 1000,
  };
  const novelty = await ports.memory.remember(seen, nowMs);
  return { stop: stopByNovelty[novelty], nonce };
}

const stopByNovelty = {
  new: undefined,
  repeated: new Stop('dpop_proof_invalid', 'it was used before'),
  unknown: new Stop('proof_memory_unavailable', 'whether it was used before cannot be found out'),
} as const;

function ageOfNonce(proof: DpopProof, nonces: NonceSealer, nowMs: number): 'fresh' | 'ageing' | 'stale' {
  return proof.nonce === undefined ? 'stale' : nonces.judge(proof.nonce, nowMs);
}

/** DP-01: exactly one. In the map form two arrive as one, joined by a comma, which no JWT has. */
function readOnlyProof({ text, token, request, host, snapshot }: SenderQuestion, nowMs: number): Step<DpopProof> {
  const [value, ...more] = request.headers.values('dpop');
  if (value === undefined || more.length > 0) {
    return new Stop('dpop_proof_invalid', 'not exactly one DPoP header came');
  }
  const path = request.path.split('?', 1).join('');
  const targets = snapshot.proofOrigins(host).map((origin) => normalizeTarget(origin + path) ?? '');
  const { maxAgeSeconds } = token.issuer.dpop;
  return verifyProof(value, { method: request.method, targets, token: text, nowMs, maxAgeSeconds });
}
