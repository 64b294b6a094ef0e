/**
 * Promises: this process's own memory of proofs before the shared one: a proof that comes here twice is refused without a word to the store,
 * also while the store is away or has lost what it knew.
 */
import type { ProofMemory } from '../token/proof-memory.ts';

export function createLayeredMemory(local: ProofMemory, shared: ProofMemory): ProofMemory {
  return {
    remember: async (proof, nowMs) => {
      const here = await local.remember(proof, nowMs);
      // Without room for it here, the shared one still knows.
      return here === 'repeated' ? here : shared.remember(proof, nowMs);
    },
  };
}
