import { describe, expect, it } from 'vitest';
import { policySource } from '../../../src/config/policy-source.ts';
import type { Problem } from '../../../src/policy/problem.ts';
import { createPolicyStore } from '../../../src/policy/store.ts';
import { watchConfigMaps } from '../../../src/sidecar/cluster-sources.ts';
import { type Member, ofPath } from '../../../src/sidecar/origin.ts';
import { createPolicyEvents } from '../../../src/sidecar/policy-events.ts';
import { createPolicyFeed } from '../../../src/sidecar/policy-feed.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { configMap, FakeCluster, textOf } from './config-maps.ts';

// Loaded before the feeds are asked, as in a process that has read a policy.
await Promise.all([import('../../../src/policy/compile-policy.ts'), import('../../../src/policy/document.ts')]);

const one = 'configmap:shop/main';
const labelled = 'configmaps:shop?policy';
const failed: Problem = { severity: 'error', file: 't', line: 1, column: 1, code: 'test_failed', message: 'm' };

/** A policy of these sources; one that lacks rule `needed`, once it had it, fails its tests. */
function setUp(texts: readonly string[], saved: readonly Member[] = []) {
  let hadNeeded = false;
  const store = createPolicyStore(async ({ rules }) => {
    const has = rules.some(({ name }) => name === 'needed');
    hadNeeded ||= has;
    return hadNeeded && !has ? [failed] : [];
  });
  const told: string[] = [];
  const cluster = new FakeCluster();
  const events = createPolicyEvents((event) => cluster.recordEvent(event));
  const counts = { hash: 'h', rules: 1, issuers: 0, warnings: 0 };
  const feed = createPolicyFeed(
    store,
    texts,
    {
      applied: ({ rules }) => void told.push(`applied ${rules.map(({ name }) => name).join()}`),
      entered: (member) => {
        told.push(`entered ${member.source}${member.savedMs === undefined ? '' : ' saved'}`);
        events.entered(member, counts);
      },
      left: (member) => {
        told.push(`left ${member.source}`);
        events.left(member);
      },
      refused: (refusal) => {
        const { member, problems, hasActive, isLeaving } = refusal;
        const what = [hasActive ? 'stays' : 'nothing', ...(isLeaving ? ['leaving'] : [])].join(' ');
        told.push(`refused ${member.source} ${problems[0]?.code} ${what}`);
        events.refused(refusal);
      },
      deleted: (member) => {
        told.push(`deleted ${member.source}`);
        events.deleted(member);
      },
      unreadable: (origin, kind, reason) => void told.push(`${kind} ${origin} ${reason}`),
      readable: (origin) => void told.push(`readable ${origin}`),
      changed: () => undefined,
      fault: (fault) => void told.push(`fault ${String(fault)}`),
    },
    saved,
  );
  const reporting = { metrics: createMetrics() };
  const watches = texts.flatMap((text) => {
    const parsed = policySource(text);
    if ('problem' in parsed) throw new Error(parsed.problem);
    if (parsed.value.kind === 'path') return [];
    return [watchConfigMaps(parsed.value, { cluster, feed, reporting, now: () => 5000 })];
  });
  /** What was told since the last time. */
  const news = async (): Promise<string[]> => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return told.splice(0);
  };
  const rules = () =>
    store
      .current()
      ?.rules.map(({ name }) => name)
      .join();
  const reasons = () => cluster.events.splice(0).map(({ reason, configMap: { name } }) => `${reason} ${name}`);
  return { store, feed, cluster, watches, reporting, news, rules, reasons };
}

describe('one ConfigMap', () => {
  it('its keys are files, named so that problems name their line; other keys are no documents', async () => {
    const { cluster, store, news } = setUp([one]);
    const data = new Map([
      ['b.yml', textOf('b')],
      ['README', 'not a policy'],
      ['a.yaml', `apiVersion: scopegate.dev/v1\nkind: Policy\nrules:\n  - { name: a, path: [/a], access: public }\n`],
    ]);
    cluster.holds('main', configMap('main', [], { data }));
    expect(await news()).toEqual(['refused configmap/shop/main unknown_field nothing']);
    expect(store.rejected()[0]?.problems[0]).toMatchObject({ file: 'configmap/shop/main/a.yaml', line: 4, column: 16 });
  });

  it('a version that is good, then one that is bad, then one that is good', async () => {
    const { cluster, news, reasons, rules } = setUp([one]);
    cluster.holds('main', configMap('main', ['x']));
    expect(await news()).toEqual(['applied x', 'entered configmap/shop/main']);
    cluster.holds('main', configMap('main', ['x', 'x'], { resourceVersion: '2' }));
    expect(await news()).toEqual(['refused configmap/shop/main duplicate_name stays']);
    cluster.holds('main', configMap('main', ['y'], { resourceVersion: '3' }));
    expect(await news()).toEqual(['applied y', 'entered configmap/shop/main']);
    expect([rules(), reasons()]).toEqual(['y', ['PolicyApplied main', 'PolicyRejected main', 'PolicyApplied main']]);
  });

  it('only its labels or annotations change: nothing follows', async () => {
    const { cluster, news, reasons } = setUp([one]);
    cluster.holds('main', configMap('main', ['x']));
    await news();
    reasons();
    cluster.holds('main', configMap('main', ['x'], { resourceVersion: '2' }));
    expect([await news(), reasons()]).toEqual([[], []]);
  });

  it.each([
    ['made again with the same text', { uid: 'other' }],
    ['given binary data', { binaryKeys: ['logo'] }],
  ])('%s: another version', async (_name, change) => {
    const { cluster, news } = setUp([one]);
    cluster.holds('main', configMap('main', ['x']));
    await news();
    cluster.holds('main', configMap('main', ['x'], change));
    expect(await news()).toEqual(['applied x', 'entered configmap/shop/main']);
  });

  it('deleted: the last good version stays, told once however often the API server goes away, and mended when it is back', async () => {
    const { cluster, feed, news, reasons, rules } = setUp([one]);
    cluster.holds('main', configMap('main', ['x']));
    await news();
    cluster.holds('main');
    expect(await news()).toEqual([`absent ${one} there is no ConfigMap shop/main`, 'deleted configmap/shop/main']);
    cluster.isAway('main');
    cluster.holds('main');
    expect((await news()).filter((line) => line.startsWith('deleted'))).toEqual([]);
    expect([rules(), [...feed.unreadable.keys()]]).toEqual(['x', [one]]);
    cluster.holds('main', configMap('main', ['y'], { uid: 'new' }));
    expect(await news()).toEqual([`readable ${one}`, 'applied y', 'entered configmap/shop/main']);
    cluster.holds('main');
    expect((await news()).at(-1)).toBe('deleted configmap/shop/main');
    expect(reasons()).toEqual(['PolicyApplied main', 'PolicyDeleted main', 'PolicyApplied main', 'PolicyDeleted main']);
  });

  it('not there at first: reported, active once it is made', async () => {
    const { cluster, news, rules } = setUp([one]);
    cluster.holds('main');
    expect(await news()).toEqual([`absent ${one} there is no ConfigMap shop/main`]);
    cluster.holds('main', configMap('main', ['x']));
    await news();
    expect(rules()).toBe('x');
  });

  it('the API server goes away: what was loaded stays, and is not loaded again when it is back', async () => {
    const { cluster, feed, news, rules } = setUp([one]);
    cluster.holds('main', configMap('main', ['x']));
    await news();
    cluster.isAway('main', 'HTTP 503');
    expect([await news(), rules(), feed.unreadable.get(one)]).toEqual([
      [`unavailable ${one} HTTP 503`],
      'x',
      'HTTP 503',
    ]);
    cluster.holds('main', configMap('main', ['x']));
    expect([await news(), feed.unreadable.size]).toEqual([[`readable ${one}`], 0]);
  });
});

describe('ConfigMaps by label', () => {
  it('one loses its label or is deleted: its rules go', async () => {
    const { cluster, news, reasons, rules } = setUp([labelled]);
    cluster.holds('policy', configMap('a', ['a']), configMap('b', ['b']));
    await news();
    reasons();
    cluster.holds('policy', configMap('b', ['b']));
    expect([await news(), rules(), reasons()]).toEqual([
      ['applied b', 'left configmap/shop/a'],
      'b',
      ['PolicyDeleted a'],
    ]);
  });

  it('what remains would be bad: its rules stay and it is told, until that is mended', async () => {
    const { cluster, feed, news, reasons, rules, store } = setUp([labelled]);
    const [a, b] = [configMap('a', ['needed']), configMap('b', ['b'])];
    cluster.holds('policy', a, b);
    await news();
    reasons();
    cluster.holds('policy', b);
    expect([await news(), rules(), reasons()]).toEqual([
      ['refused configmap/shop/a test_failed stays leaving'],
      'b,needed',
      ['PolicyDeleted a'],
    ]);
    expect(feed.active().map(({ source }) => source)).toEqual(['configmap/shop/a', 'configmap/shop/b']);
    cluster.holds('policy', configMap('b', ['b', 'needed'], { resourceVersion: '2' }));
    expect([await news(), store.rejected(), reasons()]).toEqual([
      ['applied b,needed', 'entered configmap/shop/b', 'left configmap/shop/a'],
      [],
      ['PolicyApplied b', 'PolicyDeleted a'],
    ]);
  });

  it('the last one goes: it stays', async () => {
    const { cluster, news, rules } = setUp([labelled]);
    cluster.holds('policy', configMap('a', ['a']));
    await news();
    cluster.holds('policy');
    expect([await news(), rules()]).toEqual([['refused configmap/shop/a no_document stays leaving'], 'a']);
  });

  it('two that clash at start: the older one is active, although the younger is first by name', async () => {
    const { cluster, news, reasons } = setUp([labelled]);
    cluster.holds('policy', configMap('b', ['x'], { createdMs: 1 }), configMap('a', ['x'], { createdMs: 2 }));
    expect(await news()).toEqual([
      'applied x',
      'entered configmap/shop/b',
      'refused configmap/shop/a duplicate_name nothing',
    ]);
    expect(reasons()).toEqual(['PolicyApplied b', 'PolicyRejected a']);
  });

  it('one mends another: both are told to be in force', async () => {
    const { cluster, news, reasons } = setUp([labelled]);
    cluster.holds('policy', configMap('b', ['x', 'y'], { createdMs: 1 }), configMap('a', ['x'], { createdMs: 2 }));
    await news();
    reasons();
    cluster.holds(
      'policy',
      configMap('b', ['y'], { resourceVersion: '2', createdMs: 1 }),
      configMap('a', ['x'], { createdMs: 2 }),
    );
    await news();
    expect(reasons().toSorted()).toEqual(['PolicyApplied a', 'PolicyApplied b']);
  });
});

describe('several origins', () => {
  it('a ConfigMap that two of them select: there once; gone when neither selects it, unless it is named', async () => {
    const { cluster, news, rules, store } = setUp([labelled, 'configmaps:shop?team=a']);
    const [a, b] = [configMap('a', ['a']), configMap('b', ['b'])];
    cluster.holds('policy', a, b);
    cluster.holds('team=a', a);
    expect(await news()).toEqual(['applied a,b', 'entered configmap/shop/a', 'entered configmap/shop/b']);
    expect(store.activeSources()).toBe(2);
    cluster.holds('policy', b);
    expect([await news(), rules()]).toEqual([[], 'a,b']);
    cluster.holds('team=a');
    expect([await news(), rules()]).toEqual([['applied b', 'left configmap/shop/a'], 'b']);
  });

  it('the second of them is behind: its older version does not come back', async () => {
    const { cluster, news, rules } = setUp([labelled, 'configmaps:shop?team=a']);
    const [old, fresh] = [configMap('a', ['old']), configMap('a', ['new'], { resourceVersion: '2' })];
    cluster.holds('policy', fresh);
    cluster.holds('team=a', old);
    expect([await news(), rules()]).toEqual([['applied new', 'entered configmap/shop/a'], 'new']);
    cluster.holds('team=a', fresh);
    expect(await news()).toEqual([]);
  });

  it('a file and an API server that says nothing: the file is offered once nobody waits any longer', async () => {
    const { cluster, feed, news, rules } = setUp(['file.yaml', one]);
    feed.deliver('file.yaml', ofPath('file.yaml', { kind: 'content', files: [{ name: 'f.yaml', text: textOf('f') }] }));
    expect([await news(), rules()]).toEqual([[], undefined]);
    feed.waitNoLonger();
    expect(await news()).toEqual([`unavailable ${one} it has not answered yet`, 'applied f', 'entered file.yaml']);
    expect([...feed.unreadable]).toEqual([[one, 'it has not answered yet']]);
    cluster.holds('main', configMap('main', ['x']));
    expect([await news(), rules(), feed.unreadable.size]).toEqual([
      [`readable ${one}`, 'applied f,x', 'entered configmap/shop/main'],
      'f,x',
      0,
    ]);
    feed.waitNoLonger();
    expect(await news()).toEqual([]);
  });
});

describe('a start with what was saved', () => {
  const saved: Member = {
    origin: one,
    source: 'configmap/shop/main',
    files: [{ name: 'configmap/shop/main/p.json', text: textOf('saved') }],
    order: 1000,
    configMap: undefined,
    savedMs: 77,
  };

  it('the API server is away: the saved version, until the live one comes', async () => {
    const { cluster, feed, news, reasons, rules } = setUp([one], [saved]);
    cluster.isAway('main', 'refused');
    expect([await news(), rules()]).toEqual([
      [`unavailable ${one} refused`, 'applied saved', 'entered configmap/shop/main saved'],
      'saved',
    ]);
    expect([feed.active(), reasons()]).toEqual([[saved], []]);
    cluster.holds('main', configMap('main', ['saved']));
    expect([await news(), feed.active()[0]?.savedMs, reasons()]).toEqual([
      [`readable ${one}`, 'applied saved', 'entered configmap/shop/main'],
      undefined,
      ['PolicyApplied main'],
    ]);
  });

  it.each<[string, (cluster: FakeCluster, feed: { waitNoLonger(): void }) => void]>([
    ['the API server says nothing', (_cluster, feed) => feed.waitNoLonger()],
    ['the ConfigMap is gone', (cluster) => cluster.holds('main')],
  ])('%s: the saved version', async (_name, happens) => {
    const { cluster, feed, news, rules } = setUp([one], [saved]);
    happens(cluster, feed);
    await news();
    expect(rules()).toBe('saved');
  });

  it('the live version is there: the saved one is never used', async () => {
    const { cluster, news } = setUp([one], [saved]);
    cluster.holds('main', configMap('main', ['x']));
    expect(await news()).toEqual(['applied x', 'entered configmap/shop/main']);
  });

  it('EA-65 the live version is bad: the saved one is in force, as before the restart, and the live one is told once', async () => {
    const { cluster, feed, store, news, reasons, rules } = setUp([one], [saved]);
    cluster.holds('main', configMap('main', ['x', 'x']));
    expect([await news(), rules()]).toEqual([
      ['applied saved', 'entered configmap/shop/main saved', 'refused configmap/shop/main duplicate_name stays'],
      'saved',
    ]);
    expect([feed.active(), reasons()]).toEqual([[saved], ['PolicyRejected main']]);
    expect(store.rejected()).toMatchObject([{ source: 'configmap/shop/main', hasActive: true }]);
    cluster.holds('main', configMap('main', ['y'], { resourceVersion: '2' }));
    expect([await news(), rules()]).toEqual([['applied y', 'entered configmap/shop/main'], 'y']);
  });

  it('both versions are bad: the live one is told, once, and nothing is in force', async () => {
    const bad = { ...saved, files: [{ name: 'p', text: '{' }] };
    const { cluster, news, rules } = setUp([one], [bad]);
    cluster.holds('main', configMap('main', ['x', 'x']));
    expect([await news(), rules()]).toEqual([['refused configmap/shop/main duplicate_name nothing'], undefined]);
    cluster.holds('main', configMap('main', ['y', 'y']));
    expect(await news()).toEqual(['refused configmap/shop/main duplicate_name nothing']);
  });

  it('by label: a ConfigMap that is not selected any more is not brought back', async () => {
    const { cluster, news, rules } = setUp([labelled], [{ ...saved, origin: labelled }]);
    cluster.holds('policy', configMap('b', ['b']));
    expect([await news(), rules()]).toEqual([['applied b', 'entered configmap/shop/b'], 'b']);
  });

  it('what was saved of a source that is not configured any more: not used', async () => {
    const { feed, news, rules } = setUp([one], [{ ...saved, origin: 'configmap:shop/other' }]);
    feed.waitNoLonger();
    await news();
    expect(rules()).toBeUndefined();
  });
});

describe('Events', () => {
  it('in force: the hash and the counts; refused: what stays, the first errors with their lines, and how many more', async () => {
    const { cluster, news } = setUp([one]);
    cluster.holds('main', configMap('main', ['a'], { resourceVersion: '7' }));
    await news();
    cluster.holds('main', configMap('main', ['a', 'a', 'b', 'b', 'c', 'c'], { resourceVersion: '8' }));
    await news();
    const [applied, rejected] = cluster.events;
    expect(applied).toMatchObject({ configMap: { name: 'main', uid: 'uid-main', resourceVersion: '7' } });
    expect(applied?.note).toBe('in force as part of policy h: 1 rule, 0 issuers, 0 warnings');
    expect(rejected?.configMap.resourceVersion).toBe('8');
    const lines = rejected?.note.split('\n') ?? [];
    // The only one that `kubectl get events` shows.
    expect(lines[0]).toMatch(
      /^refused, the last good version stays in force: configmap\/shop\/main\/p\.json:1:\d+: error\[duplicate_name\]: /,
    );
    expect(lines[1]).toMatch(/^configmap\/shop\/main\/p\.json:1:\d+: error\[equal_rules\]: /);
    expect([lines.length, lines.at(-1)]).toEqual([4, 'and 3 more']);
    expect(Buffer.byteLength(rejected?.note ?? '')).toBeLessThan(1024);
  });

  it('a policy that wants to steer the terminal of whoever reads the Event: no control is left in it', async () => {
    const { cluster, news } = setUp([one]);
    const data = new Map([['p.yaml', '"\\e[2Jrules\\nline": []\n']]);
    cluster.holds('main', configMap('main', [], { data }));
    await news();
    const note = cluster.events[0]?.note ?? '';
    expect(note).toContain('unknown field `?[2Jrules?line`');
    expect(note.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('sources that are not in force in their newest version', () => {
  it('a bad ConfigMap that is then deleted: one, as long as it lasts', async () => {
    const { cluster, feed, news } = setUp([one, labelled]);
    const counts: number[] = [];
    const count = async (): Promise<void> => {
      await news();
      counts.push(feed.failing());
    };
    cluster.holds('policy');
    cluster.holds('main', configMap('main', ['a']));
    await count();
    cluster.holds('main', configMap('main', ['a', 'a']));
    await count();
    cluster.holds('main');
    await count();
    cluster.holds('policy', configMap('b', ['b', 'b']), configMap('c', ['c', 'c']));
    await count();
    cluster.isAway('policy');
    await count();
    cluster.holds('main', configMap('main', ['a']));
    await count();
    expect(counts).toEqual([0, 1, 1, 3, 3, 2]);
  });

  it('an origin that cannot be read: one', async () => {
    const { cluster, feed, news } = setUp([one]);
    cluster.isAway('main');
    await news();
    expect(feed.failing()).toBe(1);
  });
});

describe('watches', () => {
  it('metrics say from the start whether a watch is open; closed with the source', async () => {
    const { cluster, watches, reporting } = setUp([one, labelled]);
    cluster.watches.get('main')?.connected(true);
    cluster.watches.get('main')?.heard();
    const text = await reporting.metrics.text();
    expect(text).toContain(`scopegate_policy_watch_connected{source="${one}"} 1\n`);
    expect(text).toContain(`scopegate_policy_watch_connected{source="${labelled}"} 0\n`);
    expect(text).toContain(`scopegate_policy_watch_last_event_timestamp_seconds{source="${one}"} 5\n`);
    for (const watch of watches) watch.close();
    expect(cluster.closed).toEqual(['main', 'policy']);
  });
});
