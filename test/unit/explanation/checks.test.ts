import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/condition/condition.ts';
import { denyReasons } from '../../../src/decision/deny-reason.ts';
import { Stop } from '../../../src/decision/step.ts';
import { checks } from '../../../src/explanation/checks.ts';
import { buildRouteIndex } from '../../../src/policy/match.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { corp, snapshotOf } from '../policy/policy-text.ts';
import { type Asked, explainClaims, now, stepOf } from './explain-claims.ts';

const a = { name: 'a', paths: ['/a'] };

function policy(rule: object = {}, issuer: object = {}, rest: object = {}): PolicySnapshot {
  return snapshotOf({ issuers: [{ ...corp, ...issuer }], rules: [{ ...a, ...rule }], ...rest });
}

it('every reason belongs to a check, but for those that no policy is asked about', () => {
  const known = new Set<string>(checks.flatMap(({ reasons }) => reasons));
  expect(Object.keys(denyReasons).filter((reason) => !known.has(reason))).toEqual([
    'policy_unavailable',
    'overloaded',
    'internal_error',
  ]);
});

it('the checks stand in the order of interface section 7', () => {
  expect(checks.map(({ check }) => check).join(', ')).toBe(
    'path and host, rule, access, Authorization, size, form, issuer, token class, algorithm, signature form, key, ' +
      'signature, claims, times, audience, client, revocation, sender constraint, step-up, scopes, condition, headers, token of our own',
  );
});

const ada = { sub: 'ada' };
const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
type Row = readonly [snapshot: PolicySnapshot, asked: Asked, check: string, words: object];
const failing: Record<string, Row> = {
  'no credentials: what a header should look like': [
    policy(),
    {},
    'Authorization',
    { wanted: 'one header `Authorization: Bearer TOKEN`', detail: 'no Authorization header' },
  ],
  'a path with dots: the detail of the refusal': [
    policy(),
    { request: 'GET https://shop.test/a/../b' },
    'path and host',
    { wanted: 'one spelling, of path, host and method', detail: 'the path holds a dot segment' },
  ],
  'no rule: how many there are': [
    policy(),
    { request: 'GET https://shop.test/b' },
    'rule',
    { wanted: 'a rule for host, path and method', found: 'none of 1 matches' },
  ],
  'access deny': [policy({ access: 'deny' }), { claims: ada }, 'access', { found: 'deny' }],
  'an issuer that the rule does not list: those that it lists': [
    snapshotOf({
      issuers: [corp, { ...corp, name: 'other', issuer: 'https://other.test' }],
      rules: [{ ...a, issuers: ['other'] }],
    }),
    { claims: ada },
    'issuer',
    { wanted: 'one of other', found: 'corp', detail: 'the rule does not list issuer corp' },
  ],
  'an unknown issuer: its name is a claim': [
    policy(),
    { claims: { ...ada, iss: 'https://evil.test' } },
    'issuer',
    { wanted: 'one of corp', found: 'another iss', detail: 'iss is no issuer of the policy' },
  ],
  'an unknown issuer, values shown: its name': [
    policy(),
    { claims: { ...ada, iss: 'https://evil.test' }, showClaims: true },
    'issuer',
    { wanted: 'one of corp', found: 'iss "https://evil.test"', detail: 'iss is no issuer of the policy' },
  ],
  'JWT-08 an issuer with a slash more: said': [
    policy(),
    { claims: { ...ada, iss: 'https://idp.test/' } },
    'issuer',
    { found: 'another iss, which has a slash more at its end than that of corp' },
  ],
  'JWT-08 an issuer with a slash less: said': [
    policy({}, { issuer: 'https://idp.test/' }),
    { claims: { ...ada, iss: 'https://idp.test' } },
    'issuer',
    { found: 'another iss, which lacks the slash at the end of that of corp' },
  ],
  'IDP-04 a tenant that is not listed: said': [
    policy({}, { provider: 'entra', issuer: 'https://idp.test/{tenantid}/v2.0', tenants: [tenant] }),
    { claims: { ...ada, iss: 'https://idp.test/5a4a0d4c-7a3b-4e0e-9f3e-6d2a54e0d7b9/v2.0' } },
    'issuer',
    { wanted: 'one of corp', found: 'another iss, which is of a tenant that corp does not list' },
  ],
  'IDP-04 another tenant in tid: said': [
    policy({}, { provider: 'entra', issuer: `https://idp.test/${tenant}/v2.0` }),
    { claims: { ...ada, tid: '5a4a0d4c-7a3b-4e0e-9f3e-6d2a54e0d7b9' } },
    'claims',
    {
      wanted: 'exp, sub, tid present, registered claims of their types',
      detail: 'tid is not the tenant of iss',
    },
  ],
  'IDP-03 token_use is absent: said': [
    policy({}, { provider: 'cognito', issuer: 'https://idp.test/eu_A', audiences: undefined, clientIds: ['web'] }),
    { claims: { ...ada, token_use: null } },
    'token class',
    { found: "another's mark, token_use is absent", detail: 'token_use is absent' },
  ],
  'an ID token: its mark': [
    policy(),
    { claims: { ...ada, nonce: 'n' } },
    'token class',
    { wanted: 'an access token, as provider generic knows one', found: "another's mark, nonce", detail: 'nonce' },
  ],
  'a signature that does not fit: what may have happened': [
    policy(),
    { claims: ada, stop: new Stop('signature_invalid') },
    'signature',
    {
      wanted: 'a signature by a key of corp',
      found: 'one of another key, or the token was changed after it was signed',
    },
  ],
  'keys that cannot be fetched: what happened, in a sentence': [
    policy({}, { jwks: { uri: 'https://idp.test/keys' } }),
    { claims: ada, stop: new Stop('keys_unavailable', 'fetch: connect') },
    'key',
    { found: 'keys from https://idp.test/keys', detail: 'fetch: no connection, or it broke (connect)' },
  ],
  'keys that are answered with an error: its status': [
    policy(),
    { claims: ada, stop: new Stop('keys_unavailable', 'fetch: status_500') },
    'key',
    { detail: 'fetch: the server answered with status 500 (status_500)' },
  ],
  'no key: as the decision says it': [
    policy(),
    { claims: ada, stop: new Stop('key_unknown', 'no key of the issuer has this kid') },
    'key',
    { detail: 'no key of the issuer has this kid' },
  ],
  'no sub: the claim that lacks': [
    policy(),
    { claims: {} },
    'claims',
    { wanted: 'exp, sub present, registered claims of their types', detail: 'sub is absent' },
  ],
  'expired: since when, of which clock skew': [
    policy(),
    { claims: { ...ada, exp: now - 720, iat: now - 1000 } },
    'times',
    { wanted: 'now within exp and nbf, 30s of clock skew granted', found: 'exp 12m ago, iat 16m40s ago' },
  ],
  'not valid yet: from when on': [
    policy(),
    { claims: { ...ada, nbf: now + 3600 } },
    'times',
    { found: 'exp in 5m, iat now, nbf in 1h', detail: 'nbf' },
  ],
  'a long life: the limit': [
    policy({}, { maxLifetime: '1h' }),
    { claims: { ...ada, exp: now + 7200 } },
    'times',
    {
      wanted: 'now within exp and nbf, 30s of clock skew granted; exp at most 1h after iat',
      found: 'exp in 2h, iat now',
    },
  ],
  'JWT-06 a limit and no iat: a claim is invalid, and it is a matter of times': [
    policy({}, { maxLifetime: '1h' }),
    { claims: { ...ada, iat: null } },
    'times',
    { found: 'exp in 5m, iat absent' },
  ],
  'another audience: how many': [
    policy(),
    { claims: { ...ada, aud: ['x', 'y'] } },
    'audience',
    { wanted: 'one of shop in aud', found: '2 other' },
  ],
  'another audience, values shown: which': [
    policy(),
    { claims: { ...ada, aud: ['x', 'y\u202e'] }, showClaims: true },
    'audience',
    { wanted: 'one of shop in aud', found: '"x", "y\\u202e"' },
  ],
  'no audience': [
    policy(),
    { claims: { ...ada, aud: null } },
    'audience',
    { wanted: 'one of shop in aud', found: 'aud absent or empty' },
  ],
  'another client': [
    policy({}, { clientIds: ['web'] }),
    { claims: { ...ada, client_id: 'app' } },
    'client',
    { wanted: 'one of web', found: 'another' },
  ],
  'no client': [
    policy({}, { clientIds: ['web'] }),
    { claims: { ...ada, client_id: null } },
    'client',
    { wanted: 'one of web', found: 'no client' },
  ],
  'revoked: by which fields': [
    policy({}, {}, { revocations: [{ jti: 'z' }, { issuer: 'corp', sub: 'ada', until: '2040-01-01T00:00:00Z' }] }),
    { claims: ada },
    'revocation',
    { wanted: 'none of 2 entries matches', found: 'an entry with issuer, sub' },
  ],
  'SU-01 another acr': [
    policy({ require: { acr: ['gold', 'silver'] } }),
    { claims: { ...ada, acr: 'tin' } },
    'step-up',
    { wanted: 'acr gold or silver', found: 'another acr', detail: 'acr is not accepted' },
  ],
  'SU-02 a login long ago': [
    policy({ require: { acr: ['gold'], maxAuthAge: '10m' } }),
    { claims: { ...ada, acr: 'gold', auth_time: now - 3600 } },
    'step-up',
    {
      wanted: 'acr gold, auth_time at most 10m ago',
      found: 'acr gold, auth_time 1h ago',
      detail: 'auth_time is too old',
    },
  ],
  'SU-01 SU-02 another acr and a login long ago: both': [
    policy({ require: { acr: ['gold'], maxAuthAge: '10m' } }),
    { claims: { ...ada, acr: 'tin', auth_time: 100 }, showClaims: true },
    'step-up',
    { found: 'acr "tin", auth_time 57y28d ago', detail: 'acr is not accepted, auth_time is too old' },
  ],
  'SU-01 SU-02 neither claim, the other one within the clock skew: the one that is absent': [
    policy({ require: { acr: ['gold'], maxAuthAge: '10m' } }),
    { claims: { ...ada, auth_time: now - 629 } },
    'step-up',
    { found: 'acr absent, auth_time 10m29s ago', detail: 'acr is absent' },
  ],
  'SU-02 no login time': [
    policy({ require: { maxAuthAge: '10m' } }),
    { claims: ada },
    'step-up',
    { found: 'auth_time absent', detail: 'auth_time is absent' },
  ],
  'scopes: those that lack': [
    policy({ require: { scopes: ['r', 'w'], anyScope: ['x', 'y'] } }),
    { claims: { ...ada, scope: 'r z' } },
    'scopes',
    { wanted: 'all of r, w and one of x, y', found: '2 scopes, missing w, x, y' },
  ],
  'scopes, values shown: those that are there too': [
    policy({ require: { scopes: ['w'] } }),
    { claims: { ...ada, scope: 'r' }, showClaims: true },
    'scopes',
    { wanted: 'all of w', found: '"r", missing w' },
  ],
  'a required header without a value': [
    policy({ headers: { 'x-t': { claim: 'tenant', required: true }, 'x-u': 'sub' } }),
    { claims: ada },
    'headers',
    {
      wanted: 'x-t required',
      found: '1 of 2 have a value, x-t has none (claim tenant)',
      detail: 'header x-t has no value',
    },
  ],
  'JWT-15 a lone surrogate for a header: a claim is invalid, and it is a matter of headers': [
    policy({ headers: { 'x-t': 'tenant' } }),
    { claims: { ...ada, tenant: '\ud800' } },
    'headers',
    { wanted: 'values that can be passed on', detail: 'claim of header x-t' },
  ],
};

it.each(Object.entries(failing))('%s', async (_name, [snapshot, asked, check, words]) => {
  const step = stepOf(await explainClaims(snapshot, asked));
  expect(step).toMatchObject({ check, ...words });
});

it('IDP-03 a provider whose tokens name no audience: what stands in for it', async () => {
  const issuer = { provider: 'cognito', issuer: 'https://idp.test/eu_A', audiences: undefined, clientIds: ['web'] };
  const explanation = await explainClaims(policy({}, issuer), { claims: ada });
  expect(stepOf(explanation, 'audience')).toMatchObject({ result: 'pass', found: 'none, the client stands in for it' });
});

describe('conditions', () => {
  const results: Record<string, [result: ReturnType<Condition['evaluate']>, step: object]> = {
    'false: the text and the result': [false, { wanted: 'claims.t == 1', found: 'false' }],
    'an error: what went wrong': [
      { reason: 'condition_error', detail: 'no such claim' },
      { wanted: 'claims.t == 1', found: 'an error', detail: 'no such claim' },
    ],
    'JWT-15 an invalid claim in it: a matter of the condition': [
      { reason: 'claim_invalid', detail: 'a lone surrogate' },
      { wanted: 'claims.t == 1', found: 'an error', detail: 'a lone surrogate' },
    ],
  };
  it.each(Object.entries(results))('%s', async (_name, [result, words]) => {
    const step = stepOf(await explainClaims(withCondition(result), { claims: { ...ada, tenant: 'x' } }));
    expect(step).toEqual({ check: 'condition', result: 'fail', ...words });
  });

  it('JWT-15 true, and a header that is invalid: true', async () => {
    const explanation = await explainClaims(withCondition(true), { claims: { ...ada, tenant: '\ud800' } });
    expect(explanation.reason).toBe('claim_invalid');
    expect(stepOf(explanation, 'condition')).toMatchObject({ result: 'pass', found: 'true' });
  });
});

describe('the parts of a condition', () => {
  const tenants = { paths: ['/a/{id}'] };
  const request = 'GET https://shop.test/a/caf%C3%A9';
  const both = 'claims.tenant == request.path.id &&\n claims.secret != "hunter2" // no guests';
  const rows: Record<string, readonly [when: string, claims: object, operands: readonly string[]]> = {
    'of &&: each for itself': [both, { tenant: 'x', secret: 's' }, ['false', 'true']],
    'of &&, another one is false': [both, { tenant: 'café', secret: 'hunter2' }, ['true', 'false']],
    'an error: its own detail': [both, { secret: 'hunter2' }, ['an error: a member is absent: claims.tenant', 'false']],
    'of ||': [
      'claims.a == 1 || claims.b == 1 && true || claims.admin',
      { a: 2, b: 2, admin: false },
      ['false', 'false', 'false'],
    ],
  };
  it.each(Object.entries(rows))('%s', async (_name, [when, claims, results]) => {
    const explanation = await explainClaims(policy({ ...tenants, require: { when } }), {
      request,
      claims: { ...ada, ...claims },
    });
    const { operands = [] } = stepOf(explanation, 'condition') ?? {};
    expect(operands.map(({ result }) => result)).toEqual(results);
  });

  it('claims that were read: by name, with their values only when they are asked for', async () => {
    const snapshot = policy({ ...tenants, require: { when: 'has(claims.role) || claims[request.path.id] == "x"' } });
    const claims = { ...ada, café: 'y\u202e', other: 'z' };
    const [hidden, shown] = await Promise.all([
      explainClaims(snapshot, { request, claims }),
      explainClaims(snapshot, { request, claims, showClaims: true }),
    ]);
    expect(stepOf(hidden)?.claims).toEqual([
      { name: 'role', isPresent: false },
      { name: 'café', isPresent: true },
    ]);
    expect(stepOf(shown)?.claims?.[1]).toEqual({ name: 'café', isPresent: true, value: '"y\\u202e"' });
  });

  it('one comparison alone: no parts, its claims all the same', async () => {
    const step = stepOf(
      await explainClaims(policy({ require: { when: 'claims.t == 1' } }), { claims: { ...ada, t: 2 } }),
    );
    expect(step).toMatchObject({ claims: [{ name: 't', isPresent: true }] });
    expect(step).not.toHaveProperty('operands');
  });

  it('EA-48 values of the path template: decoded, whatever the rule requires; null where they are no UTF-8', async () => {
    const snapshot = policy({ paths: ['/a/{id}/{b}'] });
    const explanation = await explainClaims(snapshot, { request: 'GET https://shop.test/a/caf%C3%A9/%FF' });
    expect(explanation.request.parameters).toEqual({ id: 'café', b: null });
  });
});

function withCondition(result: ReturnType<Condition['evaluate']>): PolicySnapshot {
  const snapshot = policy({ headers: { 'x-t': 'tenant' } });
  const condition: Condition = {
    source: 'claims.t\n  == 1',
    reads: new Set(['claims']),
    pathNames: new Map(),
    evaluate: () => result,
  };
  const routes = snapshot.routes.routes.map((route) => ({
    ...route,
    rule: { ...route.rule, require: { ...route.rule.require, condition } },
  }));
  return { ...snapshot, routes: buildRouteIndex(routes) };
}

describe('what passed', () => {
  it('claims without a signature and a sender: what looks at these is skipped, the rest passes', async () => {
    const { steps, decision, token } = await explainClaims(policy(), { claims: ada });
    const others = steps.filter(({ result }) => result !== 'pass');
    expect(others.map(({ check, result }) => `${check} ${result}`)).toEqual([
      'signature form skipped',
      'key skipped',
      'signature skipped',
      'sender constraint skipped',
    ]);
    expect([decision, token?.state]).toEqual(['allow', 'given']);
  });

  it('MT-03 claims with a `cnf` that serve would refuse: the sender is not said to have passed', async () => {
    const { steps } = await explainClaims(policy(), { claims: { ...ada, cnf: { jkt: 'x' } } });
    expect(steps.find(({ check }) => check === 'sender constraint')).toEqual({
      check: 'sender constraint',
      result: 'skipped',
      found: 'claims come without proof and certificate',
    });
  });

  it('a public rule: nothing after access is reached, and the token is not called verified', async () => {
    const { steps, reason, token } = await explainClaims(policy({ access: 'public' }), { claims: ada });
    expect([
      reason,
      steps
        .map(({ result }) => result)
        .join(' ')
        .replace(/ not_reached/g, ''),
    ]).toEqual(['allowed_public', 'pass pass pass']);
    expect(token?.issuer).toBe('corp');
  });

  it('what a rule does not require: said', async () => {
    const { steps } = await explainClaims(policy(), { claims: ada });
    expect(steps.filter(({ found }) => found === 'the rule requires none').map(({ check }) => check)).toEqual([
      'step-up',
      'scopes',
      'condition',
    ]);
  });
});

it('BT-03 a token in the query: it is in no part of what is shown', async () => {
  const explanation = await explainClaims(policy(), { request: 'GET https://shop.test/a?access_token=secret' });
  expect(explanation.request.rawPath).toBe('/a');
  expect(JSON.stringify(explanation)).not.toContain('secret');
});

it('a header is named with its claim; its value and those of the metadata only when they are asked for', async () => {
  const snapshot = policy({ headers: { 'x-r': { claim: 'realm.roles', format: 'csv' } } });
  const claims = { ...ada, realm: { roles: ['p', 'q'] }, client_id: 'web', scope: 's' };
  const [hidden, shown] = await Promise.all([
    explainClaims(snapshot, { claims }),
    explainClaims(snapshot, { claims, showClaims: true }),
  ]);
  expect(hidden.headers.set).toEqual({ 'x-r': { claim: 'realm.roles' } });
  expect(shown.headers.set).toEqual({ 'x-r': { claim: 'realm.roles', value: 'p,q' } });
  expect(hidden.metadata).toMatchObject({ subject: '(not shown)', client_id: '(not shown)', scopes: '(not shown)' });
  expect(shown.metadata).toMatchObject({ subject: 'ada', client_id: 'web', scopes: ['s'] });
  expect(hidden.token?.claims.every((claim) => !('value' in claim))).toBe(true);
  expect(shown.token?.claims).toContainEqual({ name: 'realm', value: '{"roles":["p","q"]}' });
});
