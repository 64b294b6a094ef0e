import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import type { RefreshOptions } from '../../../src/keyset/refresh.ts';
import type { Issuer } from '../../../src/token/issuer.ts';
import type { KeyHint, VerificationKey } from '../../../src/token/key.ts';
import { createHarness, type Harness, hour, minute, second } from './key-sets-harness.ts';
import { ecJwk, issuerOf, type Jwk, offCurveJwk, privateEcJwk, rsaJwk } from './test-keys.ts';

const corp = issuerOf('corp');
const host = 'corp.test';
const old = ecJwk('old');
const fresh = ecJwk('fresh');

function hint(kid: string | undefined): KeyHint {
  return { algorithm: 'ES256', kid };
}

/** The reason, or the kids. */
async function ask(harness: Harness, kid: string | undefined, issuer = corp, waitMs = 200): Promise<string> {
  return say(await harness.keySets.resolve(issuer, hint(kid), waitMs));
}

function say(step: Stop | readonly VerificationKey[]): string {
  return step instanceof Stop ? step.reason : step.map((key) => key.kid).join(' ');
}

/** The key objects, which must be there without waiting. */
function keysNow(harness: Harness, kid: string, issuer = corp): readonly VerificationKey[] {
  const found = harness.keySets.resolve(issuer, hint(kid), 0);
  if (!Array.isArray(found)) throw new Error(`no keys at hand for ${kid}`);
  return found;
}

async function running(keys: readonly Jwk[], options: Partial<RefreshOptions> = {}): Promise<Harness> {
  const harness = createHarness(options);
  harness.answer(host, { keys });
  harness.keySets.update([corp]);
  await harness.settled();
  return harness;
}

describe('keys at hand', () => {
  it('are fetched before a token asks, and given without a promise', async () => {
    const harness = await running([old]);
    expect(harness.fetches(host)).toEqual([0]);
    expect(keysNow(harness, 'old')).toMatchObject([{ kid: 'old', algorithm: 'ES256' }]);
    expect(harness.fetches(host)).toEqual([0]);
  });

  it('ALG-01 an algorithm that the issuer does not allow: key_unknown, although the set has a key for it', async () => {
    const harness = await running([old]);
    const strict = issuerOf('corp', { algorithms: new Set(['RS256']) });
    harness.keySets.update([strict]);
    expect(await ask(harness, 'old', strict)).toBe('key_unknown');
  });

  it('a policy that allows another algorithm: its keys are there at once, nothing is fetched', async () => {
    const harness = createHarness();
    harness.answer(host, { keys: [rsaJwk('rsa')] });
    harness.keySets.update([issuerOf('corp', { algorithms: new Set(['RS256']) })]);
    await harness.settled();
    const changed = issuerOf('corp', { algorithms: new Set(['PS256']) });
    harness.keySets.update([changed]);
    expect(harness.keySets.resolve(changed, { algorithm: 'PS256', kid: 'rsa' }, 0)).toMatchObject([
      { algorithm: 'PS256' },
    ]);
    expect(harness.fetches(host)).toHaveLength(1);
  });

  it('JWK-06 no kid and two keys that fit: key_unknown, and no fetch for it', async () => {
    const harness = await running([old, fresh]);
    expect(await ask(harness, undefined)).toBe('key_unknown');
    expect(harness.fetches(host)).toHaveLength(1);
  });

  it('JWK-03 a kid whose key does not suit the alg: key_unknown, also while the issuer is down', async () => {
    const harness = await running([rsaJwk('rsa')]);
    harness.answer(host, 'connect');
    await harness.advance(9 * minute);
    expect(await ask(harness, 'rsa')).toBe('key_unknown');
  });

  it('an issuer that is in no policy: keys_unavailable', async () => {
    const harness = await running([old]);
    expect(await ask(harness, 'old', issuerOf('other'))).toBe('keys_unavailable');
  });
});

describe('refresh in the background', () => {
  it('JWK-08 comes ahead of expiry, again and again', async () => {
    const harness = await running([old]);
    await harness.advance(24 * minute);
    expect(harness.fetches(host)).toEqual([0, 8 * minute, 16 * minute, 24 * minute]);
  });

  it('JWK-08 follows max-age', async () => {
    const harness = createHarness();
    harness.answer(host, { keys: [old] }, 3600);
    harness.keySets.update([corp]);
    await harness.advance(100 * minute);
    expect(harness.fetches(host)).toEqual([0, 48 * minute, 96 * minute]);
  });

  it('the same JWK again: the same object', async () => {
    const harness = await running([old]);
    const [before] = keysNow(harness, 'old');
    harness.answer(host, { keys: [fresh, { ...old }] });
    await harness.advance(8 * minute);
    expect(keysNow(harness, 'old')[0]).toBe(before);
    expect(keysNow(harness, 'fresh')).toHaveLength(1);
  });

  it('JWK-09 a key that is gone: not given any more, and another object if it ever comes back', async () => {
    const harness = await running([old]);
    const [before] = keysNow(harness, 'old');
    harness.answer(host, { keys: [fresh] });
    await harness.advance(8 * minute);
    expect(await ask(harness, 'old')).toBe('key_unknown');
    harness.answer(host, { keys: [old] });
    await harness.advance(8 * minute);
    expect(keysNow(harness, 'old')[0]).not.toBe(before);
  });

  const useless: Record<string, readonly [answer: Parameters<Harness['answer']>[1], result: string]> = {
    'JWK-09 a failed fetch': ['timeout', 'timeout'],
    'JWK-09 an empty set': [{ keys: [] }, 'no_usable_keys'],
    'JWK-09 a set of unusable keys only': [{ keys: [offCurveJwk('a'), privateEcJwk('b')] }, 'no_usable_keys'],
    'JWK-01 a document without keys': [{}, 'keys_missing'],
    'JWK-07 a set of 101 keys': [{ keys: Array<Jwk>(101).fill(fresh) }, 'too_many_keys'],
  };

  it.each(Object.entries(useless))('%s: the keys stay, the error is told', async (_name, [answer, result]) => {
    const harness = await running([old]);
    harness.answer(host, answer);
    await harness.advance(8 * minute);
    expect(harness.results).toEqual(['corp ok', `corp ${result}`]);
    expect(keysNow(harness, 'old')).toHaveLength(1);
    expect(harness.keySets.status().get('corp')).toEqual({ hasKeys: true, ageSeconds: 480, lastError: result });
  });

  it('JWK-01 JWK-04 bad keys beside a good one: the good one serves, the others are counted', async () => {
    const harness = await running([offCurveJwk('a'), privateEcJwk('b'), old]);
    expect(keysNow(harness, 'old')).toHaveLength(1);
    expect(harness.ignored).toEqual([
      [
        'corp',
        new Map([
          ['private_members', 1],
          ['invalid', 1],
        ]),
      ],
    ]);
  });

  it('a failure: tried again once a cool-down, without a request, until it works', async () => {
    const harness = createHarness();
    harness.answer(host, 'dns');
    harness.keySets.update([corp]);
    await harness.advance(65 * second);
    harness.answer(host, { keys: [old] });
    await harness.advance(30 * second);
    expect(harness.fetches(host)).toEqual([0, 30 * second, 60 * second, 90 * second]);
    expect(keysNow(harness, 'old')).toHaveLength(1);
    expect(harness.keySets.status().get('corp')).toEqual({ hasKeys: true, ageSeconds: 5, lastError: undefined });
  });
});

describe('the issuer is down', () => {
  it('JWK-08 known keys are answered for minutes and hours, at once, up to the stale limit', async () => {
    const harness = await running([old]);
    harness.answer(host, 'connect');
    for (let minutes = 0; minutes < 24 * 60; minutes += 10) {
      await harness.advance(10 * minute);
      expect(keysNow(harness, 'old')).toHaveLength(1);
    }
  });

  it('JWK-08 past the stale limit: keys_unavailable, and not ready', async () => {
    const harness = await running([old]);
    harness.answer(host, 'connect');
    await harness.advance(24 * hour + 1);
    expect(await ask(harness, 'old')).toBe('keys_unavailable');
    expect(harness.keySets.status().get('corp')).toMatchObject({ hasKeys: false, lastError: 'connect' });
  });

  it('JWK-08 it comes back: served again, without a request causing it', async () => {
    const harness = await running([old]);
    harness.answer(host, 'connect');
    await harness.advance(25 * hour);
    harness.answer(host, { keys: [fresh] });
    await harness.advance(30 * second);
    expect(keysNow(harness, 'fresh')).toHaveLength(1);
  });

  it('JWK-08 unknown keys: keys_unavailable, asked for at most once a cool-down', async () => {
    const harness = await running([old]);
    harness.answer(host, 'connect');
    for (let count = 0; count < 1000; count += 1) {
      expect(await ask(harness, `random-${count}`)).toBe('keys_unavailable');
      await harness.advance(100);
    }
    expect(harness.fetches(host)).toEqual([0, 0, 30 * second, 60 * second, 90 * second]);
  });

  it('DI-05 at start: keys_unavailable at once within the cool-down, no request causes a fetch', async () => {
    const harness = createHarness();
    harness.answer(host, 'tls');
    harness.keySets.update([corp]);
    await harness.settled();
    expect(harness.keySets.resolve(corp, hint('old'), 200)).toEqual(new Stop('keys_unavailable', 'fetch: tls'));
    expect(harness.fetches(host)).toEqual([0]);
    expect(harness.keySets.status().get('corp')).toEqual({ hasKeys: false, ageSeconds: undefined, lastError: 'tls' });
  });

  it('a process that slept past the stale limit: the first request fetches and waits', async () => {
    const harness = await running([old]);
    harness.jump(48 * hour);
    expect(await ask(harness, 'old')).toBe('old');
    expect(harness.fetches(host)).toEqual([0, 48 * hour]);
  });
});

describe('an unknown kid', () => {
  it('JWK-08 rotation: one refetch, and the request that caused it is answered', async () => {
    const harness = await running([old]);
    harness.answer(host, { keys: [old, fresh] });
    await harness.advance(5 * second);
    expect(await ask(harness, 'fresh')).toBe('fresh');
    expect(harness.fetches(host)).toEqual([0, 5 * second]);
  });

  it('JWK-08 just after a scheduled fetch: refetched all the same, it started no cool-down', async () => {
    const harness = await running([old]);
    await harness.advance(8 * minute);
    harness.answer(host, { keys: [old, fresh] });
    expect(await ask(harness, 'fresh')).toBe('fresh');
    expect(harness.fetches(host)).toEqual([0, 8 * minute, 8 * minute]);
  });

  it('JWK-08 not there after the refetch: key_unknown, and so for every other within the cool-down', async () => {
    const harness = await running([old]);
    expect(await ask(harness, 'a')).toBe('key_unknown');
    harness.answer(host, { keys: [old, fresh] });
    await harness.advance(30 * second - 1);
    expect(harness.keySets.resolve(corp, hint('fresh'), 200)).toMatchObject({ reason: 'key_unknown' });
    await harness.advance(1);
    expect(await ask(harness, 'fresh')).toBe('fresh');
    expect(harness.fetches(host)).toEqual([0, 0, 30 * second]);
  });

  it('JWK-08 the refetch that found its key starts the cool-down too', async () => {
    const harness = await running([old]);
    harness.answer(host, { keys: [old, fresh] });
    expect(await ask(harness, 'fresh')).toBe('fresh');
    expect(await ask(harness, 'random')).toBe('key_unknown');
    expect(harness.fetches(host)).toHaveLength(2);
  });

  it('JWK-08 10,000 at once: one fetch', async () => {
    const harness = await running([old]);
    const answers = await Promise.all(Array.from({ length: 10_000 }, (_, n) => ask(harness, `random-${n}`)));
    expect(new Set(answers)).toEqual(new Set(['key_unknown']));
    expect(harness.fetches(host)).toEqual([0, 0]);
  });

  it('JWK-08 10,000 over five minutes: at most one fetch a cool-down, known keys answered throughout', async () => {
    const harness = await running([old]);
    for (let count = 0; count < 10_000; count += 1) {
      expect(await ask(harness, `random-${count}`)).toBe('key_unknown');
      expect(keysNow(harness, 'old')).toHaveLength(1);
      await harness.advance(30);
    }
    const caused = harness.fetches(host).slice(1);
    expect(caused.length).toBe(10);
    for (const [index, at] of caused.slice(1).entries()) {
      expect(at - (caused[index] ?? 0)).toBeGreaterThanOrEqual(30 * second);
    }
  });

  it('JWK-08 while a scheduled fetch is on its way: waits for that one, which starts the cool-down then', async () => {
    const harness = await running([old]);
    harness.answer(host, 'hang');
    await harness.advance(8 * minute);
    const waiting = ask(harness, 'random');
    await harness.release(host, { keys: [old] });
    expect(await waiting).toBe('key_unknown');
    await harness.settled();
    expect(await ask(harness, 'other')).toBe('key_unknown');
    expect(harness.fetches(host)).toEqual([0, 8 * minute]);
  });
});

describe('waiting', () => {
  it('JWK-08 not longer than the deadline: keys_unavailable, and the fetch goes on for the others', async () => {
    const harness = createHarness();
    harness.answer(host, 'hang');
    harness.keySets.update([corp]);
    const impatient = ask(harness, 'old', corp, 50);
    const patient = ask(harness, 'old', corp, 1000);
    await harness.advance(50);
    expect(await impatient).toBe('keys_unavailable');
    await harness.release(host, { keys: [old] });
    expect(await patient).toBe('old');
    expect(harness.fetches(host)).toEqual([0]);
  });

  it.each([0, -5])('no time left (%i ms): keys_unavailable without a promise', async (waitMs) => {
    const harness = createHarness();
    harness.answer(host, 'hang');
    harness.keySets.update([corp]);
    expect(harness.keySets.resolve(corp, hint('old'), waitMs)).toMatchObject({ reason: 'keys_unavailable' });
  });

  it('the fetch fails: keys_unavailable for all who wait', async () => {
    const harness = await running([old]);
    harness.answer(host, 'hang');
    const waiting = Promise.all([ask(harness, 'a'), ask(harness, 'b')]);
    await harness.release(host, 'timeout');
    expect(await waiting).toEqual(['keys_unavailable', 'keys_unavailable']);
  });

  it('known keys do not wait for a fetch that hangs', async () => {
    const harness = await running([old]);
    harness.answer(host, 'hang');
    await harness.advance(9 * minute);
    expect(harness.fetches(host)).toHaveLength(2);
    expect(keysNow(harness, 'old')).toHaveLength(1);
  });

  it('what waited leaves no timer behind', async () => {
    const harness = await running([old]);
    await Promise.all(Array.from({ length: 100 }, (_, n) => ask(harness, `random-${n}`)));
    await harness.settled();
    expect(harness.pendingTimers()).toBe(1);
  });
});

describe('IDP-04 tenants, issuers that share a name', () => {
  const tenantOne = issuerOf('one', { name: 'many', tenant: 'one' });
  const tenantTwo = issuerOf('two', { name: 'many', tenant: 'two' });

  async function both(): Promise<Harness> {
    const harness = createHarness();
    harness.answer('one.test', { keys: [old] });
    harness.answer('two.test', { keys: [fresh] });
    harness.keySets.update([tenantOne, tenantTwo]);
    await harness.settled();
    return harness;
  }

  it('each has its own keys, and not those of the other', async () => {
    const harness = await both();
    expect(keysNow(harness, 'old', tenantOne)).toHaveLength(1);
    expect(keysNow(harness, 'fresh', tenantTwo)).toHaveLength(1);
    expect(await ask(harness, 'old', tenantTwo)).toBe('key_unknown');
    expect(await ask(harness, 'fresh', tenantOne)).toBe('key_unknown');
  });

  it('the status of the name is that of the worst', async () => {
    const harness = createHarness();
    harness.answer('one.test', { keys: [old] });
    harness.answer('two.test', 'connect');
    harness.keySets.update([tenantOne, tenantTwo]);
    await harness.settled();
    expect([...harness.keySets.status()]).toEqual([['many', { hasKeys: false, ageSeconds: 0, lastError: 'connect' }]]);
  });

  it('a tenant that is gone: nothing is fetched for it, the other keeps its keys', async () => {
    const harness = await both();
    harness.keySets.update([tenantTwo]);
    await harness.advance(hour);
    expect(harness.fetches('one.test')).toHaveLength(1);
    expect(harness.fetches('two.test').length).toBeGreaterThan(1);
    expect(keysNow(harness, 'fresh', tenantTwo)).toHaveLength(1);
  });

  it('a key that names another tenant: not there', async () => {
    const harness = createHarness();
    harness.answer('one.test', { keys: [{ ...old, issuer: 'https://two.test' }, fresh] });
    harness.keySets.update([tenantOne]);
    await harness.settled();
    expect(await ask(harness, 'old', tenantOne)).toBe('key_unknown');
    expect(keysNow(harness, 'fresh', tenantOne)).toHaveLength(1);
    expect([...harness.keySets.toSave().values()].map(({ keys }) => keys.length)).toEqual([1]);
  });
});

describe('several issuers', () => {
  const shop = issuerOf('shop');

  it('BCP-08 one is down: the other answers, refreshes and refetches as ever', async () => {
    const harness = createHarness();
    harness.answer(host, 'hang');
    harness.answer('shop.test', { keys: [old] });
    harness.keySets.update([corp, shop]);
    await harness.advance(8 * minute);
    expect(harness.fetches('shop.test')).toEqual([0, 8 * minute]);
    expect(keysNow(harness, 'old', shop)).toHaveLength(1);
    harness.answer('shop.test', { keys: [old, fresh] });
    expect(await ask(harness, 'fresh', shop)).toBe('fresh');
    expect(harness.keySets.status().get('corp')?.hasKeys).toBe(false);
  });

  it('BCP-08 the key of one does not verify for the other', async () => {
    const harness = createHarness();
    harness.answer(host, { keys: [old] });
    harness.answer('shop.test', { keys: [fresh] });
    harness.keySets.update([corp, shop]);
    await harness.settled();
    expect(await ask(harness, 'fresh', corp)).toBe('key_unknown');
  });

  it('the cool-down of one is not that of the other', async () => {
    const harness = createHarness();
    harness.answer(host, { keys: [old] });
    harness.answer('shop.test', { keys: [old] });
    harness.keySets.update([corp, shop]);
    await harness.settled();
    await ask(harness, 'random', corp);
    await ask(harness, 'random', shop);
    expect([harness.fetches(host).length, harness.fetches('shop.test').length]).toEqual([2, 2]);
  });
});

describe('a new policy', () => {
  it('the same source: the same keys, nothing is fetched', async () => {
    const harness = await running([old]);
    const [before] = keysNow(harness, 'old');
    const again = issuerOf('corp', { audiences: ['other'] });
    harness.keySets.update([again]);
    expect(keysNow(harness, 'old', again)[0]).toBe(before);
    expect(harness.fetches(host)).toEqual([0]);
  });

  const otherSources: Record<string, Partial<Issuer>> = {
    'another URL': { jwks: { kind: 'uri', uri: 'https://new.test/jwks' } },
    'another CA': { ca: 'pem', jwks: { kind: 'uri', uri: 'https://new.test/jwks' } },
    discovery: { issuer: 'https://new.test', jwks: { kind: 'discovery' } },
  };

  it.each(Object.entries(otherSources))(
    '%s under the same name: a new set, none of the old keys',
    async (_name, to) => {
      const harness = await running([old]);
      harness.answer('new.test', { keys: [fresh], issuer: 'https://new.test', jwks_uri: 'https://new.test/jwks' });
      const moved = issuerOf('corp', to);
      harness.keySets.update([moved]);
      expect(await ask(harness, 'old', moved)).toBe('key_unknown');
      expect(await ask(harness, 'fresh', moved)).toBe('fresh');
    },
  );

  it('another CA alone, http allowed no longer: the set is fetched anew', async () => {
    const harness = await running([old]);
    harness.keySets.update([issuerOf('corp', { ca: 'pem' })]);
    await harness.settled();
    harness.keySets.update([issuerOf('corp', { ca: 'pem', insecure: { allowHttp: true, anyHost: false } })]);
    await harness.settled();
    expect(harness.fetches(host)).toHaveLength(3);
  });

  it('an issuer that is gone: no status, no timer, no fetch; a check under the old policy still finds its keys', async () => {
    const harness = await running([old]);
    harness.keySets.update([]);
    expect(harness.keySets.status().size).toBe(0);
    expect(harness.pendingTimers()).toBe(0);
    expect(keysNow(harness, 'old')).toHaveLength(1);
    expect(await ask(harness, 'random')).toBe('keys_unavailable');
    expect(harness.fetches(host)).toEqual([0]);
  });

  it('an issuer that is gone while its first fetch is on its way: the fetch ends, who waits is told', async () => {
    const harness = createHarness();
    harness.answer(host, 'hang');
    harness.keySets.update([corp]);
    const waiting = ask(harness, 'old');
    harness.keySets.update([]);
    expect(await waiting).toBe('keys_unavailable');
    expect(harness.results).toEqual([]);
    expect(harness.pendingTimers()).toBe(0);
  });
});

describe('inline keys', () => {
  const inline = issuerOf('corp', { jwks: { kind: 'inline', keys: [old] } });

  it('are imported once, never fetched, and never too old', async () => {
    const harness = createHarness();
    harness.keySets.update([inline]);
    expect(await ask(harness, 'old', inline)).toBe('old');
    harness.jump(1000 * hour);
    expect(keysNow(harness, 'old', inline)).toHaveLength(1);
    expect(await ask(harness, 'random', inline)).toBe('key_unknown');
    expect(harness.fetches(host)).toEqual([]);
    expect(harness.pendingTimers()).toBe(0);
    expect(harness.results).toEqual([]);
    expect(harness.keySets.status().get('corp')).toEqual({
      hasKeys: true,
      ageSeconds: undefined,
      lastError: undefined,
    });
  });

  it('BCP-04 none that is a key: key_unknown, and the status says so', async () => {
    const harness = createHarness();
    const broken = issuerOf('corp', { jwks: { kind: 'inline', keys: [offCurveJwk('bad')] } });
    harness.keySets.update([broken]);
    expect(await ask(harness, 'bad', broken)).toBe('key_unknown');
    expect(await ask(harness, 'bad', broken)).toBe('key_unknown');
    expect(harness.keySets.status().get('corp')).toMatchObject({ hasKeys: false, lastError: 'no_usable_keys' });
  });

  it('other inline keys under the same name: only those', async () => {
    const harness = createHarness();
    harness.keySets.update([inline]);
    const changed = issuerOf('corp', { jwks: { kind: 'inline', keys: [fresh] } });
    harness.keySets.update([changed]);
    expect(await ask(harness, 'fresh', changed)).toBe('fresh');
    expect(await ask(harness, 'old', changed)).toBe('key_unknown');
  });
});

describe('discovery', () => {
  const discovered = issuerOf('corp', { jwks: { kind: 'discovery' } });

  it('DI-05 a jwks_uri that moved is followed at the next refresh', async () => {
    const harness = createHarness();
    const metadata = { issuer: 'https://corp.test', jwks_uri: 'https://keys.test/jwks' };
    harness.answer(host, metadata);
    harness.answer('keys.test', { keys: [old] });
    harness.answer('moved.test', { keys: [fresh] });
    harness.keySets.update([discovered]);
    expect(await ask(harness, 'old', discovered)).toBe('old');
    harness.answer(host, { ...metadata, jwks_uri: 'https://moved.test/jwks' });
    expect(await ask(harness, 'fresh', discovered)).toBe('fresh');
  });

  it('DI-02 metadata of another issuer: a failed attempt, the keys stay', async () => {
    const harness = createHarness();
    const metadata = { issuer: 'https://corp.test', jwks_uri: 'https://keys.test/jwks' };
    harness.answer(host, metadata);
    harness.answer('keys.test', { keys: [old] });
    harness.keySets.update([discovered]);
    await ask(harness, 'old', discovered);
    harness.answer(host, { ...metadata, issuer: 'https://evil.test', jwks_uri: 'https://evil.test/jwks' });
    expect(await ask(harness, 'fresh', discovered)).toBe('keys_unavailable');
    expect(keysNow(harness, 'old', discovered)).toHaveLength(1);
    expect(harness.fetches('evil.test')).toEqual([]);
    expect(harness.results).toEqual(['corp ok', 'corp issuer_mismatch']);
  });
});

it('a fault of ours in the fetch: told, a failed attempt, the keys stay', async () => {
  const harness = await running([old]);
  harness.answer(host, 'throw');
  expect(await ask(harness, 'random')).toBe('keys_unavailable');
  expect(harness.faults).toEqual([new Error('a bug')]);
  expect(harness.results).toEqual(['corp ok', 'corp internal_error']);
  expect(keysNow(harness, 'old')).toHaveLength(1);
});

describe('the end', () => {
  it('stop: no timer, no fetch; keys at hand still answer', async () => {
    const harness = await running([old]);
    harness.keySets.stop();
    expect(harness.pendingTimers()).toBe(0);
    expect(keysNow(harness, 'old')).toHaveLength(1);
    expect(await ask(harness, 'random')).toBe('keys_unavailable');
    expect(harness.keySets.resolve(corp, hint('random'), 200)).toMatchObject({ reason: 'keys_unavailable' });
    harness.keySets.update([issuerOf('shop')]);
    await harness.settled();
    expect(harness.fetches('shop.test')).toEqual([]);
  });

  it('every attempt that ends is told, so that readiness need not poll', async () => {
    const harness = await running([old]);
    expect(harness.changes()).toBe(1);
    await harness.advance(8 * minute);
    expect(harness.changes()).toBe(2);
  });
});
