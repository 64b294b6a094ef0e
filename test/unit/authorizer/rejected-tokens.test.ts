import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { createRejectedTokens } from '../../../src/authorizer/rejected-tokens.ts';
import type { VerificationKey } from '../../../src/token/key.ts';

function makeKey(): VerificationKey {
  return { kid: 'k', algorithm: 'EdDSA', key: generateKeyPairSync('ed25519').publicKey };
}

const [one, other] = [makeKey(), makeKey()];
const at = 1_800_000_000_000;

const cases: Readonly<
  Record<string, readonly [token: string, keys: readonly VerificationKey[], nowMs: number, boolean]>
> = {
  'the same token, the same key: known': ['bad', [one], at, true],
  'the same key in another list: known': ['bad', [one, other].slice(0, 1), at + 4999, true],
  'five seconds later: looked at again': ['bad', [one], at + 5000, false],
  'a clock that was set back: looked at again': ['bad', [one], at - 1, false],
  'another token: looked at': ['bae', [one], at, false],
  'another key of the same name: looked at again': ['bad', [other], at, false],
  'one more key: looked at again': ['bad', [one, other], at, false],
  'no key any more: looked at again': ['bad', [], at, false],
};

it.each(Object.entries(cases))('%s', (_name, [token, keys, nowMs, isKnown]) => {
  const rejected = createRejectedTokens();
  rejected.add('bad', [one], at);
  expect(rejected.has(token, keys, nowMs)).toBe(isKnown);
});

it('a flood of tokens that differ: no more than a thousand are held', () => {
  const rejected = createRejectedTokens();
  const tokens = Array.from({ length: 5000 }, (_, index) => `bad-${index}`);
  for (const token of tokens) rejected.add(token, [one], at);
  expect(tokens.filter((token) => rejected.has(token, [one], at)).length).toBeLessThanOrEqual(1000);
});
