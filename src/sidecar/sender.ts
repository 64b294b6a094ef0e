/**
 * Promises: the check of senders as `serve` runs it, with the memory of proofs and the key of nonces that the settings ask for.
 */
import { randomBytes } from 'node:crypto';
import { createSenderCheck, type SenderCheck } from '../authorizer/sender.ts';
import { createNonceSealer } from '../token/dpop-nonce.ts';
import { createLocalProofMemory } from '../token/proof-memory.ts';

/** About 200 bytes each. */
const maxProofs = 100_000;

export function createSystemSender(): SenderCheck {
  return createSenderCheck({
    memory: createLocalProofMemory(maxProofs),
    nonces: createNonceSealer([randomBytes(32)]),
    now: Date.now,
  });
}
