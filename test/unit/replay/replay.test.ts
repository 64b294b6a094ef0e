import { describe, expect, it } from 'vitest';
import { maxLineLength, readLines } from '../../../src/replay/lines.ts';
import { readRecord } from '../../../src/replay/record.ts';
import { renderJsonLine, renderJsonSummary, renderLine, renderSummary } from '../../../src/replay/render.ts';
import { createReplay, type ReplayedLine } from '../../../src/replay/replay.ts';
import type { Summary } from '../../../src/replay/summary.ts';
import { plain } from '../../../src/report/paint.ts';
import { corp, snapshotOf } from '../policy/policy-text.ts';

const decision = {
  level: 'info',
  time: '2026-11-24T12:00:00.000Z',
  msg: 'decision',
  decision: 'allow',
  reason: 'allowed',
  status: 200,
  rule: 'a',
  policy: 'ffffffffffffffff',
  issuer: 'corp',
  scopes: ['r'],
  method: 'GET',
  host: 'shop.test',
  path: '/a',
};

const lineKinds: Record<string, [line: string, kind: unknown]> = {
  'a decision: read': [JSON.stringify(decision), expect.objectContaining({ reason: 'allowed', time: 1_795_521_600 })],
  'a time in milliseconds: read': [
    JSON.stringify({ ...decision, time: 1_795_521_600_000 }),
    expect.objectContaining({ time: 1_795_521_600 }),
  ],
  'fields of another version: passed over': [
    JSON.stringify({ ...decision, extra: { a: 1 } }),
    expect.objectContaining({ reason: 'allowed' }),
  ],
  'a null where a text should be: broken': [JSON.stringify({ ...decision, host: null }), 'broken'],
  'another line of the log: other': ['{"level":"info","msg":"ready"}', 'other'],
  'JSON that is no object: other': ['[1]', 'other'],
  'a truncated line: broken': [JSON.stringify(decision).slice(0, 80), 'broken'],
  'no JSON: broken': ['12:30:01.250 info  decision', 'broken'],
  'a decision of no meaning: broken': [JSON.stringify({ ...decision, decision: 'maybe' }), 'broken'],
  'a decision without reason: broken': [JSON.stringify({ ...decision, reason: undefined }), 'broken'],
  'scopes that are no texts: broken': [JSON.stringify({ ...decision, scopes: [1] }), 'broken'],
  'a member named __proto__: nothing': [
    JSON.stringify(decision).replace('{', '{"__proto__":{"rule":"b"},'),
    expect.objectContaining({ rule: 'a' }),
  ],
};

it.each(Object.entries(lineKinds))('%s', (_name, [line, kind]) => {
  expect(readRecord(line)).toEqual(kind);
});

describe('lines of a stream', () => {
  const streams: Record<string, [chunks: readonly (string | Buffer)[], lines: readonly (string | undefined)[]]> = {
    'chunks that end anywhere': [
      ['a\nb', 'c', '\n', 'd\n'],
      ['a', 'bc', 'd'],
    ],
    'no line end at the end': [['a\nb'], ['a', 'b']],
    'a character in two chunks': [[Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)], ['é']],
    nothing: [[], []],
    'a line that is too long: gone, and the next is there': [
      ['a\n', 'x'.repeat(maxLineLength + 1), 'y'.repeat(9), '\nb\n'],
      ['a', undefined, 'b'],
    ],
    'a last line that is too long': [['x'.repeat(maxLineLength + 1)], [undefined]],
  };
  it.each(Object.entries(streams))('%s', async (_name, [chunks, expected]) => {
    const lines: (string | undefined)[] = [];
    for await (const batch of readLines(streamOf(chunks))) lines.push(...batch);
    expect(lines).toEqual(expected);
  });
});

async function* streamOf(chunks: readonly (string | Buffer)[]): AsyncGenerator<string | Buffer> {
  yield* chunks;
}

const candidate = snapshotOf({
  issuers: [corp],
  rules: [
    { name: 'a', paths: ['/a'], require: { scopes: ['w'] } },
    { name: 'c', paths: ['/c'], require: { when: 'claims.t == 1' } },
    { name: 'open', paths: ['/open'], access: 'public' },
  ],
});

async function replayed(...lines: readonly (object | string)[]): Promise<{ told: ReplayedLine[]; summary: Summary }> {
  const told: ReplayedLine[] = [];
  const replay = createReplay(
    { candidate, current: undefined },
    { told: (line) => told.push(line), pause: async () => undefined },
  );
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  await replay.log('x.log', streamOf([text]));
  return { told, summary: replay.summary() };
}

const open = { ...decision, path: '/open', rule: 'open', reason: 'allowed_public', issuer: undefined };

it('counts: by rule, by verdict and by direction', async () => {
  const { summary } = await replayed(
    decision,
    { ...decision, decision: 'deny', reason: 'insufficient_scope', scopes: ['w'] },
    { ...decision, path: '/c', rule: 'c' },
    open,
    {
      ...decision,
      path: '/gone',
      rule: undefined,
      decision: 'deny',
      reason: 'no_rule',
      status: 403,
      issuer: undefined,
    },
    '',
    '  ',
    '{"msg":"ready"}',
    '{',
  );
  expect(summary).toEqual({
    decisions: 5,
    same: 2,
    changed: 2,
    undecidable: 1,
    allowToDeny: 1,
    denyToAllow: 1,
    otherLines: 1,
    brokenLines: 1,
    deniedEitherWay: 0,
    byOtherPolicy: 5,
    rules: new Map([
      ['a', { same: 0, changed: 2, undecidable: 0 }],
      ['c', { same: 0, changed: 0, undecidable: 1 }],
      ['open', { same: 1, changed: 0, undecidable: 0 }],
      ['', { same: 1, changed: 0, undecidable: 0 }],
    ]),
    unknown: [['claims, which the condition of c reads', 1]],
    shadow: new Map(),
  });
});

it('a renamed issuer: known by the policy that decided, and by nothing else', async () => {
  const partner = { ...corp, name: 'partner', issuer: 'https://partner.test' };
  const rule = { name: 'a', paths: ['/a'] };
  const current = snapshotOf({ issuers: [partner, corp], rules: [{ ...rule, issuers: ['partner'] }] });
  const renamed = snapshotOf({
    issuers: [partner, { ...corp, name: 'main' }],
    rules: [{ ...rule, issuers: ['partner', 'main'] }],
  });
  const dropped = snapshotOf({ issuers: [partner], rules: [{ ...rule, issuers: ['partner'] }] });
  const refused = {
    ...decision,
    decision: 'deny',
    reason: 'issuer_untrusted',
    detail: 'the rule does not list issuer corp',
    status: 401,
    policy: current.hash,
    issuer: undefined,
  };
  const said: string[] = [];
  for (const policies of [
    { current: undefined, candidate: renamed },
    { current, candidate: renamed },
    { current, candidate: dropped },
  ]) {
    const replay = createReplay(policies, {
      told: ({ compared: { verdict, unknown } }) => said.push([verdict, ...unknown].join(' ')),
      pause: async () => undefined,
    });
    await replay.log('x.log', streamOf([JSON.stringify(refused)]));
  }
  expect(said).toEqual([
    'undecidable whether issuer corp was renamed',
    'undecidable a token that was refused before it was verified',
    'same',
  ]);
});

it('a required header of a claim that the log has not: passed again where the rule that decided had it', async () => {
  const header = { 'x-s': { claim: 'sub', required: true } };
  const ruleOf = (scope: string, headers: object) => ({
    name: 'a',
    paths: ['/a'],
    require: { scopes: [scope] },
    headers,
  });
  const current = snapshotOf({ issuers: [corp], rules: [ruleOf('r', header)] });
  const candidates = [
    [current, ruleOf('s', header)],
    [current, ruleOf('s', { ...header, 'x-t': { claim: 'tenant', required: true } })],
    [undefined, ruleOf('s', header)],
  ] as const;
  const said: string[] = [];
  for (const [known, rule] of candidates) {
    const replay = createReplay(
      { current: known, candidate: snapshotOf({ issuers: [corp], rules: [rule] }) },
      {
        told: ({ compared: { verdict, unknown } }) => said.push([verdict, ...unknown].join(' ')),
        pause: async () => undefined,
      },
    );
    const lines = [
      { ...decision, scopes: ['r', 's'], subject: 'h', policy: current.hash },
      {
        ...decision,
        scopes: ['s'],
        subject: 'h',
        policy: current.hash,
        decision: 'deny',
        reason: 'insufficient_scope',
      },
    ];
    await replay.log('x.log', streamOf([lines.map((line) => JSON.stringify(line)).join('\n')]));
  }
  expect(said).toEqual([
    'same',
    'undecidable the claims sub, for headers',
    'undecidable the claims sub, tenant, for headers',
    'undecidable the claims sub, tenant, for headers',
    'undecidable the claims sub, for headers',
    'undecidable the claims sub, for headers',
  ]);
});

it('a token of an unknown issuer: refused either way, which the summary tells', async () => {
  const refused = {
    ...decision,
    path: '/c',
    rule: 'c',
    decision: 'deny',
    reason: 'signature_invalid',
    issuer: undefined,
  };
  const { told, summary } = await replayed(refused, { ...decision, path: '/c', rule: 'c' });
  expect([told[0]?.compared.verdict, told[0]?.compared.now.decision]).toEqual(['undecidable', 'deny']);
  expect(summary.deniedEitherWay).toBe(1);
  expect(renderSummary(summary, plain)).toContain('\nundecidable: 1 refused either way, 1 allowed or refused\n');
});

it('a renamed rule: changed in rule only', async () => {
  const { told, summary } = await replayed({ ...open, rule: 'was-open' });
  expect([told[0]?.compared.verdict, summary.allowToDeny, summary.denyToAllow]).toEqual(['changed', 0, 0]);
  expect(renderSummary(summary, plain)).toContain(
    'changed: 0 from allow to deny, 0 from deny to allow, 1 in reason or rule only\n',
  );
});

it('shadow verdicts of the log: how often each rule would have changed the decision', async () => {
  const shadow = [{ rule: 's', decision: 'deny', reason: 'insufficient_scope' }];
  const { summary } = await replayed(
    { ...open, shadow },
    { ...open, shadow },
    { ...open, decision: 'deny', reason: 'rule_deny', shadow },
    {
      ...open,
      decision: 'deny',
      reason: 'rule_deny',
      shadow: [{ rule: 's', decision: 'allow', reason: 'allowed' }, 5],
    },
  );
  expect(summary.shadow).toEqual(new Map([['s', { agreed: 1, wouldAllow: 1, wouldDeny: 2 }]]));
  expect(renderSummary(summary, plain)).toContain(
    '  s  would have allowed 1 that were refused, refused 2 that were allowed, agreed with 1\n',
  );
});

it('a log of endless rule names: counted in bounded memory', async () => {
  const lines = Array.from({ length: 10_050 }, (_, at) => ({ ...open, rule: `r${at}` }));
  const { summary } = await replayed(...lines);
  expect([summary.rules.size, summary.rules.get('(others)')?.changed]).toEqual([10_001, 50]);
  expect(renderSummary(summary, plain)).toContain('and 9,961 more rules\n');
});

describe('as text', () => {
  const texts: Record<string, [line: object, text: string]> = {
    changed: [decision, 'changed      x.log:1  GET shop.test/a  allow allowed by a -> deny insufficient_scope by a\n'],
    undecidable: [
      { ...decision, path: '/c', rule: 'c' },
      'undecidable  x.log:1  GET shop.test/c  allow allowed by c -> allow or deny by c; not in the log: claims, which the condition of c reads\n',
    ],
    same: [open, 'same         x.log:1  GET shop.test/open  allow allowed_public by open\n'],
    'without a request': [
      { msg: 'decision', decision: 'deny', reason: 'overloaded' },
      'undecidable  x.log:1  - -  deny overloaded -> allow or deny; not in the log: no policy was asked\n',
    ],
    'text that would steer a terminal': [
      { ...open, host: 'a\u001b[2J', rule: '\u202e' },
      'changed      x.log:1  GET a\\u001b[2J/open  allow allowed_public by \\u202e -> allow allowed_public by open\n',
    ],
  };
  it.each(Object.entries(texts))('%s', async (_name, [line, text]) => {
    const { told } = await replayed(line);
    expect(told.map((one) => renderLine(one, plain)).join('')).toBe(text);
  });

  it('the summary: counts, rules by what changed, what is missing and what is taken for granted', async () => {
    const { summary } = await replayed(open, decision, { ...decision, path: '/c', rule: 'c' }, '{');
    expect(renderSummary(summary, plain)).toBe(`3 decisions: 1 same, 1 changed, 1 undecidable
changed: 1 from allow to deny, 0 from deny to allow, 0 in reason or rule only
undecidable: 0 refused either way, 1 allowed or refused
skipped: 0 lines that are no decisions, 1 that cannot be read

  rule  same  changed  undecidable
  a        0        1            0
  c        0        0            1
  open     1        0            0

Not in the log
  1  claims, which the condition of c reads

Taken for granted
  an issuer with the name or the \`iss\` of an earlier one is that one, with its keys and clock skew, and takes the tokens that it took (--current FILE compares them)
  serve has the settings and the keys that it had
  tokens of clients can be had as they could, and a request to a rule with \`inject\` has none in its query
  a claim for a header that is not required is none that cannot be passed on, such as one that is too long
`);
  });

  it('nothing at all', async () => {
    const { summary } = await replayed();
    expect(renderSummary(summary, plain)).toMatch(/^0 decisions: 0 same, 0 changed, 0 undecidable\n\nTaken/);
  });
});

describe('as JSON lines', () => {
  it('a decision', async () => {
    const { told } = await replayed({ ...decision, requestId: 'q1' });
    expect(JSON.parse(renderJsonLine(told[0]!))).toEqual({
      verdict: 'changed',
      log: 'x.log',
      line: 1,
      request: { method: 'GET', host: 'shop.test', path: '/a', requestId: 'q1' },
      old: { decision: 'allow', reason: 'allowed', rule: 'a' },
      new: { decision: 'deny', reasons: ['insufficient_scope'], rule: 'a' },
      unknown: [],
    });
  });

  it('the summary', async () => {
    const { summary } = await replayed(decision, { ...open, rule: undefined });
    expect(JSON.parse(renderJsonSummary(summary))).toMatchObject({
      summary: {
        decisions: 2,
        changed: 2,
        rules: [
          { rule: 'a', changed: 1 },
          { rule: null, changed: 1 },
        ],
        unknown: {},
        shadow: {},
      },
    });
  });
});
