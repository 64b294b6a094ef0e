import { beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/policy/problem.ts';
import { createPolicyStore, type Offer, type PolicyStore } from '../../../src/policy/store.ts';
import { corp, type PolicyObject, textOf } from './policy-text.ts';

const deny = (name: string, path = `/${name}`) => ({ name, paths: [path], access: 'deny' });
const orders = { name: 'orders', paths: ['/orders'], issuers: ['corp'], require: { scopes: ['a'] } };

let store: PolicyStore;
beforeEach(() => {
  store = createPolicyStore();
});

function files(source: string, policy: PolicyObject) {
  return [{ name: `${source}.yaml`, text: textOf(policy) }];
}

/** `gone`: the source is withdrawn. What was applied, by source. */
async function offer(offers: Readonly<Record<string, PolicyObject | 'gone'>>): Promise<Record<string, boolean>> {
  const list = Object.entries(offers).map(([source, policy]): Offer => {
    return { source, version: policy === 'gone' ? undefined : { files: files(source, policy), order: source } };
  });
  return Object.fromEntries([...(await store.offerAll(list))].map(([source, { applied }]) => [source, applied]));
}

function rules(): readonly string[] | undefined {
  return store.current()?.rules.map(({ name }) => name);
}

function rejected(): readonly string[] {
  return store.rejected().map(({ source, problems, isLeaving }) => {
    return `${source}${isLeaving ? ' leaving' : ''}: ${problems.map(({ file, code }) => `${file} ${code}`).join()}`;
  });
}

describe('a source that is gone', () => {
  it('others remain: its rules go with it', async () => {
    await offer({ a: { rules: [deny('x')] }, b: { rules: [deny('y')] } });
    expect(await offer({ a: 'gone' })).toEqual({ a: true });
    expect([rules(), rejected(), store.activeSources()]).toEqual([['y'], [], 1]);
  });

  it('EA-65 it was the last one: it stays, and is reported', async () => {
    await offer({ a: { rules: [deny('x')] } });
    const before = store.current();
    expect(await offer({ a: 'gone' })).toEqual({ a: false });
    expect(store.current()).toBe(before);
    expect([rejected(), store.activeSources()]).toEqual([['a leaving: a no_document'], 1]);
  });

  it('no rule would remain: it stays, and is reported', async () => {
    await offer({ a: { rules: [deny('x')] }, b: { rules: [] } });
    expect(await offer({ a: 'gone' })).toEqual({ a: false });
    expect([rules(), rejected()]).toEqual([['x'], ['a leaving: b.yaml no_rules']]);
  });

  it('others need it: it stays, and the places are those of the others', async () => {
    await offer({ a: { issuers: [corp], rules: [deny('x')] }, b: { rules: [orders] } });
    expect(await offer({ a: 'gone' })).toEqual({ a: false });
    expect([rules(), rejected()]).toEqual([['orders', 'x'], ['a leaving: b.yaml unknown_issuer']]);
  });

  it.each<[string, PolicyObject | 'gone', readonly string[]]>([
    ['no longer needs it', { rules: [deny('y')] }, ['c', 'y']],
    ['is gone as well', 'gone', ['c']],
  ])('it stayed because another needs it, which then %s: it goes too', async (_name, then, expected) => {
    await offer({ a: { issuers: [corp], rules: [deny('x')] }, b: { rules: [orders] }, c: { rules: [deny('c')] } });
    await offer({ a: 'gone' });
    expect(await offer({ b: then })).toEqual({ b: true });
    expect([rules(), rejected()]).toEqual([expected, []]);
  });

  it('a test of the whole fails without it: it stays', async () => {
    const failed: Problem = { severity: 'error', file: 't', line: 1, column: 1, code: 'test_failed', message: 'm' };
    store = createPolicyStore(async ({ rules: all }) => (all.some(({ name }) => name === 'x') ? [] : [failed]));
    await offer({ a: { rules: [deny('x')] }, b: { rules: [deny('y')] } });
    expect(await offer({ a: 'gone' })).toEqual({ a: false });
    expect([rules(), rejected()]).toEqual([['x', 'y'], ['a leaving: t test_failed']]);
  });

  it('it is back before it could go: its new version counts', async () => {
    await offer({ a: { rules: [deny('x')] } });
    await offer({ a: 'gone' });
    expect(await offer({ a: { rules: [deny('new')] } })).toEqual({ a: true });
    expect([rules(), rejected()]).toEqual([['new'], []]);
  });

  it('it is back, and bad: its rules stay as those of a source that is there', async () => {
    await offer({ a: { rules: [deny('x')] } });
    await offer({ a: 'gone' });
    await offer({ a: { rules: [deny('x'), deny('x', '/y')] } });
    expect([rules(), rejected()]).toEqual([['x'], ['a: a.yaml duplicate_name']]);
    await offer({ b: { rules: [deny('y')] } });
    expect(rules()).toEqual(['x', 'y']);
  });

  it('it is gone and made again under another time: a new source, with nothing left of the old one', async () => {
    await offer({ a: { rules: [deny('x')] }, b: { rules: [deny('y')] } });
    await offer({ a: 'gone' });
    expect(await offer({ a: { rules: [{ ...deny('z'), colour: 1 }] } })).toEqual({ a: false });
    expect(store.rejected()).toMatchObject([{ source: 'a', hasActive: false, isLeaving: false }]);
    expect(rules()).toEqual(['y']);
  });

  it('only a refused version of it was there: nothing of it is left', async () => {
    await offer({ a: { rules: [deny('x')] }, b: { rules: [deny('x', '/b')] } });
    expect(rejected()).toEqual(['b: b.yaml duplicate_name']);
    expect(await offer({ b: 'gone' })).toEqual({ b: true });
    expect([rules(), rejected()]).toEqual([['x'], []]);
  });

  it('nobody knows it: nothing', async () => {
    expect(await offer({ a: 'gone' })).toEqual({ a: true });
    expect([store.current(), rejected(), store.activeSources()]).toEqual([undefined, [], 0]);
  });

  it('its rule has moved to another source in the same offer: one policy, no time without the rule', async () => {
    await offer({ a: { rules: [deny('x')] }, b: { rules: [deny('y')] } });
    const swaps: (readonly string[])[] = [];
    await store.offerAll(
      [
        { source: 'a', version: undefined },
        { source: 'b', version: { files: files('b', { rules: [deny('x'), deny('y')] }), order: 'b' } },
      ],
      ({ swapped }) => void swaps.push(swapped?.rules.map(({ name }) => name) ?? []),
    );
    expect([swaps, store.activeSources()]).toEqual([[['x', 'y']], 1]);
  });
});

describe('order at start', () => {
  it('files by path come before ConfigMaps by creation time, and numbers are compared by value', async () => {
    const clash = (order: string | number, path: string): Offer => {
      return { source: path, version: { order, files: files(path, { rules: [deny('same', path)] }) } };
    };
    const leftOut = async (...offers: Offer[]) => {
      store = createPolicyStore();
      await store.offerAll(offers);
      return store.rejected().map(({ source }) => source);
    };
    expect(await leftOut(clash(9, '/nine'), clash('~', '/file'), clash(10, '/ten'))).toEqual(['/nine', '/ten']);
    expect(await leftOut(clash(10, '/ten'), clash(9, '/nine'))).toEqual(['/ten']);
    expect(await leftOut(clash('b', '/b'), clash('a', '/a'), clash(0, '/zero'))).toEqual(['/b', '/zero']);
  });
});

describe('review', () => {
  async function review(source: string, policy: PolicyObject): Promise<readonly string[]> {
    const problems = await store.review(source, files(source, policy));
    return problems.map(({ severity, file, code }) => `${severity} ${file} ${code}`);
  }

  beforeEach(async () => {
    await offer({ a: { issuers: [corp], rules: [deny('x')] }, b: { rules: [orders] } });
  });

  const cases: Record<string, [source: string, policy: PolicyObject, problems: readonly string[]]> = {
    'a good version: nothing': ['b', { rules: [orders, deny('y')] }, []],
    'a good new source: nothing': ['c', { rules: [deny('y')] }, []],
    'a version that has warnings: those of the whole policy': [
      'b',
      { rules: [deny('y')] },
      ['warning a.yaml unused_issuer'],
    ],
    'a version that is bad in itself': ['b', { rules: [{ ...orders, colour: 1 }] }, ['error b.yaml unknown_field']],
    'bad in itself and beside the others: all at once': [
      'b',
      { rules: [{ ...deny('x'), colour: 1 }] },
      ['error b.yaml duplicate_name', 'error b.yaml unknown_field'],
    ],
    'a clash with another source': ['c', { rules: [deny('x', '/other')] }, ['error c.yaml duplicate_name']],
    'what others need is taken away': ['a', { rules: [deny('x')] }, ['error b.yaml unknown_issuer']],
  };

  it.each(Object.entries(cases))('%s', async (_name, [source, policy, problems]) => {
    const before = [store.current(), store.rejected(), store.activeSources()];
    expect(await review(source, policy)).toEqual(problems);
    expect([store.current(), store.rejected(), store.activeSources()]).toEqual(before);
    expect(store.current()).toBe(before[0]);
  });

  it('no file: refused like a version without documents', async () => {
    expect(await store.review('b', [])).toMatchObject([{ file: 'b', code: 'no_document' }]);
  });

  it('a version that mends another which is refused: good, and that one stays refused', async () => {
    await offer({ c: { rules: [{ ...orders, name: 'c', paths: ['/c'], issuers: ['new'] }] } });
    const issuers = [corp, { ...corp, name: 'new', issuer: 'https://new.test' }];
    expect(await review('a', { issuers, rules: [deny('x')] })).toEqual([]);
    expect(rejected()).toEqual(['c: c.yaml unknown_issuer']);
  });

  it('tests of the whole that fail: told', async () => {
    const failed: Problem = { severity: 'error', file: 't', line: 1, column: 1, code: 'test_failed', message: 'm' };
    store = createPolicyStore(async ({ rules: all }) => (all.some(({ name }) => name === 'bad') ? [failed] : []));
    expect(await review('a', { rules: [deny('bad')] })).toEqual(['error t test_failed']);
    expect(store.current()).toBeUndefined();
  });

  it('while an offer is worked out: beside what that comes to, and it does not wait for the review', async () => {
    const gate = Promise.withResolvers<readonly Problem[]>();
    store = createPolicyStore(({ rules: all }) =>
      all.some(({ name }) => name === 'slow') ? gate.promise : Promise.resolve([]),
    );
    await offer({ a: { rules: [deny('x')] } });
    const reviewed = store.review('b', files('b', { rules: [deny('slow')] }));
    await offer({ a: { rules: [deny('z')] } });
    expect(rules()).toEqual(['z']);
    gate.resolve([]);
    expect(await reviewed).toEqual([]);
    expect(rules()).toEqual(['z']);
  });
});
