import { describe, expect, it } from 'vitest';
import { createRevocations } from '../../../src/policy/revocation.ts';
import type { PolicySnapshot, Rule } from '../../../src/policy/snapshot.ts';
import { rehearse } from '../../../src/rehearsal/rehearse.ts';
import { actualWords, expectedWords } from '../../../src/rehearsal/wording.ts';
import { corp, type PolicyObject } from '../policy/policy-text.ts';
import { nowMs, type TestFields, withTests } from './policy-tests.ts';

const policy: PolicyObject = {
  issuers: [corp, { name: 'other', issuer: 'https://other.test', audiences: ['shop'] }],
  rules: [
    {
      name: 'read',
      paths: ['/orders', '/orders/{id}'],
      methods: ['GET'],
      issuers: ['corp'],
      require: { scopes: ['orders:read'] },
      headers: { 'x-user': 'sub', 'x-tenant': 'tenant' },
    },
    { name: 'fresh', paths: ['/fresh'], require: { maxAuthAge: '5m' } },
    { name: 'health', paths: ['/healthz'], access: 'public' },
    { name: 'internal', paths: ['/internal/**'], access: 'deny' },
  ],
  defaults: { resourceMetadata: 'https://shop.test' },
};

const reader = { issuer: 'corp', claims: { sub: 'ada', scope: 'orders:read' } };

interface Case extends TestFields {
  readonly passes: boolean;
  /** What came of it, in words. */
  readonly is: string;
  readonly why?: string;
}

const cases: Record<string, Case> = {
  'allowed as expected: passes': {
    token: reader,
    expect: { decision: 'allow', status: 200, reason: 'allowed', rule: 'read', headers: { 'x-user': 'ada' } },
    passes: true,
    is: 'allow 200 allowed by rule read, x-user: ada',
  },
  'a header that is not to be set, and is not: passes': {
    token: reader,
    expect: { decision: 'allow', headers: { 'x-tenant': null } },
    passes: true,
    is: 'allow 200 allowed by rule read, no x-tenant',
  },
  'a header that is not to be set, and is: fails': {
    token: reader,
    expect: { decision: 'allow', headers: { 'x-user': null } },
    passes: false,
    is: 'allow 200 allowed by rule read, x-user: ada',
  },
  'a header with another value: fails': {
    token: reader,
    expect: { decision: 'allow', headers: { 'x-user': 'bob' } },
    passes: false,
    is: 'allow 200 allowed by rule read, x-user: ada',
  },
  'a header that is to be set, and is not: fails': {
    token: reader,
    expect: { decision: 'allow', headers: { 'x-tenant': 'a' } },
    passes: false,
    is: 'allow 200 allowed by rule read, no x-tenant',
  },
  'allowed where a deny is expected: fails': {
    token: reader,
    expect: { decision: 'deny' },
    passes: false,
    is: 'allow 200 allowed by rule read',
    why: 'rule read covers the request and has all that it requires',
  },
  'denied where an allow is expected: fails, and says what is missing': {
    token: { issuer: 'corp', claims: { sub: 'ada', scope: 'orders' } },
    expect: { decision: 'allow' },
    passes: false,
    is: 'deny 403 insufficient_scope by rule read',
    why: 'the token lacks orders:read',
  },
  'denied for another reason: fails': {
    token: { issuer: 'corp', claims: { sub: 'ada', aud: 'bank' } },
    expect: { decision: 'deny', reason: 'insufficient_scope' },
    passes: false,
    is: 'deny 401 audience_mismatch by rule read',
    why: '`aud` is absent or names none of the configured audiences',
  },
  'denied with another status: fails': {
    expect: { decision: 'deny', status: 403 },
    passes: false,
    is: 'deny 401 token_missing by rule read',
  },
  'decided by another rule: fails': {
    target: '/healthz',
    expect: { decision: 'allow', rule: 'read' },
    passes: false,
    is: 'allow 200 allowed_public by rule health',
    why: 'rule health is `access: public`',
  },
  'a token of an issuer that the rule does not list: issuer_untrusted': {
    token: { issuer: 'other', claims: {} },
    expect: { decision: 'deny', status: 401, reason: 'issuer_untrusted' },
    passes: true,
    is: 'deny 401 issuer_untrusted by rule read',
  },
  'no token under no rule: 401': {
    method: 'POST',
    expect: { decision: 'deny', status: 403 },
    passes: false,
    is: 'deny 401 no_rule',
    why: 'no rule covers POST https://shop.test/orders',
  },
  'a token under no rule: 403': {
    method: 'POST',
    token: reader,
    expect: { decision: 'deny', status: 403, reason: 'no_rule' },
    passes: true,
    is: 'deny 403 no_rule',
  },
  'access deny: rule_deny': {
    target: '/internal/x',
    expect: { decision: 'deny', reason: 'rule_deny', rule: 'internal' },
    passes: true,
    is: 'deny 403 rule_deny by rule internal',
  },
  'EA-61 an ambiguous path: request_malformed, kept as it was written': {
    target: '/orders/../internal',
    expect: { decision: 'deny', status: 400 },
    passes: true,
    is: 'deny 400 request_malformed',
  },
  'the host as it was written: refused when it is no host': {
    host: 'shop.test:x',
    expect: { decision: 'allow' },
    passes: false,
    is: 'deny 400 request_malformed',
    why: 'The path, host or method is ambiguous or ill-formed; it is refused before any rule is looked at (the host is not a name or an address with an optional port)',
  },
  'PR-01 the document of ours: a deny with 200': {
    target: '/.well-known/oauth-protected-resource',
    expect: { decision: 'deny', status: 200, reason: 'resource_metadata' },
    passes: true,
    is: 'deny 200 resource_metadata',
    why: '`defaults.resourceMetadata` answers this path',
  },
  'BT-03 a query with a token beside the token: credentials_malformed': {
    target: '/orders?access_token=x',
    token: reader,
    expect: { decision: 'deny', status: 400, reason: 'credentials_malformed' },
    passes: true,
    is: 'deny 400 credentials_malformed by rule read',
  },
  'a header of the request: seen': {
    headers: { authorization: 'Basic eDp5' },
    expect: { decision: 'deny', reason: 'token_missing' },
    passes: true,
    is: 'deny 401 token_missing by rule read',
    why: 'The rule wants a token and none came, or credentials of another scheme (Authorization has another scheme)',
  },
  'SU-02 a login at the instant of the tests: fresh': {
    target: '/fresh',
    token: { issuer: 'corp', claims: { sub: 'ada', auth_time: nowMs / 1000 - 300 } },
    expect: { decision: 'allow' },
    passes: true,
    is: 'allow 200 allowed by rule fresh',
  },
  'SU-02 the same at an instant of its own: no longer': {
    target: '/fresh',
    nowMs: nowMs + 60_000,
    token: { issuer: 'corp', claims: { sub: 'ada', auth_time: nowMs / 1000 - 300 } },
    expect: { decision: 'deny', reason: 'insufficient_user_authentication' },
    passes: true,
    is: 'deny 401 insufficient_user_authentication by rule fresh',
  },
  'JWT-03 a token that expired before the instant: token_expired': {
    token: { issuer: 'corp', claims: { sub: 'ada', exp: nowMs / 1000 - 31 } },
    expect: { decision: 'deny', reason: 'token_expired' },
    passes: true,
    is: 'deny 401 token_expired by rule read',
  },
};

describe('rehearse', () => {
  it.each(Object.entries(cases))('%s', async (_name, { passes, is, why, ...test }) => {
    const [rehearsal] = await rehearse(withTests(policy, test), nowMs);
    if (rehearsal === undefined) throw new Error('no rehearsal');
    expect(actualWords(rehearsal)).toBe(is);
    expect(rehearsal.passed).toBe(passes);
    if (why !== undefined) expect(rehearsal.why).toBe(why);
  });

  it('revocations with `until`: by the instant of the test', async () => {
    const snapshot = withTests(
      policy,
      { token: reader, expect: { decision: 'deny', reason: 'token_revoked' } },
      { token: reader, nowMs: nowMs + 11_000, expect: { decision: 'allow' } },
    );
    const revocations = createRevocations([
      {
        issuer: undefined,
        jti: undefined,
        subject: 'ada',
        clientId: undefined,
        sessionId: undefined,
        kid: undefined,
        issuedBefore: undefined,
        until: nowMs / 1000 + 10,
      },
    ]);
    const rehearsals = await rehearse({ ...snapshot, revocations }, nowMs);
    expect(rehearsals.map(({ passed }) => passed)).toEqual([true, true]);
  });

  it('a token longer than serve takes by default: the limit is no matter of the policy', async () => {
    const claims = { ...reader.claims, note: 'x'.repeat(20_000) };
    const snapshot = withTests(policy, { token: { issuer: 'corp', claims }, expect: { decision: 'allow' } });
    expect((await rehearse(snapshot, nowMs)).map(({ passed }) => passed)).toEqual([true]);
  });

  it('a fault of ours: fails even where a deny is expected, and the others are run', async () => {
    const snapshot = withTests(
      policy,
      { expect: { decision: 'deny', status: 503, reason: 'internal_error' } },
      { expect: { decision: 'deny' } },
    );
    let calls = 0;
    const broken: PolicySnapshot = {
      ...snapshot,
      routes: {
        ...snapshot.routes,
        match: (...place) => {
          calls += 1;
          if (calls === 1) throw new Error('broken\nindex');
          return snapshot.routes.match(...place);
        },
      },
    };
    const rehearsals = await rehearse(broken, nowMs);
    expect(rehearsals.map(({ passed, why }) => [passed, why])).toMatchObject([
      [false, 'Scopegate failed: broken?index'],
      [true, expect.stringContaining('no Authorization header')],
    ]);
  });

  it('a condition that is false: said with its text, on one line', async () => {
    const snapshot = withTests(policy, { token: reader, expect: { decision: 'allow' } });
    const condition = {
      source: 'claims.a ==\n1',
      reads: new Set(['claims']),
      pathNames: new Map<string, number>(),
      evaluate: () => false,
    };
    const routes = { ...snapshot.routes, match: conditioned };
    function conditioned(...place: Parameters<typeof snapshot.routes.match>): ReturnType<typeof snapshot.routes.match> {
      const match = snapshot.routes.match(...place);
      return match && { ...match, rule: withCondition(match.rule) };
    }
    const withCondition = (rule: Rule): Rule => ({ ...rule, require: { ...rule.require, condition } });
    const rules = snapshot.rules.map(withCondition);
    expect(await rehearse({ ...snapshot, routes, rules }, nowMs)).toMatchObject([
      { passed: false, actual: { reason: 'condition_false' }, why: '`when` of the rule is false: claims.a ==?1' },
    ]);
  });

  it('no tests: nothing', async () => {
    expect(await rehearse(withTests(policy), nowMs)).toEqual([]);
  });

  it('1,000 tests: other work is done between any two of them', async () => {
    const snapshot = withTests(
      policy,
      ...Array.from({ length: 1000 }, () => ({ token: reader, expect: { decision: 'allow' } as const })),
    );
    let matches = 0;
    let most = 0;
    let since = 0;
    const counted: PolicySnapshot = {
      ...snapshot,
      routes: {
        ...snapshot.routes,
        match: (...place) => {
          matches += 1;
          return snapshot.routes.match(...place);
        },
      },
    };
    const stop = everyTurn(() => {
      most = Math.max(most, matches - since);
      since = matches;
    });
    const rehearsals = await rehearse(counted, nowMs);
    stop();
    expect(rehearsals.filter(({ passed }) => passed)).toHaveLength(1000);
    expect([matches, most]).toEqual([1000, 1]);
  });
});

/** Calls `work` in every turn of the event loop until it is stopped. */
function everyTurn(work: () => void): () => void {
  let next = setImmediate(run);
  function run(): void {
    work();
    next = setImmediate(run);
  }
  return () => clearImmediate(next);
}

describe('words', () => {
  it('what a test does not say is not said', async () => {
    const tests: TestFields[] = [
      { expect: { decision: 'allow' } },
      { expect: { decision: 'deny', status: 401, reason: 'r', rule: 'x', headers: { a: 'b', c: null } } },
      { expect: { decision: 'allow', headers: { a: 'b\u001b[31m\nc' } } },
    ];
    expect((await rehearse(withTests(policy, ...tests), nowMs)).map(expectedWords)).toEqual([
      'allow',
      'deny 401 r by rule x, a: b, no c',
      'allow, a: b?[31m?c',
    ]);
  });
});
