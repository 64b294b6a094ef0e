import { describe, expect, it } from 'vitest';
import { type IgnoredKey, readPublicJwk } from '../../../src/token/public-jwk.ts';
import { ecJwk, okpJwk, privateEcJwk, rsaJwk } from '../keyset/test-keys.ts';

const rsa = rsaJwk('rsa');
const ec = ecJwk('ec');
const okp = okpJwk('okp');

/** A modulus of exactly so many bits. */
function modulus(bits: number, leadingZeros = 0): string {
  const value = (1n << BigInt(bits - 1)) + 1n;
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Buffer.from('00'.repeat(leadingZeros) + even, 'hex').toString('base64url');
}

const fitting: Record<string, readonly [jwk: unknown, algorithms: readonly string[]]> = {
  'RSA without alg: all six': [rsa, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  'JWK-03 RSA with alg: that one': [{ ...rsa, alg: 'PS384' }, ['PS384']],
  'ALG-03 P-256: ES256 only': [ec, ['ES256']],
  'ALG-03 P-384: ES384 only': [ecJwk('a', 'P-384'), ['ES384']],
  'ALG-03 P-521: ES512 only': [ecJwk('a', 'P-521'), ['ES512']],
  'ALG-06 Ed25519: both names': [okp, ['EdDSA', 'Ed25519']],
  'JWK-03 Ed25519 with alg EdDSA: that name': [{ ...okp, alg: 'EdDSA' }, ['EdDSA']],
  'JWK-02 use sig: used': [{ ...ec, use: 'sig' }, ['ES256']],
  'JWK-02 key_ops with verify among others: used': [{ ...ec, key_ops: ['verify', 'x'] }, ['ES256']],
  'members we do not know: used': [{ ...ec, x5c: ['MII'], x5t: 'a', nbf: 1 }, ['ES256']],
  'ALG-02 2048 bits: used': [{ ...rsa, n: modulus(2048), alg: 'RS256' }, ['RS256']],
  'ALG-02 2048 bits after leading zero bytes: used': [{ ...rsa, n: modulus(2048, 2), alg: 'RS256' }, ['RS256']],
  'ALG-02 8192 bits: used': [{ ...rsa, n: modulus(8192), alg: 'RS256' }, ['RS256']],
};

it.each(Object.entries(fitting))('%s', (_name, [jwk, algorithms]) => {
  expect(readPublicJwk(jwk)).toMatchObject({ algorithms });
});

const ignored: Record<string, readonly [jwk: unknown, expected: IgnoredKey | undefined]> = {
  'JWK-01 text: malformed': ['key', 'malformed'],
  'JWK-01 null: malformed': [null, 'malformed'],
  'JWK-01 a list: malformed': [[ec], 'malformed'],
  'JWK-01 no kty: unsupported': [{ ...ec, kty: undefined }, 'unsupported'],
  'JWK-01 unknown kty: unsupported': [{ kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }, 'unsupported'],
  'JWK-01 kty in small letters: unsupported': [{ ...ec, kty: 'ec' }, 'unsupported'],
  'JWK-01 RSA without n: malformed': [{ ...rsa, n: undefined }, 'malformed'],
  'JWK-01 RSA with an e that is a number: malformed': [{ ...rsa, e: 65537 }, 'malformed'],
  'JWK-01 EC without y: malformed': [{ ...ec, y: undefined }, 'malformed'],
  'JWK-01 EC without crv: malformed': [{ ...ec, crv: undefined }, 'malformed'],
  'JWK-01 OKP without x: malformed': [{ ...okp, x: undefined }, 'malformed'],
  'JWK-01 padding in base64url: malformed': [{ ...okp, x: `${String(okp['x'])}=` }, 'malformed'],
  'JWK-01 kid that is a number: malformed': [{ ...ec, kid: 7 }, 'malformed'],
  'JWK-01 alg that is a list: malformed': [{ ...ec, alg: ['ES256'] }, 'malformed'],
  'JWK-02 use enc: not for signatures': [{ ...rsa, use: 'enc' }, undefined],
  'JWK-02 use in capitals: not for signatures': [{ ...rsa, use: 'SIG' }, undefined],
  'JWK-02 key_ops without verify: not for signatures': [{ ...ec, key_ops: ['sign'] }, undefined],
  'JWK-02 key_ops empty: not for signatures': [{ ...ec, key_ops: [] }, undefined],
  'JWK-02 key_ops that is text: not for signatures': [{ ...ec, key_ops: 'verify' }, undefined],
  'JWK-03 alg of another family: unsupported': [{ ...ec, alg: 'RS256' }, 'unsupported'],
  'ALG-01 alg HS256 on an RSA key: unsupported': [{ ...rsa, alg: 'HS256' }, 'unsupported'],
  'ALG-01 alg none: unsupported': [{ ...rsa, alg: 'none' }, 'unsupported'],
  'ALG-01 alg RSA-OAEP without use: unsupported': [{ ...rsa, alg: 'RSA-OAEP' }, 'unsupported'],
  'ALG-03 secp256k1: unsupported': [{ ...ec, crv: 'secp256k1' }, 'unsupported'],
  'ALG-03 alg of another curve: unsupported': [{ ...ec, alg: 'ES384' }, 'unsupported'],
  'X25519: unsupported': [{ ...okp, crv: 'X25519' }, 'unsupported'],
  'JWK-04 oct: symmetric': [{ kty: 'oct', k: 'AAAA', kid: 'a' }, 'symmetric'],
  'JWK-04 oct for encryption: symmetric all the same': [{ kty: 'oct', k: 'AAAA', use: 'enc' }, 'symmetric'],
  'JWK-04 a private EC key: private_members': [privateEcJwk(), 'private_members'],
  'JWK-04 k beside RSA: private_members': [{ ...rsa, k: 'AAAA' }, 'private_members'],
  'JWK-04 p, even null: private_members': [{ ...rsa, p: null }, 'private_members'],
  'ALG-02 2047 bits: weak_rsa': [{ ...rsa, n: modulus(2047) }, 'weak_rsa'],
  'ALG-02 1024 bits made long by leading zeros: weak_rsa': [{ ...rsa, n: modulus(1024, 128) }, 'weak_rsa'],
  'ALG-02 8193 bits: weak_rsa': [{ ...rsa, n: modulus(8193) }, 'weak_rsa'],
  'ALG-02 exponent 3: weak_rsa': [{ ...rsa, e: 'Aw' }, 'weak_rsa'],
  'ALG-02 exponent 1: weak_rsa': [{ ...rsa, e: 'AQ' }, 'weak_rsa'],
  'ALG-02 exponent 65535: weak_rsa': [{ ...rsa, e: '__8' }, 'weak_rsa'],
  'ALG-02 exponent 65538, even: weak_rsa': [{ ...rsa, e: 'AQAC' }, 'weak_rsa'],
  'ALG-02 exponent 0: weak_rsa': [{ ...rsa, e: 'AA' }, 'weak_rsa'],
  'ALG-02 exponent of 65 bits: weak_rsa': [{ ...rsa, e: 'AQAAAAAAAAAB' }, 'weak_rsa'],
};

it.each(Object.entries(ignored))('%s', (_name, [jwk, expected]) => {
  const defined =
    typeof jwk === 'object' && jwk !== null && !Array.isArray(jwk) ? JSON.parse(JSON.stringify(jwk)) : jwk;
  expect(readPublicJwk(defined)).toBe(expected);
});

describe('what goes on', () => {
  it('only the public members that make the key', () => {
    expect(readPublicJwk({ ...rsa, x5u: 'https://evil.test', use: 'sig' })).toMatchObject({
      kid: 'rsa',
      material: { kty: 'RSA', n: rsa['n'], e: 'AQAB' },
    });
  });

  it('JWT-14 members of a prototype are not read', () => {
    expect(readPublicJwk(Object.create({ ...ec }))).toBe('unsupported');
  });
});
