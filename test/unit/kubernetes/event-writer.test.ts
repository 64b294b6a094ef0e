/**
 * Events: what an API server takes, few of them, and never in the way.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiClient, ApiRequest } from '../../../src/kubernetes/api-client.ts';
import type { PolicyEvent } from '../../../src/kubernetes/cluster-ports.ts';
import { cutNote, eventBody } from '../../../src/kubernetes/event.ts';
import { createEventWriter, type EventWriter } from '../../../src/kubernetes/event-writer.ts';
import { Failure, unanswered } from '../../../src/kubernetes/failure.ts';
import { createRecorder, createTestClock, type Recorder, type TestClock } from './subject.ts';

function event(note: string, name = 'policy', namespace = 'shop'): PolicyEvent {
  return { configMap: { namespace, name, uid: `uid-${name}`, resourceVersion: '7' }, reason: 'PolicyRejected', note };
}

describe('the body', () => {
  const context = { instance: 'pod-1', nowMs: Date.UTC(2026, 10, 25, 1, 2, 3, 4), suffix: 'abc' };

  it('is an Event of events.k8s.io/v1 about the ConfigMap', () => {
    expect(JSON.parse(eventBody(event('policy.yaml:3:1: no'), context))).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'shop', name: 'policy.abc' },
      eventTime: '2026-11-25T01:02:03.004000Z',
      reportingController: 'scopegate.dev/scopegate',
      reportingInstance: 'pod-1',
      type: 'Warning',
      action: 'Reject',
      reason: 'PolicyRejected',
      note: 'policy.yaml:3:1: no',
      regarding: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'shop',
        name: 'policy',
        uid: 'uid-policy',
        resourceVersion: '7',
      },
    });
  });

  it.each([
    ['PolicyApplied', 'Normal'],
    ['PolicyRejected', 'Warning'],
    ['PolicyDeleted', 'Warning'],
  ] as const)('%s is %s', (reason, type) => {
    expect(JSON.parse(eventBody({ ...event('x'), reason }, context))).toMatchObject({ reason, type });
  });

  it('the longest name there is, cut at a dot: still a name', () => {
    const { metadata } = JSON.parse(eventBody(event('x', `${'a'.repeat(219)}.${'b'.repeat(33)}`), context)) as {
      metadata: { name: string };
    };
    expect(metadata.name).toBe(`${'a'.repeat(219)}.abc`);
  });

  it('any note: 1024 bytes at most, whole characters, the beginning of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 200, maxLength: 2000 }), (note) => {
        const cut = cutNote(note);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024);
        expect(note.startsWith(cut) ? cut === note : note.startsWith(cut.slice(0, -3)) && cut.endsWith('...')).toBe(
          true,
        );
        if (Buffer.byteLength(note) <= 1024) expect(cut).toBe(note);
        else expect(Buffer.byteLength(cut)).toBeGreaterThan(1020);
      }),
    );
  });
});

interface Sent {
  readonly requests: ApiRequest[];
  readonly notes: () => readonly string[];
  readonly writer: EventWriter;
  readonly clock: TestClock;
  readonly told: Recorder;
}

function writing(failures: (Failure | undefined)[] = []): Sent {
  const requests: ApiRequest[] = [];
  const clock = createTestClock();
  const told = createRecorder();
  const client: ApiClient = {
    send: (request) => {
      requests.push(request);
      const failure = failures.shift();
      // Only `body.destroy()` of an answer is used.
      return Promise.resolve(failure ?? ({ body: { destroy: () => undefined } } as never));
    },
  };
  const writer = createEventWriter({ client, ports: clock.ports, observer: told.clusterObserver, instance: 'pod-1' });
  const notes = (): readonly string[] => requests.map(({ body = '' }) => (JSON.parse(body) as { note: string }).note);
  return { requests, notes, writer, clock, told };
}

/** Nothing real is waited for: all that is pending is done in a few turns. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const refused = new Failure({ code: '403', reason: 'a Role must allow it' });

describe('writing', () => {
  it('goes to the namespace of the ConfigMap', async () => {
    const { writer, requests } = writing();
    writer.record(event('a'));
    await idle();
    expect(requests).toMatchObject([{ verb: 'create', path: '/apis/events.k8s.io/v1/namespaces/shop/events' }]);
  });

  it('the same again: once, until an hour has passed', async () => {
    const { writer, notes, clock } = writing();
    for (const note of ['a', 'a', 'b', 'a']) {
      writer.record(event(note));
      await idle();
    }
    expect(notes()).toEqual(['a', 'b', 'a']);
    clock.advance(60 * 60_000);
    writer.record(event('a'));
    await idle();
    expect(notes()).toEqual(['a', 'b', 'a', 'a']);
  });

  it('a flood: ten at once, then of each ConfigMap the newest, one in 10 s', async () => {
    const { writer, notes, clock } = writing();
    const release = clock.hold();
    for (let at = 1; at <= 12; at += 1) {
      writer.record(event(`p${at}`));
      await idle();
    }
    writer.record(event('q', 'other'));
    writer.record(event('p13'));
    await idle();
    expect(notes()).toEqual(Array.from({ length: 10 }, (_, at) => `p${at + 1}`));
    release();
    await idle();
    expect(notes().slice(10)).toEqual(['q', 'p13']);
    expect(clock.pauses).toEqual([10_000, 10_000]);
  });

  it('a quiet day: still only ten at once afterwards', async () => {
    const { writer, notes, clock } = writing();
    clock.advance(24 * 60 * 60_000);
    clock.hold();
    for (let at = 1; at <= 12; at += 1) {
      writer.record(event(`p${at}`));
      await idle();
    }
    expect(notes()).toHaveLength(10);
    writer.close();
  });

  it('not allowed: one line, and none is tried in this namespace for 10 minutes', async () => {
    const { writer, notes, clock, told } = writing([refused]);
    writer.record(event('a'));
    writer.record(event('b', 'other'));
    await idle();
    writer.record(event('c'));
    writer.record(event('d', 'policy', 'elsewhere'));
    await idle();
    expect(notes()).toEqual(['a', 'd']);
    expect(told.logged).toMatchObject([{ level: 'info', detail: { namespace: 'shop', code: '403' } }]);
    clock.advance(10 * 60_000);
    writer.record(event('c'));
    await idle();
    expect(notes()).toEqual(['a', 'd', 'c']);
  });

  it('no connection: lost, the next one is tried', async () => {
    const { writer, notes, told } = writing([unanswered('no connection')]);
    writer.record(event('a'));
    writer.record(event('b', 'other'));
    await idle();
    expect(notes()).toEqual(['a', 'b']);
    expect(told.logged).toMatchObject([{ level: 'debug' }]);
  });

  it('closed: nothing is written', async () => {
    const { writer, notes } = writing();
    writer.close();
    writer.record(event('a'));
    await idle();
    expect(notes()).toEqual([]);
  });

  it('closed while one waits: it is not written', async () => {
    const { writer, notes, clock } = writing();
    clock.hold();
    for (let at = 1; at <= 11; at += 1) {
      writer.record(event(`p${at}`));
      await idle();
    }
    writer.close();
    await idle();
    expect(notes()).toHaveLength(10);
  });
});
