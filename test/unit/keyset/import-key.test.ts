import { CompactSign, compactVerify, exportJWK, generateKeyPair } from 'jose';
import { expect, it } from 'vitest';
import { Failure } from '../../../src/keyset/failure.ts';
import { type ImportedKeys, importKeys } from '../../../src/keyset/import-key.ts';
import { parseJwks } from '../../../src/keyset/key-set.ts';
import type { PublicJwk } from '../../../src/token/public-jwk.ts';
import { ecJwk, everyAlgorithm, offCurveJwk, okpJwk } from './test-keys.ts';

function parsed(...keys: readonly unknown[]): readonly PublicJwk[] {
  const set = parseJwks({ keys });
  if (set instanceof Failure) throw new Error(set.kind);
  return set.jwks;
}

const none: ImportedKeys = new Map();

it.each([...everyAlgorithm])('%s: the imported key verifies what its private half signed', async (algorithm) => {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const { keys } = await importKeys(parsed({ ...(await exportJWK(publicKey)), kid: 'a' }), none);
  const key = [...keys.values()].find((one) => one.algorithm === algorithm);
  const jws = await new CompactSign(Buffer.from('{}')).setProtectedHeader({ alg: algorithm }).sign(privateKey);
  await expect(compactVerify(jws, key!.key, { algorithms: [algorithm] })).resolves.toBeDefined();
});

const bad: Record<string, unknown> = {
  'BCP-04 a point off P-256': offCurveJwk('bad'),
  'BCP-04 the point at zero': {
    ...ecJwk('bad'),
    x: Buffer.alloc(32).toString('base64url'),
    y: Buffer.alloc(32).toString('base64url'),
  },
  'BCP-04 a coordinate that is too short': { ...ecJwk('bad'), x: 'AQ' },
  'BCP-04 a point of P-256 named P-384': { ...ecJwk('bad'), crv: 'P-384' },
  'BCP-04 no point of Ed25519': {
    ...okpJwk('bad'),
    x: Buffer.from([2, ...Array<number>(31).fill(0)]).toString('base64url'),
  },
  'BCP-04 half a point of Ed25519': { ...okpJwk('bad'), x: 'AAAA' },
};

it.each(Object.entries(bad))('JWK-01 %s: counted as invalid, the key beside it is used', async (_name, jwk) => {
  const { keys, invalid } = await importKeys(parsed(jwk, ecJwk('good')), none);
  expect(invalid).toBe(1);
  expect([...keys.values()].map((key) => key.kid)).toEqual(['good']);
});

it('the same JWK again: the same object, whatever else of it changed', async () => {
  const jwk = ecJwk('a');
  const first = await importKeys(parsed(jwk), none);
  const second = await importKeys(parsed(ecJwk('b'), { ...jwk, x5t: 'new', use: 'sig' }), first.keys);
  const again = [...second.keys.values()].find((key) => key.kid === 'a');
  expect(again).toBe([...first.keys.values()][0]);
});

it('JWK-09 a key that is gone: not among the new ones, and another object when it comes back', async () => {
  const jwk = ecJwk('a');
  const first = await importKeys(parsed(jwk), none);
  const second = await importKeys(parsed(ecJwk('b')), first.keys);
  const third = await importKeys(parsed(jwk), second.keys);
  expect([...second.keys.values()].map((key) => key.kid)).toEqual(['b']);
  expect([...third.keys.values()][0]).not.toBe([...first.keys.values()][0]);
});

it('the same kid with other key material: another object', async () => {
  const first = await importKeys(parsed(ecJwk('a')), none);
  const second = await importKeys(parsed(ecJwk('a')), first.keys);
  expect([...second.keys.values()][0]).not.toBe([...first.keys.values()][0]);
});
