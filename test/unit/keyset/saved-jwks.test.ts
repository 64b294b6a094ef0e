import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { publicKeysOf, type SavedJwks } from '../../../src/keyset/saved-jwks.ts';
import { createHarness, type Harness, hour, minute, second } from './key-sets-harness.ts';
import { ecJwk, issuerOf, offCurveJwk, privateEcJwk, rsaJwk } from './test-keys.ts';

const corp = issuerOf('corp');
const host = 'corp.test';
const old = ecJwk('old');
const fresh = ecJwk('fresh');

/** The kids, or the reason. */
async function ask(harness: Harness, kid: string, waitMs = 0): Promise<string> {
  const step = await harness.keySets.resolve(corp, { algorithm: 'ES256', kid }, waitMs);
  return step instanceof Stop ? step.reason : step.map((key) => key.kid).join(' ');
}

/** An issuer that is down, and keys that were saved `ageMs` before the start. */
async function restarted(ageMs: number, keys: readonly object[] = [old]): Promise<Harness> {
  const harness = createHarness({}, (_source, startMs) => ({ fetchedAt: startMs - ageMs, keys }));
  harness.answer(host, 'connect');
  harness.keySets.update([corp]);
  await harness.settled();
  return harness;
}

describe('JWK-08 saved keys', () => {
  it('the issuer is down: they serve, are told with their age, and are saved again as they are', async () => {
    const harness = await restarted(hour);
    expect([await ask(harness, 'old'), harness.restored]).toEqual(['old', [`corp ${hour}`]]);
    expect(harness.keySets.status().get('corp')).toEqual({ hasKeys: true, ageSeconds: 3600, lastError: 'connect' });
    expect([...harness.keySets.toSave().values()]).toMatchObject([{ keys: [old] }]);
  });

  it('a restart makes them no younger: they end when they would have', async () => {
    const harness = await restarted(24 * hour - minute);
    expect(await ask(harness, 'old')).toBe('old');
    await harness.advance(minute + second);
    expect([await ask(harness, 'old'), harness.keySets.toSave().size]).toEqual(['keys_unavailable', 0]);
  });

  const useless: Record<string, [ageMs: number, keys: readonly object[]]> = {
    'older than --jwks-max-stale': [24 * hour + second, [old]],
    'from a time yet to come': [-second, [old]],
    'none of them a key': [hour, [{ kty: 'oct', k: 'AAAA' }, offCurveJwk('x')]],
    'no key at all': [hour, []],
    'more than a set may hold': [hour, Array.from({ length: 101 }, () => old)],
  };

  it.each(Object.entries(useless))('%s: not used', async (_name, [ageMs, keys]) => {
    const harness = await restarted(ageMs, keys);
    expect([await ask(harness, 'old'), harness.restored, harness.faults]).toEqual(['keys_unavailable', [], []]);
    expect(harness.keySets.status().get('corp')?.hasKeys).toBe(false);
  });

  it('the issuer answers: its keys take their place', async () => {
    const harness = await restarted(hour);
    harness.answer(host, { keys: [fresh] });
    await harness.advance(minute);
    expect([await ask(harness, 'fresh'), await ask(harness, 'old', 200)]).toEqual(['fresh', 'key_unknown']);
    expect([...harness.keySets.toSave().values()]).toMatchObject([{ keys: [{ kid: 'fresh' }] }]);
  });

  it('the issuer does not answer yet: they serve meanwhile', async () => {
    const harness = createHarness({}, (_source, startMs) => ({ fetchedAt: startMs - hour, keys: [old] }));
    harness.answer(host, 'hang');
    harness.keySets.update([corp]);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(await ask(harness, 'old')).toBe('old');
    await harness.release(host, { keys: [fresh] });
    await harness.settled();
    expect(await ask(harness, 'fresh')).toBe('fresh');
  });

  it('the issuer answers before all of them are read: its keys stay', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ ...old, kid: `${index}` }));
    const harness = createHarness({}, (_source, startMs) => ({ fetchedAt: startMs - hour, keys: many }));
    harness.answer(host, { keys: [fresh] });
    harness.keySets.update([corp]);
    await harness.settled();
    expect(await ask(harness, 'fresh')).toBe('fresh');
    // Longer than reading them takes.
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    expect([await ask(harness, 'fresh'), harness.restored]).toEqual(['fresh', []]);
  });

  it('they are asked for by where they came from: another place, another CA; inline keys never', async () => {
    const asked: string[] = [];
    const harness = createHarness({}, (source): SavedJwks | undefined => {
      asked.push(source);
      return undefined;
    });
    for (const changes of [{}, { jwks: { kind: 'uri', uri: 'https://other.test/' } as const }, { ca: 'PEM' }]) {
      harness.keySets.update([issuerOf('corp', changes)]);
    }
    harness.keySets.update([issuerOf('corp', { jwks: { kind: 'inline', keys: [old] } })]);
    await new Promise(setImmediate);
    expect([asked.length, new Set(asked).size]).toEqual([3, 3]);
    expect(harness.keySets.toSave().size).toBe(0);
  });
});

describe('what is saved of a JWK Set', () => {
  it('public members of keys that can be used, and nothing else', () => {
    const rsa = { ...rsaJwk('rsa'), alg: 'RS256', use: 'sig', key_ops: ['verify'] };
    const keys: readonly unknown[] = [
      { ...rsa, x5c: ['MII'], 'x-internal': 'note' },
      privateEcJwk('secret'),
      { kty: 'oct', k: 'AAAA' },
      { ...old, use: 'enc' },
      'junk',
      old,
    ];
    expect(publicKeysOf({ keys })).toEqual([rsa, old]);
  });

  it.each([undefined, null, [], {}, { keys: 'none' }])('%j: nothing', (document) => {
    expect(publicKeysOf(document)).toEqual([]);
  });
});
