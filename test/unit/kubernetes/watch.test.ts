/**
 * The watch against everything that a server, a proxy or a network can do to it: whatever happens, the next list says how things are,
 * nothing is delivered twice, and attempts keep their distance (interface section 9).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigMapSelection } from '../../../src/kubernetes/config-map.ts';
import {
  json,
  refuse,
  type ScriptedApiServer,
  type Step,
  startApiServer,
  streamed,
  type Verb,
} from './scripted-api-server.ts';
import { createFolder, type Folder, kubeconfig, one, plain, type Subject, watchCluster } from './subject.ts';

let server: ScriptedApiServer;
let folder: Folder;
let subject: Subject | undefined;

beforeEach(async () => {
  server = await startApiServer();
  folder = await createFolder();
  await folder.write('config', kubeconfig(server.url));
  server.put('policy', { data: { a: '1' } });
});

afterEach(async () => {
  subject?.close();
  await server.close();
  await folder.remove();
});

function watching(selection: ConfigMapSelection = one, random?: () => number): Subject {
  subject = watchCluster({ kind: 'files', paths: [`${folder.path}/config`] }, selection, random);
  return subject;
}

const settled = async ({ told }: Subject, check: () => boolean): Promise<void> => {
  await told.until(() => server.left() === 0 && server.watching() > 0 && told.connected.at(-1) === true && check());
};

interface Case {
  readonly on: Verb;
  readonly steps: readonly Step[];
  /** All requests up to and with the watch that is well. */
  readonly requests: readonly string[];
  /** The states that were delivered. */
  readonly states?: readonly unknown[];
  /** What the log says about it. */
  readonly logged?: RegExp;
}

const v1 = { policy: { a: '1' } };
const well = ['list 200', 'watch 200'];
const expired = `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } })}\n`;
const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const configMap = (over: object = {}, data: object = { a: 'x' }): object => ({
  kind: 'ConfigMap',
  metadata: { namespace: 'shop', name: 'policy', uid: 'uid-1', resourceVersion: '500', ...over },
  data,
});

const cases: Record<string, Case> = {
  'list refused with 403: the verb, the object and the namespace are named': {
    on: 'list',
    steps: [refuse(403, 'user "x" cannot')],
    requests: ['list 403', ...well],
    states: [
      expect.stringMatching(/403, a Role must allow list on configmaps "policy" in namespace "shop": user "x" cannot$/),
      v1,
    ],
    logged: /403/,
  },
  'list refused with 401: says that the credentials are refused': {
    on: 'list',
    steps: [refuse(401)],
    requests: ['list 401', ...well],
    states: [expect.stringMatching(/401, our credentials are refused/), v1],
  },
  'list fails with 500: unavailable, then content': {
    on: 'list',
    steps: [refuse(500, 'etcd\nis\u0007 slow')],
    requests: ['list 500', ...well],
    states: [expect.stringMatching(/500, .*: etcd is slow$/), v1],
  },
  'list refused with 410: unavailable, then content': {
    on: 'list',
    steps: [refuse(410)],
    requests: ['list 410', ...well],
    states: [expect.stringMatching(/410/), v1],
  },
  'list redirected: not followed': {
    on: 'list',
    steps: [({ response }) => json(response, 302, {}, { location: '/elsewhere' })],
    requests: ['list 302', ...well],
    states: [expect.stringMatching(/302/), v1],
  },
  'list that switches protocols: fails like any other': {
    on: 'list',
    steps: [
      ({ request }) =>
        request.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ],
    requests: ['list error', ...well],
    states: [expect.stringMatching(/closed/), v1],
  },
  'connection reset in answer to list: says that it was closed': {
    on: 'list',
    steps: [({ request }) => request.socket.resetAndDestroy()],
    requests: ['list error', ...well],
    states: [expect.stringMatching(/connection closed by the other side$/), v1],
  },
  'body of the list cut off: nothing of it is believed': {
    on: 'list',
    steps: [
      ({ request, response }) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('{"kind":"ConfigMapList"');
        setImmediate(() => request.socket.destroy());
      },
    ],
    requests: ['list 200', ...well],
    states: [expect.stringMatching(/closed|aborted/), v1],
  },
  'body of the list is half JSON: nothing of it is believed': {
    on: 'list',
    steps: [
      ({ response }) => response.end('{"kind":"ConfigMapList","metadata":{"resourceVersion":"1"},"items":[{"meta'),
    ],
    requests: ['list 200', ...well],
    states: ['the answer is not a list of ConfigMaps', v1],
  },
  'body of the list is another page: nothing of it is believed': {
    on: 'list',
    steps: [({ response }) => response.end('<html>log in, please</html>')],
    requests: ['list 200', ...well],
    states: ['the answer is not a list of ConfigMaps', v1],
  },
  'list larger than any ConfigMap: given up': {
    on: 'list',
    steps: [({ response }) => response.end(Buffer.alloc(9 * 1024 * 1024, ' '))],
    requests: ['list 200', ...well],
    states: [expect.stringMatching(/longer than \d+ bytes/), v1],
  },
  'body of the list is of another kind: nothing of it is believed': {
    on: 'list',
    steps: [
      ({ response }) => json(response, 200, { kind: 'SecretList', metadata: { resourceVersion: '1' }, items: [] }),
    ],
    requests: ['list 200', ...well],
    states: ['the answer is not a list of ConfigMaps', v1],
  },
  'list with half a ConfigMap: nothing of it is believed, it would look like a deletion': {
    on: 'list',
    steps: [
      ({ response }) =>
        json(response, 200, { kind: 'ConfigMapList', metadata: { resourceVersion: '1' }, items: [{ metadata: {} }] }),
    ],
    requests: ['list 200', ...well],
    states: ['the answer is not a list of ConfigMaps', v1],
  },
  'answer is not HTTP: says what the parser says': {
    on: 'list',
    steps: [({ request }) => request.socket.end('SSH-2.0-OpenSSH_9\r\n')],
    requests: ['list error', ...well],
    states: [expect.stringMatching(/Parse Error/), v1],
  },
  'watch refused with 403: the content stays, the log names the verb': {
    on: 'watch',
    steps: [refuse(403)],
    requests: ['list 200', 'watch 403', ...well],
    states: [v1],
    logged: /must allow watch on configmaps .*policy/,
  },
  'watch refused with 410: listed again': {
    on: 'watch',
    steps: [refuse(410)],
    requests: ['list 200', 'watch 410', ...well],
    states: [v1],
    logged: /too old/,
  },
  'watch ends with an ERROR of 410: listed again': {
    on: 'watch',
    steps: [streamed(expired, 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'events behind an ERROR: not believed, listed again': {
    on: 'watch',
    steps: [streamed(expired + event('MODIFIED', configMap({}, { a: 'behind' })), 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'event with a value that is no text: listed again': {
    on: 'watch',
    steps: [streamed(event('MODIFIED', configMap({}, { a: 1 })), 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'watch ends with an ERROR of 500: listed again': {
    on: 'watch',
    steps: [streamed(event('ERROR', { kind: 'Status', code: 500, message: 'no' }), 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'watch ends in an orderly way: listed again': {
    on: 'watch',
    steps: [streamed('')],
    requests: [...well, ...well],
    states: [v1],
  },
  'watch is reset: listed again': {
    on: 'watch',
    steps: [streamed(event('BOOKMARK', configMap()), 'reset')],
    requests: [...well, ...well],
    states: [v1],
  },
  'watch ends within a line: the half line is nothing, listed again': {
    on: 'watch',
    steps: [streamed(event('MODIFIED', configMap()).slice(0, -20))],
    requests: [...well, ...well],
    states: [v1],
  },
  'line of a watch is not JSON: listed again': {
    on: 'watch',
    steps: [streamed('{"type":"MODI\n', 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'line of a watch is half an object: listed again': {
    on: 'watch',
    steps: [streamed(event('MODIFIED', { kind: 'ConfigMap', metadata: { name: 'policy' } }), 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'line without end: given up at a size that no ConfigMap has': {
    on: 'watch',
    steps: [streamed(`{"type":"${'x'.repeat(9 * 1024 * 1024)}`, 'open')],
    requests: [...well, ...well],
    states: [v1],
  },
  'watch answered with a page: listed again': {
    on: 'watch',
    steps: [streamed('<html>\n</html>\n')],
    requests: [...well, ...well],
    states: [v1],
  },
  'first attempts fail, each in its own way: the content comes in the end': {
    on: 'list',
    steps: [refuse(503), refuse(401), ({ request }) => request.socket.destroy(), refuse(429)],
    requests: ['list 503', 'list 401', 'list error', 'list 429', ...well],
  },
};

describe('after whatever happened the state is that of the server', () => {
  it.each(Object.entries(cases))('%s', async (_name, { on, steps, requests, states, logged }) => {
    server.script(on, ...steps);
    const running = watching();
    const { told } = running;
    await settled(running, () => told.requested.length >= requests.length);

    expect(told.requested).toEqual(requests);
    if (states !== undefined) expect(told.states.map(plain)).toEqual(states);
    if (logged !== undefined) expect(JSON.stringify(told.logged)).toMatch(logged);

    const before = told.states.length;
    server.put('policy', { data: { a: '2' } });
    await told.until(() => told.states.length > before);
    expect(running.now()).toEqual({ policy: { a: '2' } });
    expect(told.faults).toEqual([]);
    // What was given up is not left open.
    await expect.poll(() => server.connections()).toBe(1);
  });

  it('deleted while nobody listened: gone', async () => {
    const running = watching();
    const { told } = running;
    await settled(running, () => true);
    server.script('list', refuse(500));
    server.endWatches();
    await told.until(() => told.connected.at(-1) === false);
    server.delete('policy');
    await settled(running, () => told.states.at(-1)?.kind === 'content');
    expect(running.now()).toEqual({});
  });
});

describe('events', () => {
  interface EventCase {
    readonly lines: readonly string[];
    readonly now: unknown;
    readonly heard: number;
    /** Beside the first one. */
    readonly deliveries: number;
  }
  const ours = { namespace: 'shop', name: 'policy', uid: 'uid-1' };
  const events: Record<string, EventCase> = {
    'same data, newer version: not delivered again': {
      lines: [event('MODIFIED', configMap({ resourceVersion: '900' }, { a: '1' }))],
      now: v1,
      heard: 1,
      deliveries: 0,
    },
    'older version: ignored': {
      lines: [event('MODIFIED', configMap({ resourceVersion: '7' }, { a: 'old' }))],
      now: v1,
      heard: 1,
      deliveries: 0,
    },
    'version that is no number: taken as it comes': {
      lines: [event('MODIFIED', configMap({ resourceVersion: 'opaque' }, { a: 'new' }))],
      now: { policy: { a: 'new' } },
      heard: 1,
      deliveries: 1,
    },
    'key removed: delivered': {
      lines: [event('MODIFIED', configMap({}, {}))],
      now: { policy: {} },
      heard: 1,
      deliveries: 1,
    },
    'other name: ignored': { lines: [event('ADDED', configMap({ name: 'other' }))], now: v1, heard: 0, deliveries: 0 },
    'other namespace: ignored': {
      lines: [event('ADDED', configMap({ namespace: 'b' }))],
      now: v1,
      heard: 0,
      deliveries: 0,
    },
    'other kind: ignored': {
      lines: [event('MODIFIED', { kind: 'Secret', metadata: { ...ours, resourceVersion: '500' }, data: {} })],
      now: v1,
      heard: 0,
      deliveries: 0,
    },
    'unknown type: ignored': { lines: [event('RENAMED', configMap())], now: v1, heard: 0, deliveries: 0 },
    'bookmark: heard, nothing delivered': {
      lines: [event('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion: '700' } })],
      now: v1,
      heard: 1,
      deliveries: 0,
    },
    'deleted: the empty content': { lines: [event('DELETED', configMap())], now: {}, heard: 1, deliveries: 1 },
    'deletion of an object of another uid: ignored': {
      lines: [event('DELETED', configMap({ uid: 'uid-0' }))],
      now: v1,
      heard: 1,
      deliveries: 0,
    },
    'deleted and made again with the same data, together: delivered, since it is another object': {
      lines: [
        event('DELETED', configMap()),
        event('ADDED', configMap({ uid: 'uid-9', resourceVersion: '501' }, { a: '1' })),
      ],
      now: v1,
      heard: 2,
      deliveries: 1,
    },
    'several changes together: the last one is delivered': {
      lines: [1, 2, 3].map((at) => event('MODIFIED', configMap({ resourceVersion: `50${at}` }, { a: `v${at}` }))),
      now: { policy: { a: 'v3' } },
      heard: 3,
      deliveries: 1,
    },
  };

  it.each(Object.entries(events))('%s', async (_name, { lines, now, heard, deliveries }) => {
    const running = watching();
    const { told } = running;
    await settled(running, () => true);
    // A bookmark behind them shows that all of them were looked at.
    server.say(lines.join('') + event('BOOKMARK', { kind: 'ConfigMap', metadata: {} }));
    await told.until(() => told.heard === heard + 1);
    // What one chunk brings is delivered when all of it was heard.
    await new Promise((resolve) => setImmediate(resolve));
    expect(running.now()).toEqual(now);
    expect(told.states).toHaveLength(1 + deliveries);
    expect(told.heard).toBe(heard + 1);
    expect(told.requested).toEqual(well);
  });

  it('a line that comes in many pieces, cut within a character: whole', async () => {
    const running = watching();
    const { told } = running;
    const pieces = Buffer.from(event('MODIFIED', configMap({}, { a: 'zwölf €' })));
    server.script('watch', ({ response }) => {
      response.writeHead(200);
      for (const byte of pieces) response.write(Buffer.of(byte));
    });
    await told.until(() => told.heard === 1);
    await told.until(() => told.states.length === 2);
    expect(running.now()).toEqual({ policy: { a: 'zwölf €' } });
  });

  it('binary data: its keys, and no text', async () => {
    server.put('policy', { data: { a: '1' }, binaryData: { b: 'AAA=' } });
    const running = watching();
    await settled(running, () => true);
    expect(running.told.states).toMatchObject([
      { configMaps: [{ name: 'policy', binaryKeys: ['b'], createdMs: Date.UTC(2026, 10, 1) }] },
    ]);
  });
});

describe('selections', () => {
  it('one: asked for by its name, which a Role with resourceNames allows', async () => {
    const running = watching();
    await settled(running, () => true);
    const [list, watch] = server.asked.map(({ url }) => url);
    expect(list?.pathname).toBe('/api/v1/namespaces/shop/configmaps');
    expect(Object.fromEntries(list?.searchParams ?? [])).toEqual({ fieldSelector: 'metadata.name=policy' });
    expect(Object.fromEntries(watch?.searchParams ?? [])).toEqual({
      fieldSelector: 'metadata.name=policy',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '101',
      timeoutSeconds: '360',
    });
  });

  it.each([
    [0, '240'],
    [0.999, '480'],
  ])('life of a watch is drawn: %s gives %s s', async (drawn, seconds) => {
    const running = watching(one, () => drawn);
    await settled(running, () => true);
    expect(server.asked[1]?.url.searchParams.get('timeoutSeconds')).toBe(seconds);
  });

  it('one that does not exist: content without ConfigMaps, then the one that is made', async () => {
    const running = watching({ kind: 'one', namespace: 'shop', name: 'later' });
    await settled(running, () => true);
    expect(running.now()).toEqual({});
    server.put('later', { data: { b: '1' } });
    await running.told.until(() => running.told.states.length === 2);
    expect(running.now()).toEqual({ later: { b: '1' } });
  });

  it('labelled: by age, then name, and one that loses its label is gone', async () => {
    server.put('zebra', { data: {}, labels: 'app=a', created: '2026-11-02T00:00:00Z' });
    server.put('mouse', { data: {}, labels: 'app=a', created: '2026-11-03T00:00:00Z' });
    server.put('adder', { data: {}, labels: 'app=a', created: '2026-11-03T00:00:00Z' });
    const running = watching({ kind: 'labelled', namespace: 'shop', selector: 'app=a' });
    const { told } = running;
    const names = (): unknown =>
      told.states.at(-1)?.kind === 'content' ? Object.keys(running.now() as object) : undefined;
    await settled(running, () => true);
    expect(Object.fromEntries(server.asked[0]?.url.searchParams ?? [])).toEqual({ labelSelector: 'app=a' });
    expect(names()).toEqual(['zebra', 'adder', 'mouse']);
    server.put('old', { data: {}, labels: 'app=a', created: '2025-01-01T00:00:00Z' });
    await told.until(() => told.states.length === 2);
    expect(names()).toEqual(['old', 'zebra', 'adder', 'mouse']);
    server.delete('adder');
    await told.until(() => told.states.length === 3);
    expect(names()).toEqual(['old', 'zebra', 'mouse']);
  });

  it('labelled and refused: says that labels cannot limit a Role', async () => {
    server.script('list', refuse(403));
    const running = watching({ kind: 'labelled', namespace: 'shop', selector: 'app=a' });
    await settled(running, () => true);
    expect(running.told.states[0]).toMatchObject({
      reason: expect.stringMatching(/must allow list on configmaps \(all/),
    });
  });
});

describe('time', () => {
  const silent: Step = () => undefined;

  it('a list without an answer: given up after 10 s', async () => {
    server.script('list', silent);
    const running = watching();
    const { told, clock } = running;
    await expect.poll(() => server.asked.length).toBe(1);
    expect(clock.delays()).toEqual([10_000]);
    clock.advance(10_000);
    await settled(running, () => true);
    expect(told.states[0]).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/no answer within 10 s/),
    });
  });

  it('a list that trickles: given up after 10 s in all', async () => {
    server.script('list', ({ response }) => {
      response.writeHead(200);
      response.write('{');
    });
    const running = watching();
    const { told, clock } = running;
    await told.until(() => told.requested.length === 1);
    clock.advance(10_000);
    await settled(running, () => true);
    expect(told.states[0]).toMatchObject({ reason: expect.stringMatching(/no answer within 10 s/) });
  });

  it('a watch without an answer: given up after 10 s, the content stays', async () => {
    server.script('watch', silent);
    const running = watching();
    await expect.poll(() => server.asked.length).toBe(2);
    running.clock.advance(10_000);
    await settled(running, () => true);
    expect(running.told.states).toHaveLength(1);
    expect(running.told.requested).toEqual(['list 200', 'watch error', ...well]);
  });

  it('75 s without a byte: taken as dead, and each byte counts', async () => {
    const running = watching();
    const { told, clock } = running;
    await settled(running, () => true);
    clock.advance(74_000);
    server.say(event('BOOKMARK', configMap()));
    await told.until(() => told.heard === 1);
    clock.advance(74_000);
    expect(told.connected).toEqual([true]);
    clock.advance(1000);
    await told.until(() => told.connected.length === 3);
    expect(told.connected).toEqual([true, false, true]);
    expect(told.requested).toEqual([...well, ...well]);
    expect(JSON.stringify(told.logged)).toContain('nothing was heard from the API server for 75 s');
  });

  it('a server that does not end a watch when asked to: ended here, some time later', async () => {
    const running = watching();
    const { told, clock } = running;
    await settled(running, () => true);
    for (let at = 0; at < 374_000; at += 22_000) {
      const { heard } = told;
      server.say(event('BOOKMARK', configMap()));
      await told.until(() => told.heard === heard + 1);
      clock.advance(22_000);
    }
    clock.advance(2000);
    await told.until(() => told.connected.length === 3);
    expect(told.requested).toEqual([...well, ...well]);
  });

  it('closed: nothing is told or asked any more, no timer is left', async () => {
    const running = watching();
    const { told, clock, cluster } = running;
    await settled(running, () => true);
    cluster.close();
    await told.until(() => told.connected.at(-1) === false);
    server.put('policy', { data: { a: '2' } });
    await expect.poll(() => clock.delays()).toEqual([]);
    expect(told.states).toHaveLength(1);
    expect(told.requested).toEqual(well);
    expect(clock.pauses).toEqual([]);
  });

  it('closed while a list is on its way: nothing is told', async () => {
    server.script('list', silent);
    const running = watching();
    await expect.poll(() => server.asked.length).toBe(1);
    running.cluster.close();
    await expect.poll(() => running.clock.delays()).toEqual([]);
    expect([running.told.states, running.told.requested, running.told.logged]).toEqual([[], [], []]);
  });

  it('what the reader of the states throws is a fault, and watching goes on', async () => {
    const running = watching();
    const { told, cluster } = running;
    await settled(running, () => true);
    let isFirst = true;
    const seen: unknown[] = [];
    cluster.watch(one, {
      ...told.watchObserver,
      deliver: (state) => {
        if (isFirst) {
          isFirst = false;
          throw new Error('a bug');
        }
        seen.push(state.kind);
        told.watchObserver.deliver(state);
      },
    });
    await told.until(() => told.faults.length === 1);
    await told.until(() => told.connected.filter(Boolean).length === 2);
    server.put('policy', { data: { a: '2' } });
    await told.until(() => seen.length > 0);
    expect(seen).toEqual(['content']);
  });
});

describe('distance between attempts', () => {
  it('failures: steps double up to the cap, and Retry-After is kept', async () => {
    server.script(
      'list',
      ...Array.from({ length: 6 }, () => refuse(500)),
      refuse(429, 'busy', { 'retry-after': '3' }),
      refuse(429, 'busy', { 'retry-after': '999999' }),
    );
    const running = watching(one, () => 0);
    await settled(running, () => true);
    expect(running.clock.pauses).toEqual([250, 500, 1000, 2000, 2250, 2250, 3000, 4000]);
  });

  it('a watch that was open for long: begins with the short step again', async () => {
    server.script('list', refuse(500), refuse(500), refuse(500));
    const running = watching(one, () => 0);
    const { told, clock } = running;
    await settled(running, () => true);
    clock.advance(10_000);
    server.endWatches();
    await told.until(() => told.connected.length === 3);
    expect(clock.pauses).toEqual([250, 500, 1000, 250]);
  });

  it('a watch that only a short idle timeout ended: begins with the short step again', async () => {
    server.script('list', refuse(500), refuse(500), refuse(500));
    const running = watchCluster({ kind: 'files', paths: [`${folder.path}/config`] }, one, () => 0, 1000);
    subject = running;
    const { told, clock } = running;
    await settled(running, () => true);
    clock.advance(1000);
    await told.until(() => told.connected.length === 3);
    expect(clock.pauses).toEqual([250, 500, 1000, 250]);
  });

  it('watches that end as soon as they begin: not asked for ever faster', async () => {
    server.script('watch', ...Array.from({ length: 5 }, () => streamed('')));
    const running = watching(one, () => 0);
    await settled(running, () => true);
    expect(running.clock.pauses).toEqual([250, 500, 1000, 2000, 2250]);
  });

  it('an outage of 20 s: fewer than 15 requests, and the first reason alone is loud', async () => {
    const running = watching(one, () => 0);
    const { told, clock } = running;
    await settled(running, () => true);
    const port = server.port;
    await server.close();
    const passed = (): number => clock.pauses.reduce((sum, pause) => sum + pause, 0);
    await told.until(() => passed() >= 20_000);
    server = await startApiServer({ port });
    server.put('policy', { data: { a: 'after' } });
    const failed = told.requested.filter((request) => request === 'list error').length;
    expect(failed).toBeGreaterThan(5);
    await settled(running, () => told.states.at(-1)?.kind === 'content');
    expect(running.now()).toEqual({ policy: { a: 'after' } });
    const requestsIn20s = clock.pauses
      .map((_, at) => clock.pauses.slice(0, at).reduce((sum, pause) => sum + pause, 0))
      .filter((at) => at < 20_000).length;
    expect(requestsIn20s).toBeLessThan(15);
    const loud = told.logged.filter(({ level }) => level === 'warn');
    expect(loud.map(({ detail }) => detail['reason'])).toEqual([expect.stringMatching(/refused$/)]);
    expect(told.logged.filter(({ level }) => level === 'info')).toHaveLength(1);
  });
});
