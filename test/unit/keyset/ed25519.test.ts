import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { isPointOfEd25519 } from '../../../src/keyset/ed25519.ts';

function encode(y: bigint): Buffer {
  return Buffer.from(Buffer.from(y.toString(16).padStart(64, '0'), 'hex').toReversed());
}

it('BCP-04 public keys that OpenSSL made: on the curve', () => {
  for (let count = 0; count < 50; count += 1) {
    const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    expect(isPointOfEd25519(Buffer.from(x ?? '', 'base64url')), x).toBe(true);
  }
});

const others: Record<string, Buffer> = {
  'y = 2, whose x² is no square': encode(2n),
  'y = 2 with the sign bit': encode(2n + 2n ** 255n),
  'y = 7': encode(7n),
  'y not reduced': encode(2n ** 255n - 19n),
  'too short': Buffer.alloc(31, 1),
  'too long': Buffer.alloc(33, 1),
  empty: Buffer.alloc(0),
};

it.each(Object.entries(others))('BCP-04 %s: not on the curve', (_name, encoded) => {
  expect(isPointOfEd25519(encoded)).toBe(false);
});

it('the point with y = 1: on the curve', () => {
  expect(isPointOfEd25519(encode(1n))).toBe(true);
});
