import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Algorithm } from '../../../src/token/algorithm.ts';
import { isSignedBy } from '../../../src/token/signature.ts';

const message = Buffer.from('header.payload');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const ed = generateKeyPairSync('ed25519');

const ieee = 'ieee-p1363' as const;
const pss = (saltLength: number) => ({ key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

const good: Record<Algorithm, readonly [pair: typeof rsa, signature: Buffer]> = {
  RS256: [rsa, sign('sha256', message, rsa.privateKey)],
  RS384: [rsa, sign('sha384', message, rsa.privateKey)],
  RS512: [rsa, sign('sha512', message, rsa.privateKey)],
  PS256: [rsa, sign('sha256', message, pss(32))],
  PS384: [rsa, sign('sha384', message, pss(48))],
  PS512: [rsa, sign('sha512', message, pss(64))],
  ES256: [p256, sign('sha256', message, { key: p256.privateKey, dsaEncoding: ieee })],
  ES384: [p384, sign('sha384', message, { key: p384.privateKey, dsaEncoding: ieee })],
  ES512: [p521, sign('sha512', message, { key: p521.privateKey, dsaEncoding: ieee })],
  EdDSA: [ed, sign(null, message, ed.privateKey)],
  Ed25519: [ed, sign(null, message, ed.privateKey)],
};

const rows = Object.entries(good) as [Algorithm, (typeof good)[Algorithm]][];

describe.each(rows)('%s', (algorithm, [{ publicKey }, signature]) => {
  const judge = (bytes: Uint8Array, over = message): boolean => isSignedBy(publicKey, algorithm, over, bytes);

  it('ALG-01 its own signature: good', () => {
    expect(judge(signature)).toBe(true);
  });

  it('ALG-01 another message, a bit, a byte more or less, nothing, zeros: not', () => {
    const flipped = Buffer.from(signature);
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    const others = [flipped, signature.subarray(1), Buffer.concat([signature, Buffer.of(0)]), Buffer.alloc(0)];
    expect([...others, Buffer.alloc(signature.length)].map((bytes) => judge(bytes))).toEqual(Array(5).fill(false));
    expect(judge(signature, Buffer.from('header.payloae'))).toBe(false);
  });

  it('BCP-01 the signature of any other algorithm: not', () => {
    const names: readonly Algorithm[] = algorithm.startsWith('Ed') ? ['EdDSA', 'Ed25519'] : [algorithm];
    const foreign = rows.filter(([name]) => !names.includes(name));
    expect(foreign.filter(([, [, bytes]]) => judge(bytes)).map(([name]) => name)).toEqual([]);
  });
});

it('ALG-04 a salt that is not as long as the digest: not', () => {
  expect(isSignedBy(rsa.publicKey, 'PS256', message, sign('sha256', message, pss(20)))).toBe(false);
  expect(isSignedBy(rsa.publicKey, 'PS256', message, sign('sha256', message, pss(0)))).toBe(false);
});

it('ALG-03 an ECDSA signature in DER: not', () => {
  expect(isSignedBy(p256.publicKey, 'ES256', message, sign('sha256', message, p256.privateKey))).toBe(false);
});

it('BCP-01 a key of another kind than the algorithm: not, and nothing is thrown', () => {
  const keys = [rsa, p256, p384, p521, ed];
  const crossed = rows.flatMap(([name, [pair, bytes]]) =>
    keys.filter((other) => other !== pair).map(({ publicKey }) => [name, isSignedBy(publicKey, name, message, bytes)]),
  );
  expect(crossed.filter(([, isGood]) => isGood)).toEqual([]);
  expect(crossed.length).toBe(44);
});
