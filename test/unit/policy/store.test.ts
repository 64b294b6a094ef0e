import { beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/policy/problem.ts';
import { createPolicyStore, type OfferResult, type PolicyStore } from '../../../src/policy/store.ts';
import { corp, type PolicyObject, textOf } from './policy-text.ts';

const deny = (name: string, path = `/${name}`) => ({ name, paths: [path], access: 'deny' });
const orders = { name: 'orders', paths: ['/orders'], issuers: ['corp'], require: { scopes: ['a'] } };

let store: PolicyStore;
beforeEach(() => {
  store = createPolicyStore();
});

function offer(source: string, ...policies: readonly PolicyObject[]): Promise<OfferResult> {
  const files = policies.map((policy, index) => ({ name: `${source}/${index}.yaml`, text: textOf(policy) }));
  return store.offer(source, { files, order: source });
}

function codes({ problems }: OfferResult): readonly string[] {
  return problems.map(({ code }) => code);
}

function rules(): readonly string[] | undefined {
  return store.current()?.rules.map(({ name }) => name);
}

function rejected(): readonly string[] {
  return store.rejected().map(({ source, problems }) => `${source}: ${problems.map(({ code }) => code).join()}`);
}

describe('one source', () => {
  it('nothing offered: no policy', () => {
    expect(store.current()).toBeUndefined();
    expect(store.rejected()).toEqual([]);
  });

  it('a good version: active', async () => {
    const result = await offer('a', { rules: [deny('x')] });
    expect(result).toEqual({ applied: true, hash: store.current()?.hash, problems: [] });
    expect(result.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(rules()).toEqual(['x']);
  });

  it('a good version with warnings: active, and they are told', async () => {
    const result = await offer('a', { issuers: [corp], rules: [deny('x')] });
    expect([result.applied, codes(result)]).toEqual([true, ['unused_issuer']]);
  });

  it('EA-65 a bad version at first: no policy, all its problems', async () => {
    const result = await offer('a', { rules: [{ name: 'x', access: 'denied' }] });
    expect(result).toMatchObject({ applied: false, hash: undefined });
    expect(codes(result)).toEqual(['missing_field', 'wrong_value']);
    expect(store.current()).toBeUndefined();
    expect(rejected()).toEqual(['a: missing_field,wrong_value']);
  });

  it('EA-65 a bad version later: the last good one goes on, the very same snapshot', async () => {
    await offer('a', { rules: [deny('x')] });
    const before = store.current();
    expect(await offer('a', { rules: [deny('x'), deny('x')] })).toMatchObject({ applied: false, hash: before?.hash });
    expect(store.current()).toBe(before);
    expect(rejected()).toEqual(['a: duplicate_name,equal_rules']);
  });

  it('mended: active, no longer rejected', async () => {
    await offer('a', { rules: [deny('x'), deny('x')] });
    expect((await offer('a', { rules: [deny('x'), deny('y')] })).applied).toBe(true);
    expect(rejected()).toEqual([]);
    expect(rules()).toEqual(['x', 'y']);
  });

  it('one bad file among several: the version falls as a whole', async () => {
    expect((await offer('a', { rules: [deny('x')] }, { rules: [deny('y', 'y')] })).applied).toBe(false);
    expect(store.current()).toBeUndefined();
  });

  it.each<[string, readonly { name: string; text: string }[], string]>([
    ['no file', [], 'a:1:1'],
    ['an empty file', [{ name: 'f.yaml', text: '' }], 'f.yaml:1:1'],
    ['a file of comments', [{ name: 'f.yaml', text: '# soon\n' }], 'f.yaml:1:1'],
  ])('EA-65 %s: refused, the last good version goes on', async (_name, files, place) => {
    await offer('a', { rules: [deny('x')] });
    const { applied, problems } = await store.offer('a', { files, order: 1 });
    expect(applied).toBe(false);
    expect(problems.map(({ file, line, column, code }) => [`${file}:${line}:${column}`, code])).toEqual([
      [place, 'no_document'],
    ]);
    expect(rules()).toEqual(['x']);
  });

  it('no file: told which files are read', async () => {
    const { problems } = await store.offer('a', { files: [], order: 1 });
    expect(problems.map(({ message }) => message)).toEqual([
      'the source holds no document, expected files named `*.yaml`, `*.yml` or `*.json`',
    ]);
  });

  it('EA-65 all rules emptied: refused, the last good version goes on', async () => {
    await offer('a', { rules: [deny('x')] });
    expect(codes(await offer('a', { rules: [] }))).toEqual(['no_rules']);
    expect(rules()).toEqual(['x']);
  });
});

describe('warnings', () => {
  const warned = { issuers: [{ ...corp, maxLifetime: '2h' }] };

  it('a refused version that has some too: only why it was refused', async () => {
    expect(codes(await offer('a', { ...warned, rules: [{ ...deny('x'), colour: 1 }, deny('y')] }))).toEqual([
      'unknown_field',
    ]);
    expect(codes(await offer('a', { ...warned, rules: [deny('x'), deny('x', '/y')] }))).toEqual(['duplicate_name']);
    expect(rejected()).toEqual(['a: duplicate_name']);
  });
});

describe('what has not changed', () => {
  it('an issuer: the very object of the policy before, so that remembered tokens stay good', async () => {
    await offer('a', { issuers: [corp], rules: [orders] });
    const before = store.current()?.issuers.get(corp.issuer);
    await offer('a', { issuers: [corp], rules: [orders, deny('x')] });
    expect(rules()).toEqual(['orders', 'x']);
    expect(store.current()?.issuers.get(corp.issuer)).toBe(before);
    await offer('a', { issuers: [{ ...corp, audiences: ['other'] }], rules: [orders] });
    expect(store.current()?.issuers.get(corp.issuer)).not.toBe(before);
  });
});

describe('documents made to hurt', () => {
  /** A text of a megabyte, named seven hundred times. */
  const bomb = `apiVersion: scopegate.dev/v1\nkind: Policy\nrules:\n  - name: b\n    paths: [/b]\n    access: public\n    hosts: [&h "${'x'.repeat(1_000_000)}", ${Array.from({ length: 700 }, () => '*h').join(', ')}]\n`;

  it('text that aliases blow up: refused with a place, the others are active', async () => {
    const version = (text: string) => ({ files: [{ name: 'b.yaml', text }], order: 2 });
    await store.offer('b', version(bomb));
    expect(rejected()).toEqual(['b: yaml']);
    expect((await offer('a', { rules: [deny('x')] })).applied).toBe(true);
    expect(rules()).toEqual(['x']);
  });
});

describe('several sources', () => {
  it('both good: one policy, the same hash in either order', async () => {
    await offer('a', { rules: [deny('x')] });
    const { hash } = await offer('b', { rules: [deny('y')] });
    expect(rules()).toEqual(['x', 'y']);
    store = createPolicyStore();
    await offer('b', { rules: [deny('y')] });
    expect((await offer('a', { rules: [deny('x')] })).hash).toBe(hash);
  });

  it('`rules: []` beside others: fine', async () => {
    await offer('a', { rules: [deny('x')] });
    expect((await offer('b', { rules: [] })).applied).toBe(true);
  });

  it('a clash of names: the new version is refused at its own place, naming the other', async () => {
    await offer('a', { rules: [deny('x')] });
    const { applied, problems } = await offer('b', { rules: [deny('x', '/other')] });
    expect(applied).toBe(false);
    expect(problems).toMatchObject([
      { file: 'b/0.yaml', code: 'duplicate_name', message: expect.stringContaining('a/0.yaml:1:') },
    ]);
    expect(rules()).toEqual(['x']);
  });

  it('a clash of routes with the newer version of an earlier source: that one is refused', async () => {
    await offer('a', { rules: [deny('x')] });
    await offer('b', { rules: [deny('y')] });
    expect(await offer('a', { rules: [deny('x', '/y')] })).toMatchObject({
      applied: false,
      problems: [{ file: 'a/0.yaml', code: 'equal_rules' }],
    });
    expect(rules()).toEqual(['x', 'y']);
  });

  it('what others need is taken away: refused', async () => {
    await offer('a', { issuers: [corp], rules: [deny('x')] });
    await offer('b', { rules: [orders] });
    expect(codes(await offer('a', { rules: [deny('x')] }))).toEqual(['unknown_issuer']);
    expect(rules()).toEqual(['orders', 'x']);
  });

  it('another source gets better: the refused version becomes active with it', async () => {
    await offer('a', { rules: [deny('x')] });
    expect((await offer('b', { rules: [orders] })).applied).toBe(false);
    expect((await offer('a', { rules: [deny('x')], issuers: [corp] })).applied).toBe(true);
    expect(rules()).toEqual(['orders', 'x']);
    expect(rejected()).toEqual([]);
  });

  it('a rule moves from one source to another: active once both are there', async () => {
    await offer('a', { rules: [deny('x'), deny('moved')] });
    await offer('b', { rules: [deny('y')] });
    expect((await offer('b', { rules: [deny('y'), deny('moved')] })).applied).toBe(false);
    expect((await offer('a', { rules: [deny('x')] })).applied).toBe(true);
    expect(rules()).toEqual(['moved', 'x', 'y']);
    expect(rejected()).toEqual([]);
  });

  it('an issuer is renamed in one source and used in another: active once both are there', async () => {
    await offer('a', { issuers: [corp], rules: [deny('x')] });
    await offer('b', { rules: [orders] });
    expect((await offer('a', { issuers: [{ ...corp, name: 'new' }], rules: [deny('x')] })).applied).toBe(false);
    expect((await offer('b', { rules: [{ ...orders, issuers: ['new'] }] })).applied).toBe(true);
    expect([...(store.current()?.issuers.values() ?? [])].map(({ name }) => name)).toEqual(['new']);
    expect(rejected()).toEqual([]);
  });

  it('a refused version is superseded: it never comes back', async () => {
    await offer('a', { rules: [deny('x')] });
    await offer('b', { rules: [deny('x', '/old')] });
    await offer('b', { rules: [deny('new')] });
    await offer('a', { rules: [deny('z')] });
    expect(rules()).toEqual(['new', 'z']);
  });

  it('a version that is bad in itself: no change of another source makes it active', async () => {
    await offer('a', { rules: [deny('x')] });
    await offer('b', { rules: [{ ...deny('y'), colour: 1 }] });
    await offer('a', { rules: [deny('z')] });
    expect(rules()).toEqual(['z']);
    expect(rejected()).toEqual(['b: unknown_field']);
  });

  it('a version that is bad in itself: checked beside the others, their problems are not its own', async () => {
    await offer('a', { issuers: [corp], rules: [deny('x')] });
    const rule = { ...orders, colour: 1, headers: { host: 'sub' } };
    expect(
      codes(await offer('b', { rules: [rule, { ...orders, name: 'x', paths: ['/b'], issuers: ['crop'] }] })),
    ).toEqual(['unknown_field', 'header_forbidden', 'duplicate_name', 'unknown_issuer']);
  });
});

describe('at start', () => {
  const offerAll = async (
    policies: Readonly<Record<string, readonly [order: string | number, policy: PolicyObject]>>,
  ): Promise<Readonly<Record<string, boolean>>> => {
    const offers = Object.entries(policies).map(([source, [order, policy]]) => ({
      source,
      version: { order, files: [{ name: `${source}.yaml`, text: textOf(policy) }] },
    }));
    return Object.fromEntries([...(await store.offerAll(offers))].map(([source, { applied }]) => [source, applied]));
  };

  it('two that clash: the earlier in order is active, the other is left out and reported', async () => {
    const clash = { young: [2, { rules: [deny('x', '/young')] }], old: [1, { rules: [deny('x', '/old')] }] } as const;
    expect(await offerAll(clash)).toEqual({ young: false, old: true });
    expect(store.current()?.routes.match('a', '/old', 'GET')?.rule.name).toBe('x');
    expect(rejected()).toEqual(['young: duplicate_name']);
  });

  it('equal order: by name of the source; numbers by value', async () => {
    const rule = { rules: [deny('x')] };
    expect(await offerAll({ c: [10, rule], b: [9, rule], a: [9, rule] })).toEqual({ a: true, b: false, c: false });
  });

  it('one is bad: the others are active', async () => {
    expect(await offerAll({ a: ['a', { rules: [deny('x', 'x')] }], b: ['b', { rules: [deny('y')] }] })).toEqual({
      a: false,
      b: true,
    });
    expect(rules()).toEqual(['y']);
  });

  it('issuers after the rules that name them, and one that is bad: all but the bad one', async () => {
    const policies = {
      a: ['a', { rules: [orders] }],
      b: ['b', { rules: [deny('x'), deny('x')] }],
      c: ['c', { issuers: [corp], rules: [deny('y')] }],
    } as const;
    expect(await offerAll(policies)).toEqual({ a: true, b: false, c: true });
    expect(rules()).toEqual(['orders', 'y']);
  });

  const other = { ...corp, name: 'other', issuer: 'https://other.test' };
  const first = { issuers: [corp], rules: [{ ...orders, name: 'a', issuers: ['other'] }] };
  const second = { issuers: [other], rules: [{ ...orders, name: 'b', paths: ['/b'] }] };
  const bad = { rules: [{ ...orders, name: 'c', paths: ['/c'], issuers: ['nobody'] }] };

  it.each([
    ['after', 'c'],
    ['before', '0'],
  ])('two that need each other, and a bad one %s them: the two are active', async (_name, order) => {
    expect(await offerAll({ a: ['a', first], b: ['b', second], bad: [order, bad] })).toEqual({
      a: true,
      b: true,
      bad: false,
    });
    expect([rules(), rejected()]).toEqual([['a', 'b'], ['bad: unknown_issuer']]);
  });

  it('two that need each other, and two that clash, one of them bad: all but the bad one', async () => {
    const clash = [{ rules: [deny('x'), ...bad.rules] }, { rules: [deny('x')] }] as const;
    expect(await offerAll({ a: ['a', first], b: ['b', second], c: ['c', clash[0]], d: ['d', clash[1]] })).toEqual({
      a: true,
      b: true,
      c: false,
      d: true,
    });
  });

  it('two that need each other, offered while a bad one is refused: active', async () => {
    await offerAll({ bad: ['0', bad] });
    expect(await offerAll({ a: ['a', first], b: ['b', second] })).toEqual({ a: true, b: true });
    expect([rules(), rejected()]).toEqual([['a', 'b'], ['bad: unknown_issuer']]);
  });

  it('two that need each other, and one whose test fails: the two are active', async () => {
    const failed: Problem = {
      severity: 'error',
      file: 't.yaml',
      line: 2,
      column: 3,
      code: 'test_failed',
      message: 'm',
    };
    store = createPolicyStore(async ({ rules: all }) => (all.some(({ name }) => name === 't') ? [failed] : []));
    expect(await offerAll({ t: ['0', { rules: [deny('t')] }], a: ['a', first], b: ['b', second] })).toEqual({
      t: false,
      a: true,
      b: true,
    });
  });

  it('a hundred and one of them bad: few policies are worked out, and others have their turn before each', async () => {
    let checks = 0;
    let pauses = 0;
    store = createPolicyStore(
      async () => {
        checks += 1;
        return [];
      },
      async () => {
        pauses += 1;
      },
    );
    const good = Array.from(
      { length: 100 },
      (_, index) => [`g${index}`, [index, { rules: [deny(`r${index}`)] }]] as const,
    );
    await offerAll({ ...Object.fromEntries(good), bad: [-1, bad] });
    expect([store.activeSources(), checks, rejected()]).toEqual([100, 1, ['bad: unknown_issuer']]);
    // One in each file, and some in each policy that is worked out: one for every source would be many hundreds.
    expect(pauses).toBeLessThan(150);
    expect(pauses).toBeGreaterThan(101);
  });

  it('sources with an active version are counted, and a refused one tells whether it has one', async () => {
    expect(store.activeSources()).toBe(0);
    await offerAll({ a: [1, { rules: [deny('x')] }], b: [2, { rules: [deny('y')] }] });
    await offerAll({ a: [1, { rules: [] }], b: [2, bad], c: [3, bad] });
    expect(store.activeSources()).toBe(2);
    expect(store.rejected().map(({ source, hasActive }) => [source, hasActive])).toEqual([
      ['b', true],
      ['c', false],
    ]);
  });

  it('all are bad: no policy', async () => {
    expect(await offerAll({ a: ['a', { rules: [] }], b: ['b', {}] })).toEqual({ a: false, b: false });
    expect(store.current()).toBeUndefined();
    expect(rejected()).toHaveLength(2);
  });
});

describe('a check of the whole policy', () => {
  const failed: Problem = { severity: 'error', file: 't', line: 2, column: 3, code: 'test_failed', message: 'm' };

  /** A store whose checks end when the test says so: `next()` ends the first that has begun and not ended. */
  function gated() {
    const begun: { readonly rules: string; end(problems: readonly Problem[]): void }[] = [];
    const arrivals: (() => void)[] = [];
    store = createPolicyStore((snapshot) => {
      const { promise, resolve } = Promise.withResolvers<readonly Problem[]>();
      begun.push({ rules: snapshot.rules.map(({ name }) => name).join(), end: resolve });
      arrivals.shift()?.();
      return promise;
    });
    async function next(problems: readonly Problem[] = []): Promise<string> {
      if (begun.length === 0) await new Promise<void>((resolve) => void arrivals.push(resolve));
      const check = begun.shift();
      check?.end(problems);
      return check?.rules ?? '';
    }
    return { begun, next };
  }

  it('an error: the version is refused with it, the last good one goes on', async () => {
    store = createPolicyStore(async ({ rules: [first] }) => (first?.name === 'bad' ? [failed] : []));
    await offer('a', { rules: [deny('x')] });
    const before = store.current();
    expect(await offer('a', { rules: [deny('bad')] })).toEqual({
      applied: false,
      hash: before?.hash,
      problems: [failed],
    });
    expect(store.current()).toBe(before);
    expect(rejected()).toEqual(['a: test_failed']);
  });

  it('only warnings: the version is active', async () => {
    store = createPolicyStore(async () => [{ ...failed, severity: 'warning' }]);
    expect((await offer('a', { rules: [deny('x')] })).applied).toBe(true);
  });

  it('another source mends it: both are active', async () => {
    store = createPolicyStore(async ({ rules: all }) => (all.length > 1 ? [] : [failed]));
    expect((await offer('a', { rules: [deny('x')] })).applied).toBe(false);
    expect((await offer('b', { rules: [deny('y')] })).applied).toBe(true);
    expect([rules(), rejected()]).toEqual([['x', 'y'], []]);
  });

  it('while it lasts: the last good policy, and nothing rejected; in one turn all is told and true', async () => {
    const { next } = gated();
    const first = offer('a', { rules: [deny('x')] });
    await next();
    await first;
    const seen: unknown[] = [];
    const files = [{ name: 'a/0.yaml', text: textOf({ rules: [deny('y')] }) }];
    const second = store.offerAll([{ source: 'a', version: { files, order: 1 } }], ({ swapped }) => {
      seen.push(swapped === store.current(), rules());
    });
    await new Promise(setImmediate);
    expect([rules(), rejected(), seen]).toEqual([['x'], [], []]);
    await next();
    await second;
    expect(seen).toEqual([true, ['y']]);
  });

  it('offers of two sources at once: one after the other, none is lost', async () => {
    const { begun, next } = gated();
    const offers = [offer('a', { rules: [deny('x')] }), offer('b', { rules: [deny('y')] })];
    await new Promise(setImmediate);
    expect(begun.map((check) => check.rules)).toEqual(['x']);
    expect([await next(), await next()]).toEqual(['x', 'x,y']);
    expect((await Promise.all(offers)).map(({ applied }) => applied)).toEqual([true, true]);
    expect(rules()).toEqual(['x', 'y']);
  });

  it('a newer version of the same source while the older is checked: the newer wins', async () => {
    const { next } = gated();
    const offers = [offer('a', { rules: [deny('old')] }), offer('a', { rules: [deny('new')] })];
    expect([await next(), await next()]).toEqual(['old', 'new']);
    await Promise.all(offers);
    expect(rules()).toEqual(['new']);
  });

  it('a fault in it: told to the caller, changes nothing, and later offers are settled', async () => {
    let isBroken = false;
    store = createPolicyStore(async () => {
      if (isBroken) throw new Error('broken');
      return [];
    });
    await offer('a', { rules: [deny('x')] });
    isBroken = true;
    await expect(offer('b', { rules: [deny('y')] })).rejects.toThrow('broken');
    expect([rules(), rejected()]).toEqual([['x'], []]);
    isBroken = false;
    await offer('b', { rules: [deny('z')] });
    expect(rules()).toEqual(['x', 'z']);
  });

  it('a fault after a waiting version was found good: it still waits', async () => {
    const checked: string[] = [];
    let isGood = (_names: string): boolean => true;
    store = createPolicyStore(async ({ rules: all }) => {
      const names = all.map(({ name }) => name).join();
      checked.push(names);
      return isGood(names) ? [] : [failed];
    });
    await offer('x', { rules: [deny('x')] });
    isGood = (names) => !names.includes('w');
    await offer('a', { rules: [deny('w')] });
    // All together they fail, `w` alone is good now, and at the others beside it the check breaks.
    isGood = (names) => {
      if (names === 'c,d,w,x' && checked.includes('w,x', 2)) throw new Error('broken');
      return names === 'w,x';
    };
    const version = (name: string) => ({ order: name, files: [{ name, text: textOf({ rules: [deny(name)] }) }] });
    const offers = ['c', 'd'].map((source) => ({ source, version: version(source) }));
    await expect(store.offerAll(offers)).rejects.toThrow('broken');
    expect(checked.slice(2)).toEqual(['c,d,w,x', 'w,x', 'c,d,w,x']);
    isGood = (names) => !names.includes('w');
    await offer('e', { rules: [deny('e')] });
    expect([rules(), rejected()]).toEqual([['e', 'x'], ['a: test_failed']]);
  });
});
