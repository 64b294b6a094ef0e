import { describe, expect, it } from 'vitest';
import { createReadiness, type ReadinessFacts } from '../../../src/sidecar/readiness.ts';

const withKeys = { hasKeys: true, ageSeconds: 1, lastError: undefined };
const without = { hasKeys: false, ageSeconds: undefined, lastError: 'timeout' as const };
const good: ReadinessFacts = {
  policy: 'p',
  rejected: [],
  unreadable: new Map(),
  fromState: new Map(),
  issuers: new Map([['corp', withKeys]]),
  clients: new Map(),
};

function setUp(first: Partial<ReadinessFacts> = {}) {
  const state = { facts: { ...good, ...first }, isTimeOver: false };
  const readiness = createReadiness({ facts: () => state.facts, isTimeOver: () => state.isTimeOver });
  return { state, readiness };
}

describe('createReadiness', () => {
  it('a policy and keys of every issuer: ready', () => {
    const { readiness } = setUp();
    expect(readiness.update()).toBe(true);
    expect(readiness.report()).toMatchObject({ status: 'ready', missing: [], policy: 'p' });
  });

  it('no policy: not ready, however long it takes', () => {
    const { readiness, state } = setUp({ policy: undefined, issuers: new Map() });
    state.isTimeOver = true;
    expect(readiness.update()).toBe(false);
    expect(readiness.report()).toMatchObject({
      status: 'not_ready',
      policy: null,
      missing: ['no good policy has been loaded yet'],
    });
  });

  it('an issuer without keys: not ready until the time is over, and then said', () => {
    const { readiness, state } = setUp({ issuers: new Map([['corp', without]]) });
    expect(readiness.update()).toBe(false);
    state.isTimeOver = true;
    expect(readiness.update()).toBe(true);
    expect(readiness.report().missing).toEqual(['issuer corp has no keys: no complete answer in time']);
  });

  it('once ready, keys or sources are lost: stays ready, and says so', () => {
    const { readiness, state } = setUp();
    readiness.update();
    state.facts = { ...good, issuers: new Map([['new', without]]), unreadable: new Map([['a.yaml', 'no such file']]) };
    expect(readiness.update()).toBe(true);
    expect(readiness.report()).toMatchObject({
      status: 'ready',
      missing: [
        'policy source a.yaml cannot be read: no such file',
        'issuer new has no keys: no complete answer in time',
      ],
    });
  });

  it('draining: never ready again', () => {
    const { readiness } = setUp();
    readiness.update();
    readiness.drain();
    expect(readiness.update()).toBe(false);
    expect(readiness.report().status).toBe('draining');
  });

  it('a refused version: said with its first ten problems', () => {
    const problem = { severity: 'error', file: 'a', line: 1, column: 1, code: 'c', message: 'm' } as const;
    const { readiness } = setUp({
      rejected: [
        { source: 'a', problems: Array.from({ length: 20 }, () => problem), hasActive: true, isLeaving: false },
      ],
    });
    expect(readiness.report().missing).toEqual(['the newest version of policy source a was refused']);
    expect(readiness.report().rejected[0]?.problems).toHaveLength(10);
  });
});
