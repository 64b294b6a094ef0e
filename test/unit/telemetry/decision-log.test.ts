import { expect, it } from 'vitest';
import type { Decision } from '../../../src/decision/decision.ts';
import type { RequestAttributes } from '../../../src/decision/request.ts';
import { createDecisionLog, type DecisionLine, type DecisionLogOptions } from '../../../src/telemetry/decision-log.ts';
import { allow, caller, deny, metadataDocument, request } from './decisions.ts';

class Recorder {
  nowMs = 0;
  chance = 0;
  dropped = 0;
  readonly lines: DecisionLine[] = [];
  readonly log: ReturnType<typeof createDecisionLog>;

  constructor(options: Partial<DecisionLogOptions> = {}) {
    this.log = createDecisionLog(
      { mode: 'all', sample: 1, linesPerSecond: 1000, logSubjects: false, ...options },
      {
        now: () => this.nowMs,
        random: () => this.chance,
        write: (written) => this.lines.push(written),
        dropped: () => {
          this.dropped += 1;
        },
      },
    );
  }
}

/** The line as it is written: without what is undefined. */
function line(
  told: RequestAttributes | undefined,
  decision: Decision,
  options: Partial<DecisionLogOptions> = {},
): Record<string, unknown> {
  const recorder = new Recorder(options);
  recorder.log(told, decision, 123.6);
  return JSON.parse(JSON.stringify(recorder.lines[0])) as Record<string, unknown>;
}

const known = {
  policy: '0123456789abcdef',
  rule: 'orders',
  path: '/orders/7',
  host: 'orders.example.com',
  caller,
  tokenCache: 'hit',
} as const;

it('an allow with all that is known: the fields of interface section 8 and no others', () => {
  const told = request({}, [
    ['x-request-id', 'a1b2-c3'],
    ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['authorization', 'Bearer secret'],
    ['cookie', 'secret'],
  ]);
  const shadow = [{ rule: 'next', decision: 'deny', reason: 'insufficient_scope' }] as const;
  expect(line(told, allow({ ...known, shadow }), { logSubjects: true })).toStrictEqual({
    decision: 'allow',
    reason: 'allowed',
    status: 200,
    rule: 'orders',
    shadow,
    policy: '0123456789abcdef',
    issuer: 'corp',
    subject: 'ada',
    clientId: 'web',
    scopes: ['orders:read'],
    jti: 'j-1',
    kid: 'k-1',
    method: 'GET',
    host: 'orders.example.com',
    path: '/orders/7',
    requestId: 'a1b2-c3',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    durationUs: 124,
    tokenCache: 'hit',
  });
});

it('BT-08 a deny of a request whose path and host were refused: nothing that the client wrote', () => {
  expect(line(request(), deny('request_malformed', {}, { status: 400 }))).toStrictEqual({
    decision: 'deny',
    reason: 'request_malformed',
    status: 400,
    method: 'GET',
    durationUs: 124,
  });
});

it('bytes that were no request: a line without request fields', () => {
  expect(line(undefined, deny('internal_error', {}, { status: 503 }))).toStrictEqual({
    decision: 'deny',
    reason: 'internal_error',
    status: 503,
    durationUs: 124,
  });
});

it('a deny for scopes: which are missing, and the detail', () => {
  const decision = deny('insufficient_scope', {}, { missingScopes: ['orders:write'], detail: 'for people' });
  expect(line(undefined, decision)).toStrictEqual({
    decision: 'deny',
    reason: 'insufficient_scope',
    status: 403,
    missingScopes: ['orders:write'],
    detail: 'for people',
    durationUs: 124,
  });
});

it('the RFC 9728 document: a deny with status 200, as on the wire', () => {
  expect(line(undefined, metadataDocument())).toMatchObject({
    decision: 'deny',
    reason: 'resource_metadata',
    status: 200,
  });
});

it('a long kid: cut at 64 characters', () => {
  const decision = allow({ caller: { ...caller, kid: 'k'.repeat(256) } });
  expect(line(undefined, decision)).toHaveProperty('kid', 'k'.repeat(64));
});

const methods: Record<string, [method: string, expected: string | undefined]> = {
  'a lower-case method, which HTTP/2 lets through (EA-49): as sent': ['get', 'get'],
  'an unknown method: as sent': ['M-SEARCH', 'M-SEARCH'],
  'a method of 32 characters: as sent': ['A'.repeat(32), 'A'.repeat(32)],
  'a method of 33 characters: absent': ['A'.repeat(33), undefined],
  'a method that is no token: absent': ['GET /secret', undefined],
  'an empty method: absent': ['', undefined],
};

it.each(Object.entries(methods))('%s', (_name, [method, expected]) => {
  expect(line(request({ method }), deny('no_rule'))['method']).toBe(expected);
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const ids: Record<
  string,
  [headers: [string, string][], requestId: string | undefined, traceparent: string | undefined]
> = {
  'a UUID: the request id': [
    [['x-request-id', '7e0b6a34-18a4-4c7b-a9a6-2f4e9d0c1b2a']],
    '7e0b6a34-18a4-4c7b-a9a6-2f4e9d0c1b2a',
    undefined,
  ],
  'an id of 128 characters: as sent': [[['x-request-id', 'a'.repeat(128)]], 'a'.repeat(128), undefined],
  'an id of 129 characters, long enough for a token: absent': [
    [['x-request-id', 'a'.repeat(129)]],
    undefined,
    undefined,
  ],
  'an id with a space: absent': [[['x-request-id', 'Bearer a']], undefined, undefined],
  'an id with a line break: absent': [[['x-request-id', 'a\n']], undefined, undefined],
  'two ids, as two values: absent': [
    [
      ['x-request-id', 'a'],
      ['x-request-id', 'b'],
    ],
    undefined,
    undefined,
  ],
  'EA-40 two ids, joined by Envoy: absent': [[['x-request-id', 'a,b']], undefined, undefined],
  'traceparent of capital letters: absent': [
    [['traceparent', `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`]],
    undefined,
    undefined,
  ],
  'traceparent of version ff: absent': [[['traceparent', `ff-${traceId}-00f067aa0ba902b7-01`]], undefined, undefined],
  'traceparent with a trace id of zeros: absent': [
    [['traceparent', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]],
    undefined,
    undefined,
  ],
  'traceparent with a parent id of zeros: absent': [
    [['traceparent', `00-${traceId}-${'0'.repeat(16)}-01`]],
    undefined,
    undefined,
  ],
  'traceparent with more behind it: absent': [
    [['traceparent', `00-${traceId}-00f067aa0ba902b7-01-x`]],
    undefined,
    undefined,
  ],
};

it.each(Object.entries(ids))('%s', (_name, [headers, requestId, traceparent]) => {
  const written = line(request({}, headers), deny('no_rule'));
  expect([written['requestId'], written['traceparent']]).toStrictEqual([requestId, traceparent]);
});

it('subjects: hashed, the same within one process and issuer, and not beyond', () => {
  const first = new Recorder();
  first.log(undefined, allow({ caller }), 1);
  first.log(undefined, allow({ caller }), 1);
  first.log(undefined, allow({ caller: { ...caller, issuer: 'other' } }), 1);
  first.log(undefined, allow({ caller: { ...caller, subject: undefined } }), 1);
  const second = new Recorder();
  second.log(undefined, allow({ caller }), 1);
  const [a, b, otherIssuer, none] = first.lines.map((written) => written.subject);
  const otherProcess = second.lines[0]?.subject;
  expect(a).toMatch(/^[\w-]{16}$/);
  expect(b).toBe(a);
  expect(new Set([a, otherIssuer, otherProcess]).size).toBe(3);
  expect(none).toBeUndefined();
});

const modes: Record<string, [options: Partial<DecisionLogOptions>, chance: number, allows: number, denies: number]> = {
  'off: nothing': [{ mode: 'off' }, 0, 0, 0],
  'denied: denials only, whatever the sample': [{ mode: 'denied', sample: 1 }, 0, 0, 1],
  'all: both': [{ mode: 'all' }, 0.999, 1, 1],
  'all with a sample, chance under it: both': [{ sample: 0.01 }, 0.009, 1, 1],
  'all with a sample, chance at it: denials only': [{ sample: 0.01 }, 0.01, 0, 1],
  'all with a sample of 0: denials only': [{ sample: 0 }, 0, 0, 1],
};

it.each(Object.entries(modes))('mode %s', (_name, [options, chance, allows, denies]) => {
  const recorder = new Recorder(options);
  recorder.chance = chance;
  recorder.log(request(), allow(), 1);
  recorder.log(request(), deny('no_rule'), 1);
  const written = recorder.lines.map((entry) => entry.decision);
  expect(written).toStrictEqual([...Array(allows).fill('allow'), ...Array(denies).fill('deny')]);
});

it('over the rate: lines of that second are dropped and counted, the next second is written again', () => {
  const recorder = new Recorder({ linesPerSecond: 2 });
  for (const nowMs of [500, 900, 1499, 1499.9, 1500, 1600, 1700, 5000]) {
    recorder.nowMs = nowMs;
    recorder.log(undefined, deny('no_rule'), nowMs);
  }
  expect(recorder.lines.map((entry) => entry.durationUs)).toStrictEqual([500, 900, 1500, 1600, 5000]);
  expect(recorder.dropped).toBe(3);
});

it('allows that the sample leaves out: no part of the rate, and not counted as dropped', () => {
  const recorder = new Recorder({ linesPerSecond: 1, sample: 0.5 });
  recorder.chance = 0.9;
  recorder.log(undefined, allow(), 1);
  recorder.log(undefined, deny('no_rule'), 1);
  expect(recorder.lines.map((entry) => entry.decision)).toStrictEqual(['deny']);
  expect(recorder.dropped).toBe(0);
});
