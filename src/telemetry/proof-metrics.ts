/**
 * Promises: what the memory of DPoP proofs answered, and whether the one that replicas share answers at all.
 */
import { Gauge, type Registry } from 'prom-client';
import { scrapedCounter } from './scraped.ts';

/** As `Novelty` of the token room. */
export type ProofResult = 'new' | 'repeated' | 'unknown';

export interface ProofMetrics {
  readonly remembered: (result: ProofResult) => void;
  /** There is no such series where no store is shared. */
  readonly storeUp: (isUp: boolean) => void;
}

export function createProofMetrics(registry: Registry): ProofMetrics {
  // All three from the start: a series that begins with the first refusal could not be alerted on before.
  const counts: Record<ProofResult, number> = { new: 0, repeated: 0, unknown: 0 };
  const total = {
    name: 'scopegate_proof_memory_total',
    help: 'DPoP proofs by what the memory of proofs knew: new, repeated (refused), unknown (503).',
    labelNames: ['result'],
  };
  scrapedCounter(registry, total, () => Object.entries(counts).map(([result, count]) => [{ result }, count] as const));
  let up: Gauge | undefined;
  return {
    remembered: (result) => {
      counts[result] += 1;
    },
    storeUp: (isUp) => {
      up ??= new Gauge({
        name: 'scopegate_proof_store_up',
        help: 'Whether the store of proofs that replicas share answers: 1, or 0.',
        registers: [registry],
      });
      up.set(isUp ? 1 : 0);
    },
  };
}
