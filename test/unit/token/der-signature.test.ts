import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derSignature } from '../../../src/token/der-signature.ts';
import { isSignedBy } from '../../../src/token/signature.ts';

const cases: Readonly<Record<string, readonly [r: string, s: string, der: string]>> = {
  'small numbers: one byte each': ['00000001', '0000007f', '300602010102017f'],
  'the first bit set: a zero before it': ['00000080', 'ffffffff', '300b02020080020500ffffffff'],
  'zeros in front: left out': ['00ff0000', '00010000', '300b020400ff00000203010000'],
  'zero: one byte, which OpenSSL refuses': ['00000000', '00000000', '3006020100020100'],
};

describe('derSignature', () => {
  it.each(Object.entries(cases))('%s', (_name, [r, s, der]) => {
    expect(derSignature(Buffer.from(r + s, 'hex')).toString('hex')).toBe(der);
  });

  it('numbers of P-521: a length of two bytes', () => {
    expect(derSignature(Buffer.alloc(132, 1)).subarray(0, 5).toString('hex')).toBe('3081880242');
  });
});

describe.each([
  ['ES256', 'P-256', 600],
  ['ES384', 'P-384', 100],
  ['ES512', 'P-521', 300],
] as const)('RFC 7518 section 3.4 %s', (algorithm, namedCurve, count) => {
  it('many signatures, short numbers among them: all good, and none for another message', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const judged = Array.from({ length: count }, (_, index) => {
      const message = createHash('sha256').update(String(index)).digest();
      const signature = sign(`sha${algorithm.slice(2)}`, message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const isGood = isSignedBy(publicKey, algorithm, message, signature);
      return isGood && !isSignedBy(publicKey, algorithm, Buffer.from('other'), signature);
    });
    expect(judged.filter((isRight) => !isRight)).toEqual([]);
    // Some 1 of 128 numbers is shorter than the others: without any, this would not have been tried.
    expect(judged).toHaveLength(count);
  });
});
