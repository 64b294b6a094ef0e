import { describe, expect, it } from 'vitest';
import { keep } from '../../../src/sidecar/kept-state.ts';
import type { Member } from '../../../src/sidecar/origin.ts';
import type { SavedKeys } from '../../../src/state/saved-keys.ts';
import type { SavedSource } from '../../../src/state/saved-sources.ts';
import { configMap } from './config-maps.ts';

const old: SavedSource = { origin: 'o', source: 'old', order: 1, appliedMs: 7, files: [{ name: 'f', text: 't' }] };
const live: Member = {
  origin: 'o',
  source: 'live',
  order: 'path',
  files: [{ name: 'f', text: 't' }],
  configMap: configMap('main', []),
  savedMs: undefined,
};

/** A folder that holds this, at a time that the test sets. */
function setUp(sources: readonly SavedSource[] = [], keys: readonly SavedKeys[] = []) {
  const saved: { sources?: readonly SavedSource[]; keys?: readonly SavedKeys[] } = {};
  const clock = { now: 1000 };
  const folder = {
    sources,
    keys,
    saveSources: (list: readonly SavedSource[]) => void (saved.sources = list),
    saveKeys: (list: readonly SavedKeys[]) => void (saved.keys = list),
    close: async () => undefined,
  };
  return { kept: keep(folder, { now: () => clock.now, maxStaleMs: 500 }), saved, clock };
}

describe('sources', () => {
  it('saved ones are members without a ConfigMap, as old as they are', () => {
    const { appliedMs: savedMs, ...rest } = old;
    expect(setUp([old]).kept.sources).toEqual([{ ...rest, configMap: undefined, savedMs }]);
  });

  it('a version keeps the time when it came into force, also one that came from the state', () => {
    const { kept, saved, clock } = setUp([old]);
    kept.saveSources([live, ...kept.sources]);
    clock.now = 2000;
    kept.saveSources([...kept.sources, live]);
    expect(saved.sources).toEqual([
      { origin: 'o', source: 'live', order: 'path', appliedMs: 1000, files: live.files },
      old,
    ]);
    kept.saveSources([{ ...live }]);
    expect(saved.sources?.[0]?.appliedMs).toBe(2000);
  });

  it('nothing in force: what was saved stays', () => {
    const { kept, saved } = setUp([old]);
    kept.saveSources([]);
    expect(saved.sources).toBeUndefined();
  });
});

describe('keys', () => {
  const [a, b] = ['a', 'b'].map((source): SavedKeys => ({ source, fetchedMs: 900, keys: [{ kid: source }] }));

  it('given by where they came from', () => {
    const { kept } = setUp([], [a as SavedKeys]);
    expect([kept.keys('a'), kept.keys('b')]).toEqual([{ fetchedAt: 900, keys: [{ kid: 'a' }] }, undefined]);
  });

  it('of an issuer whose policy is not there yet: kept until they are stale; fetched ones take the place of saved ones', () => {
    const { kept, saved, clock } = setUp([], [a as SavedKeys, b as SavedKeys]);
    kept.saveKeys(new Map([['a', { fetchedAt: 1000, keys: [] }]]));
    expect(saved.keys).toEqual([{ source: 'a', fetchedMs: 1000, keys: [] }, b]);
    clock.now = 1401;
    kept.saveKeys(new Map([['c', { fetchedAt: 1401, keys: [] }]]));
    expect(saved.keys).toEqual([{ source: 'c', fetchedMs: 1401, keys: [] }]);
  });
});
