import { expect, it } from 'vitest';
import { createLayeredMemory } from '../../../src/proofs/layered-memory.ts';
import { createLocalProofMemory, type Novelty, type ProofMemory } from '../../../src/token/proof-memory.ts';
import { nowMs, seen } from './scripted-store.ts';

function shared(answer: Novelty): ProofMemory & { asked: number } {
  const memory = {
    asked: 0,
    remember: async () => {
      memory.asked += 1;
      return answer;
    },
  };
  return memory;
}

it('a proof seen here: repeated, and the store is not asked', async () => {
  const store = shared('new');
  const memory = createLayeredMemory(createLocalProofMemory(10), store);
  expect(await memory.remember(seen('a'), nowMs)).toBe('new');
  expect(await memory.remember(seen('a'), nowMs)).toBe('repeated');
  expect(store.asked).toBe(1);
});

it('a proof seen elsewhere: repeated', async () => {
  const memory = createLayeredMemory(createLocalProofMemory(10), shared('repeated'));
  expect(await memory.remember(seen('a'), nowMs)).toBe('repeated');
});

it('the store is away: unknown the first time, repeated the second', async () => {
  const memory = createLayeredMemory(createLocalProofMemory(10), shared('unknown'));
  expect(await memory.remember(seen('a'), nowMs)).toBe('unknown');
  expect(await memory.remember(seen('a'), nowMs)).toBe('repeated');
});

it('no room here: the store decides', async () => {
  const memory = createLayeredMemory(createLocalProofMemory(1), shared('new'));
  await memory.remember(seen('a'), nowMs);
  expect(await memory.remember(seen('b'), nowMs)).toBe('new');
});
