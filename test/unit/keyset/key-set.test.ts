import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/keyset/failure.ts';
import { importKeys } from '../../../src/keyset/import-key.ts';
import { chooseKeys, createKeySet, type KeySet, parseJwks } from '../../../src/keyset/key-set.ts';
import type { Algorithm } from '../../../src/token/algorithm.ts';
import { ecJwk, type Jwk, okpJwk, privateEcJwk, rsaJwk } from './test-keys.ts';

async function setOf(...jwks: readonly Jwk[]): Promise<KeySet> {
  const parsed = parseJwks({ keys: jwks });
  if (parsed instanceof Failure) throw new Error(parsed.kind);
  return createKeySet((await importKeys(parsed.jwks, new Map())).keys);
}

describe('parseJwks', () => {
  const failures: Record<string, readonly [document: unknown, kind: string]> = {
    'JWK-01 no keys member: keys_missing': [{}, 'keys_missing'],
    'JWK-01 keys is an object: keys_missing': [{ keys: {} }, 'keys_missing'],
    'JWK-01 a list: keys_missing': [[], 'keys_missing'],
    'JWK-01 keys only on the prototype: keys_missing': [Object.create({ keys: [] }), 'keys_missing'],
    'JWK-07 101 keys: too_many_keys': [{ keys: Array.from({ length: 101 }, () => ({})) }, 'too_many_keys'],
  };

  it.each(Object.entries(failures))('%s', (_name, [document, kind]) => {
    expect(parseJwks(document)).toEqual(new Failure(kind as Failure['kind']));
  });

  it('JWK-07 100 keys: parsed', () => {
    expect(parseJwks({ keys: Array.from({ length: 100 }, () => ({})) })).not.toBeInstanceOf(Failure);
  });

  it('JWK-01 JWK-04 bad keys beside a good one: the good one, and the others counted by reason', () => {
    const keys = [null, 'x', privateEcJwk(), ecJwk('good'), { kty: 'oct', k: 'AA' }, { ...rsaJwk(), use: 'enc' }];
    expect(parseJwks({ keys })).toMatchObject({
      jwks: [{ kid: 'good' }],
      ignored: new Map([
        ['malformed', 2],
        ['private_members', 1],
        ['symmetric', 1],
      ]),
    });
  });
});

describe('chooseKeys', () => {
  type Choice = readonly (string | undefined)[] | 'unfit' | 'unknown';
  const rsa = rsaJwk('rsa');
  const twin = ecJwk('twin');

  const cases: Record<string, readonly [jwks: readonly Jwk[], algorithm: Algorithm, kid: string | undefined, Choice]> =
    {
      'JWS-07 kid: the key of that name': [[ecJwk('a'), ecJwk('b')], 'ES256', 'b', ['b']],
      'JWS-07 kid in other capitals: unknown': [[ecJwk('a')], 'ES256', 'A', 'unknown'],
      'JWS-07 empty kid: the key whose kid is empty': [[ecJwk(''), ecJwk('b')], 'ES256', '', ['']],
      'JWS-07 kid of no key: unknown': [[ecJwk('a')], 'ES256', 'b', 'unknown'],
      'JWS-07 kid where the only key has none: unknown': [[ecJwk()], 'ES256', 'a', 'unknown'],
      'JWS-07 kid like a member of Object: unknown': [[ecJwk('a')], 'ES256', '__proto__', 'unknown'],
      'JWK-03 kid of a key with another alg: unfit': [[{ ...rsa, alg: 'PS256' }], 'RS256', 'rsa', 'unfit'],
      'ALG-03 kid of a key of another type: unfit': [[ecJwk('a')], 'RS256', 'a', 'unfit'],
      'JWK-05 one kid for two types: the one that fits': [[ecJwk('a'), okpJwk('a')], 'EdDSA', 'a', ['a']],
      'JWK-05 one kid for two keys: both': [[ecJwk('a'), ecJwk('a'), ecJwk('b')], 'ES256', 'a', ['a', 'a']],
      'JWK-05 one kid for seven keys: five': [
        Array.from({ length: 7 }, () => ecJwk('a')),
        'ES256',
        'a',
        ['a', 'a', 'a', 'a', 'a'],
      ],
      'JWK-05 the same key twice: once': [[twin, { ...twin }], 'ES256', 'twin', ['twin']],
      'JWK-06 no kid, one key fits: that one': [[ecJwk('a'), okpJwk('b')], 'ES256', undefined, ['a']],
      'JWK-06 no kid, one key without kid fits: that one': [[ecJwk()], 'ES256', undefined, [undefined]],
      'JWK-06 no kid, two keys fit: unfit': [[ecJwk('a'), ecJwk('b')], 'ES256', undefined, 'unfit'],
      'JWK-06 no kid, the one key that fits twice: that one': [[twin, { ...twin }], 'ES256', undefined, ['twin']],
      'JWK-06 no kid, no key fits: unknown': [[okpJwk('b')], 'ES256', undefined, 'unknown'],
      'empty set: unknown': [[], 'ES256', 'a', 'unknown'],
    };

  it.each(Object.entries(cases))('%s', async (_name, [jwks, algorithm, kid, expected]) => {
    const choice = chooseKeys(await setOf(...jwks), { algorithm, kid });
    expect(typeof choice === 'string' ? choice : choice.map((key) => key.kid)).toEqual(expected);
    if (typeof choice !== 'string') expect(choice.every((key) => key.algorithm === algorithm)).toBe(true);
  });
});
