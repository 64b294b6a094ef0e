import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/policy/problem.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { createPolicyStore } from '../../../src/policy/store.ts';
import { ofPath } from '../../../src/sidecar/origin.ts';
import { createPolicyFeed, type PolicyFeedObserver } from '../../../src/sidecar/policy-feed.ts';
import type { PathState } from '../../../src/source/read-path.ts';

// Loaded before the feeds are asked, as in a process that has read a policy.
await Promise.all([import('../../../src/policy/compile-policy.ts'), import('../../../src/policy/document.ts')]);

function rules(...names: string[]): PathState {
  const documents = { apiVersion: 'scopegate.dev/v1', kind: 'Policy', rules: names.map((name) => rule(name)) };
  return { kind: 'content', files: [{ name: 'f.yaml', text: JSON.stringify(documents) }] };
}

function rule(name: string): object {
  return { name, paths: [`/${name}`], access: 'public' };
}

const failed: Problem = { severity: 'error', file: 't', line: 1, column: 1, code: 'test_failed', message: 'm' };

function namesOf(snapshot: PolicySnapshot | undefined): string | undefined {
  return snapshot?.rules.map(({ name }) => name).join();
}

/** `check` is told the names of the rules, and says whether the policy is good. */
function setUp(
  paths: readonly string[],
  check: (names: string | undefined) => boolean | Promise<boolean> = () => true,
  observer: Partial<PolicyFeedObserver> = {},
) {
  const store = createPolicyStore(async (snapshot) => ((await check(namesOf(snapshot))) ? [] : [failed]));
  const told: string[] = [];
  const policyFeed = createPolicyFeed(store, paths, {
    applied: (snapshot) => void told.push(`applied ${namesOf(snapshot)}`),
    entered: () => undefined,
    left: () => undefined,
    deleted: () => undefined,
    readable: () => undefined,
    refused: ({ member: { source }, problems, hasActive }) =>
      void told.push(`refused ${source} ${problems[0]?.code}${hasActive ? ', an older version stays' : ''}`),
    unreadable: (source, kind, reason) => void told.push(`${kind} ${source} ${reason}`),
    changed: () => void told.push('changed'),
    fault: (fault) => void told.push(`fault ${String(fault)}`),
    ...observer,
  });
  const feed = {
    ...policyFeed,
    deliver: (path: string, state: PathState) => policyFeed.deliver(path, ofPath(path, state)),
    close: () => policyFeed.close(),
    unreadable: policyFeed.unreadable,
  };
  return { feed, store, told };
}

/** Everything that waits for nothing outside is done. */
function quiet(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 30));
}

describe('createPolicyFeed', () => {
  it('at start: nothing is offered before every source was read once', async () => {
    const { feed, store, told } = setUp(['a', 'b']);
    feed.deliver('b', rules('two'));
    feed.deliver('b', rules('three'));
    await quiet();
    expect(store.current()).toBeUndefined();
    feed.deliver('a', rules('one'));
    await quiet();
    expect(told).toEqual(['applied one,three', 'changed']);
  });

  it('two sources that clash at start: the later name is left out, whichever was read first', async () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const { feed, told } = setUp(['a', 'b']);
      for (const path of order) feed.deliver(path, rules('one'));
      await quiet();
      expect(told).toEqual(['applied one', 'refused b duplicate_name', 'changed']);
    }
  });

  it('a source that cannot be read keeps its version, and is well again when it can', async () => {
    const { feed, store, told } = setUp(['a']);
    feed.deliver('a', rules('one'));
    await quiet();
    feed.deliver('a', { kind: 'absent', reason: 'no such file' });
    expect(feed.unreadable).toEqual(new Map([['a', 'no such file']]));
    expect(store.current()?.rules).toHaveLength(1);
    feed.deliver('a', rules('one'));
    await quiet();
    expect(feed.unreadable).toEqual(new Map());
    expect(told.slice(2)).toEqual(['unreadable a no such file', 'changed', 'applied one', 'changed']);
  });

  it('a policy whose tests fail: not active, told like any other error, and the last good one goes on', async () => {
    const { feed, store, told } = setUp(['a'], (names) => names !== 'bad');
    feed.deliver('a', rules('good'));
    await quiet();
    feed.deliver('a', rules('bad'));
    await quiet();
    expect(told).toEqual(['applied good', 'changed', 'refused a test_failed, an older version stays', 'changed']);
    expect(namesOf(store.current())).toBe('good');
  });

  it('two sources change while the tests of one run: both are settled, in their order', async () => {
    const gate = Promise.withResolvers<void>();
    const { feed, store, told } = setUp(['a', 'b'], async (names) => {
      if (names === 'slow,two') await gate.promise;
      return true;
    });
    feed.deliver('a', rules('one'));
    feed.deliver('b', rules('two'));
    await quiet();
    feed.deliver('a', rules('slow'));
    feed.deliver('b', rules('three'));
    feed.deliver('a', rules('last'));
    await quiet();
    expect(namesOf(store.current())).toBe('one,two');
    gate.resolve();
    await quiet();
    expect(told.filter((line) => line !== 'changed')).toEqual([
      'applied one,two',
      'applied slow,two',
      'applied slow,three',
      'applied last,three',
    ]);
  });

  it('a new policy: told in the turn of the swap, so that no check meets an issuer that nobody knows', async () => {
    const turns: (string | undefined)[] = [];
    const { feed, store } = setUp(['a'], () => true, {
      applied: (snapshot) => {
        turns.push(namesOf(snapshot), namesOf(store.current()));
      },
    });
    feed.deliver('a', rules('one'));
    for (let turn = 0; turn < 100 && store.current() === undefined; turn += 1) await Promise.resolve();
    expect(turns).toEqual(['one', 'one']);
  });

  it('a bug in the tests: told as a fault, and the last good policy goes on', async () => {
    const { feed, store, told } = setUp(['a'], (names) => {
      if (names === 'two') throw new Error('broken');
      return true;
    });
    feed.deliver('a', rules('one'));
    feed.deliver('a', rules('two'));
    await quiet();
    expect(told).toEqual(['applied one', 'changed', 'fault Error: broken']);
    expect(namesOf(store.current())).toBe('one');
  });

  it('closed while tests run: nothing is told of them', async () => {
    const { feed, told } = setUp(['a']);
    feed.deliver('a', rules('one'));
    feed.close();
    await quiet();
    expect(told).toEqual([]);
  });
});
