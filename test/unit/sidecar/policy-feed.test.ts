import { describe, expect, it } from 'vitest';
import { createPolicyStore } from '../../../src/policy/store.ts';
import { createPolicyFeed } from '../../../src/sidecar/policy-feed.ts';
import type { PathState } from '../../../src/source/read-path.ts';

function rules(...names: string[]): PathState {
  const documents = { apiVersion: 'scopegate.dev/v1', kind: 'Policy', rules: names.map((name) => rule(name)) };
  return { kind: 'content', files: [{ name: 'f.yaml', text: JSON.stringify(documents) }] };
}

function rule(name: string): object {
  return { name, paths: [`/${name}`], access: 'public' };
}

function setUp(...paths: string[]) {
  const store = createPolicyStore();
  const told: string[] = [];
  const feed = createPolicyFeed(store, paths, {
    applied: (snapshot) => void told.push(`applied ${snapshot.rules.map(({ name }) => name).join()}`),
    refused: (source, problems) => void told.push(`refused ${source} ${problems[0]?.code}`),
    unreadable: (source, reason) => void told.push(`unreadable ${source} ${reason}`),
    changed: () => void told.push('changed'),
  });
  return { feed, store, told };
}

describe('createPolicyFeed', () => {
  it('at start: nothing is offered before every source was read once', () => {
    const { feed, store, told } = setUp('a', 'b');
    feed.deliver('b', rules('two'));
    feed.deliver('b', rules('three'));
    expect(store.current()).toBeUndefined();
    feed.deliver('a', rules('one'));
    expect(told).toEqual(['applied one,three', 'changed']);
  });

  it('two sources that clash at start: the later name is left out, whichever was read first', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const { feed, told } = setUp('a', 'b');
      for (const path of order) feed.deliver(path, rules('one'));
      expect(told).toEqual(['refused b duplicate_name', 'applied one', 'changed']);
    }
  });

  it('a source that cannot be read keeps its version, and is well again when it can', () => {
    const { feed, store, told } = setUp('a');
    feed.deliver('a', rules('one'));
    feed.deliver('a', { kind: 'absent', reason: 'no such file' });
    expect(feed.unreadable).toEqual(new Map([['a', 'no such file']]));
    expect(store.current()?.rules).toHaveLength(1);
    feed.deliver('a', rules('one'));
    expect(feed.unreadable).toEqual(new Map());
    expect(told.slice(2)).toEqual(['unreadable a no such file', 'changed', 'applied one', 'changed']);
  });
});
