import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import { compileTexts, corp, type PolicyObject, ruleOf, show, snapshotOf, textOf } from './policy-text.ts';

/** The key of RFC 8037 appendix A.2. */
const ed25519X = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const caFile = new URL('../../support/tls/ca.pem', import.meta.url);

const scoped = { name: 'orders', paths: ['/orders'], require: { scopes: ['orders:read'] } };
const health = { name: 'health', paths: ['/healthz'], access: 'public' };

function issuerOf(fields: object) {
  const snapshot = snapshotOf({ issuers: [{ ...corp, ...fields }], rules: [scoped] });
  const [issuer] = snapshot.issuers.values();
  if (issuer === undefined) throw new Error('no issuer');
  return issuer;
}

describe('issuers', () => {
  it('only what is required: defaults', () => {
    expect(issuerOf({})).toEqual({
      name: 'corp',
      issuer: 'https://idp.test',
      provider: 'generic',
      tenant: undefined,
      audiences: ['shop'],
      clientIds: undefined,
      jwks: { kind: 'discovery' },
      ca: undefined,
      algorithms: new Set([
        'RS256',
        'RS384',
        'RS512',
        'PS256',
        'PS384',
        'PS512',
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
        'Ed25519',
      ]),
      scopeClaim: undefined,
      clockSkewSeconds: 30,
      maxLifetimeSeconds: undefined,
      requireSub: true,
      senderConstraint: 'none',
      dpop: { nonce: false, maxAgeSeconds: 60 },
      insecure: { allowHttp: false, anyHost: false },
    });
  });

  it('everything given: taken over, durations in seconds', () => {
    const ca = readFileSync(caFile, 'utf8');
    const fields = {
      provider: 'rfc9068',
      clientIds: ['web'],
      jwks: { uri: 'https://idp.test/keys?p=a', ca },
      algorithms: ['ES256'],
      scopeClaim: 'realm_access.roles',
      clockSkew: '5m',
      maxLifetime: '1h30m5s',
      requireSub: false,
      insecure: { allowHttp: true, anyHost: true },
    };
    expect(issuerOf(fields)).toMatchObject({
      provider: 'rfc9068',
      clientIds: new Set(['web']),
      jwks: { kind: 'uri', uri: 'https://idp.test/keys?p=a' },
      ca,
      algorithms: new Set(['ES256']),
      scopeClaim: ['realm_access', 'roles'],
      clockSkewSeconds: 300,
      maxLifetimeSeconds: 5405,
      requireSub: false,
      insecure: { allowHttp: true, anyHost: true },
    });
  });

  it('claim path as a list: dots do not split', () => {
    expect(issuerOf({ scopeClaim: ['https://acme.com/scopes'] }).scopeClaim).toEqual(['https://acme.com/scopes']);
  });

  it('inline keys: the keys as written', () => {
    const keys = [{ kty: 'OKP', crv: 'Ed25519', x: ed25519X, extra: [1] }];
    expect(issuerOf({ jwks: { inline: { keys } } }).jwks).toEqual({ kind: 'inline', keys });
  });

  it('a private CA alone: for discovery', () => {
    const ca = readFileSync(caFile, 'utf8');
    expect(issuerOf({ jwks: { ca } })).toMatchObject({ jwks: { kind: 'discovery' }, ca });
  });

  it.each(['http://127.0.0.1:8080', 'http://127.9.9.9', 'http://[::1]:80/realm', 'http://localhost:3000'])(
    'allowHttp and loopback %s: accepted',
    (issuer) => {
      expect(issuerOf({ issuer, insecure: { allowHttp: true } }).issuer).toBe(issuer);
    },
  );

  it.each([
    'http://127.0.0.1.test',
    'http://localhost.test',
    'http://128.0.0.1',
    'http://[::2]',
    'http://0.0.0.0',
    'http://127.0.0.1@idp.test',
  ])('allowHttp and a host that only looks like loopback, %s: refused', (issuer) => {
    const text = textOf({ issuers: [{ ...corp, issuer, insecure: { allowHttp: true } }], rules: [scoped] });
    expect(compileTexts(text).snapshot).toBeUndefined();
  });

  it('JWT-08 issuers whose URLs differ in a trailing slash: two issuers', () => {
    const other = { ...corp, name: 'other', issuer: 'https://idp.test/' };
    expect([...snapshotOf({ issuers: [corp, other], rules: [scoped] }).issuers.keys()]).toEqual([
      'https://idp.test',
      'https://idp.test/',
    ]);
  });
});

describe('rules', () => {
  const rule = (fields: object, defaults: object = {}) =>
    ruleOf(snapshotOf({ issuers: [corp], rules: [{ name: 'r', paths: ['/r'], ...fields }], defaults }), 'r');

  it('only what is required: defaults', () => {
    expect(rule({})).toEqual({
      name: 'r',
      access: 'token',
      issuers: undefined,
      require: { scopes: [], anyScope: [], acr: [], maxAuthAgeSeconds: undefined, condition: undefined },
      headers: [],
      forwardToken: true,
      mode: 'enforce',
    });
  });

  it('everything given: taken over', () => {
    const require = { scopes: ['a'], anyScope: ['b', 'c'], acr: ['urn:mfa'], maxAuthAge: '10m' };
    expect(rule({ issuers: ['corp'], require, forwardToken: false, mode: 'enforce' })).toMatchObject({
      issuers: new Set(['corp']),
      require: { scopes: ['a'], anyScope: ['b', 'c'], acr: ['urn:mfa'], maxAuthAgeSeconds: 600 },
      forwardToken: false,
    });
  });

  it('an issuer of another document: known', () => {
    const snapshot = snapshotOf({ rules: [{ ...scoped, issuers: ['corp'] }] }, { issuers: [corp] });
    expect(ruleOf(snapshot, 'orders').issuers).toEqual(new Set(['corp']));
  });

  it('rules of several documents: sorted by name', () => {
    const snapshot = snapshotOf({ rules: [scoped], issuers: [corp] }, { rules: [health] });
    expect(snapshot.rules.map(({ name }) => name)).toEqual(['health', 'orders']);
  });

  it('public and deny: no headers, whatever the defaults are', () => {
    const defaults = { headers: { 'x-user': 'sub' } };
    expect(rule({ access: 'public' }, defaults)).toMatchObject({ access: 'public', headers: [] });
    expect(rule({ access: 'deny', forwardToken: false }, defaults)).toMatchObject({ access: 'deny', headers: [] });
  });
});

describe('headers', () => {
  const defaults = { headers: { 'X-User-Id': 'sub', 'x-client': { claim: ['client_id'] }, 'x-scopes': 'scope' } };
  const headersOf = (headers: object) => {
    const snapshot = snapshotOf({ issuers: [corp], defaults, rules: [{ ...scoped, headers }] });
    return { snapshot, headers: ruleOf(snapshot, 'orders').headers };
  };
  const plain = { format: 'csv', required: false };

  it('none of its own: those of the defaults, lower-case', () => {
    expect(headersOf({}).headers).toEqual([
      { name: 'x-user-id', claim: ['sub'], ...plain },
      { name: 'x-client', claim: ['client_id'], ...plain },
      { name: 'x-scopes', claim: ['scope'], ...plain },
    ]);
  });

  it('its own in another case and spelling: wins', () => {
    const { headers, snapshot } = headersOf({ X_USER_ID: { claim: 'email', required: true, format: 'json' } });
    expect(headers[0]).toEqual({ name: 'x_user_id', claim: ['email'], format: 'json', required: true });
    expect(headers).toHaveLength(3);
    expect(snapshot.identityHeaders).toEqual(new Set(['x-user-id', 'x_user_id', 'x-client', 'x-scopes']));
  });

  it('EA-13 null: removed from the rule, still an identity header', () => {
    const { headers, snapshot } = headersOf({ 'X-CLIENT': null, x_scopes: null });
    expect(headers.map(({ name }) => name)).toEqual(['x-user-id']);
    expect(snapshot.identityHeaders).toEqual(new Set(['x-user-id', 'x-client', 'x-scopes']));
  });

  it('null for what no default sets: nothing, and no identity header', () => {
    const { headers, snapshot } = headersOf({ 'x-other': null });
    expect(headers).toHaveLength(3);
    expect(snapshot.identityHeaders.has('x-other')).toBe(false);
  });

  it('EA-13 headers of one rule: identity headers for all', () => {
    const rules = [{ ...scoped, headers: { 'x-tenant': 'tenant' } }, health];
    expect(snapshotOf({ issuers: [corp], rules }).identityHeaders).toEqual(new Set(['x-tenant']));
  });

  it('defaults of another document: for every rule', () => {
    const snapshot = snapshotOf({ issuers: [corp], rules: [scoped] }, { defaults });
    expect(ruleOf(snapshot, 'orders').headers).toHaveLength(3);
  });
});

describe('defaults', () => {
  it('none: as documented', () => {
    expect(snapshotOf({ rules: [health] })).toMatchObject({
      realm: 'scopegate',
      pathParameters: 'reject',
      resourceMetadata: undefined,
    });
  });

  it('all: taken over, the base of resource metadata without trailing slash', () => {
    const defaults = {
      realm: 'orders "x"',
      pathParameters: 'keep',
      resourceMetadata: 'https://orders.test/',
      origins: ['https://orders.test', 'http://localhost:8080'],
    };
    expect(snapshotOf({ rules: [health], defaults })).toMatchObject({
      realm: 'orders "x"',
      pathParameters: 'keep',
      resourceMetadata: 'https://orders.test',
    });
  });

  it('EA-63 pathParameters keep: a rule may name a path with one', () => {
    const snapshot = snapshotOf({ rules: [{ ...health, paths: ['/a;v=1'] }], defaults: { pathParameters: 'keep' } });
    expect(snapshot.routes.match('a.test', '/a;v=1', 'GET')?.rule.name).toBe('health');
  });
});

describe('conditions', () => {
  const ruleWith = (when: string, ...paths: readonly string[]) => ({ name: 'r', paths, require: { when } });

  it('compiled, with the text as it is written', () => {
    const snapshot = snapshotOf({
      issuers: [corp],
      rules: [ruleWith('claims.tenant == request.path.id', '/o/{id}', '/p/{id}')],
    });
    expect(ruleOf(snapshot, 'r').require.condition).toMatchObject({ source: 'claims.tenant == request.path.id' });
  });

  it.each(['has(request.path.id) && request.path.id == "a"', '"id" in request.path', "!('id' in request.path)"])(
    'a template value that not every path has, and that is asked for by %s: accepted',
    (when) => {
      expect(compileTexts(textOf({ issuers: [corp], rules: [ruleWith(when, '/o', '/o/{id}')] })).problems).toEqual([]);
    },
  );

  it('a template value that is asked for, and that no path has: refused', () => {
    const { problems } = compileTexts(
      textOf({ issuers: [corp], rules: [ruleWith('has(request.path.ix)', '/o/{id}')] }),
    );
    expect(problems.map(({ message, hint }) => [message, hint])).toEqual([
      ['path `/o/{id}` of the rule has no `{ix}`', 'did you mean `id`?'],
    ]);
  });
});

describe('shadow rules', () => {
  const shadow = { ...scoped, name: 'new', mode: 'shadow', headers: { 'x-new': 'sub' } };
  const snapshot = snapshotOf({
    issuers: [corp],
    rules: [scoped, health, shadow],
    defaults: { headers: { 'x-a': 'a' } },
  });

  it('beside an enforcing rule of the same place: each is found among its own', () => {
    expect(snapshot.routes.match('a.test', '/orders', 'GET')?.rule.name).toBe('orders');
    expect(snapshot.shadowRoutes.match('a.test', '/orders', 'GET')?.rule.name).toBe('new');
    expect(snapshot.shadowRoutes.match('a.test', '/healthz', 'GET')).toBeUndefined();
    expect(snapshot.rules.map(({ name }) => name)).toEqual(['health', 'new', 'orders']);
  });

  it('their headers: no identity headers, since they are never set', () => {
    expect(snapshot.identityHeaders).toEqual(new Set(['x-a']));
  });
});

describe('revocations', () => {
  it('of all documents, times in seconds', () => {
    const revocations = [
      { issuer: 'corp', jti: 'a', until: '1970-01-01T00:01:00Z' },
      { sub: 'b', clientId: 'c', sid: 'd', kid: 'e', issuedBefore: '1970-01-01T01:00:00+01:00' },
    ];
    const none = { jti: undefined, subject: undefined, clientId: undefined, sessionId: undefined, kid: undefined };
    const { entries } = snapshotOf(
      { issuers: [corp], rules: [scoped], revocations: revocations.slice(0, 1) },
      { revocations: revocations.slice(1) },
    ).revocations;
    expect(entries).toEqual([
      { ...none, issuer: 'corp', jti: 'a', issuedBefore: undefined, until: 60 },
      {
        ...none,
        issuer: undefined,
        subject: 'b',
        clientId: 'c',
        sessionId: 'd',
        kid: 'e',
        issuedBefore: 0,
        until: undefined,
      },
    ]);
  });
});

describe('tests', () => {
  const policyOf = (test: object) => ({ issuers: [corp], rules: [scoped], tests: [{ name: 't', ...test }] });
  const testOf = (test: object) => snapshotOf(policyOf(test)).tests[0];

  it('only what is required: nothing else is expected', () => {
    const test = { request: 'GET https://shop.test/orders', token: 'none', expect: { decision: 'deny' } };
    const column = textOf(policyOf(test)).indexOf('{"name":"t"') + 1;
    expect(testOf(test)).toEqual({
      name: 't',
      place: { file: '0.yaml', line: 1, column },
      method: 'GET',
      host: 'shop.test',
      target: '/orders',
      headers: {},
      nowMs: undefined,
      token: undefined,
      expect: { decision: 'deny', status: undefined, reason: undefined, rule: undefined, headers: {} },
    });
  });

  it('everything given: taken over, header names in lower case', () => {
    const test = testOf({
      request: 'PUT HTTP://Shop.test:8080/a/%2e/b?c=d;e',
      headers: { 'X-Request-Id': 'r' },
      now: '1970-01-01T00:00:02Z',
      token: { issuer: 'corp', claims: { sub: 'ada', n: null } },
      expect: {
        decision: 'allow',
        status: 200,
        reason: 'allowed',
        rule: 'orders',
        headers: { 'X-User': 'ada', 'x-b': null },
      },
    });
    expect(test).toMatchObject({
      method: 'PUT',
      host: 'Shop.test:8080',
      target: '/a/%2e/b?c=d;e',
      headers: { 'x-request-id': 'r' },
      nowMs: 2000,
      token: { issuer: 'corp', claims: { sub: 'ada', n: null } },
      expect: {
        decision: 'allow',
        status: 200,
        reason: 'allowed',
        rule: 'orders',
        headers: { 'x-user': 'ada', 'x-b': null },
      },
    });
  });

  it('no token, but credentials of another kind among the headers: accepted', () => {
    const headers = { Authorization: 'Basic YTpi' };
    const test = testOf({ request: 'GET https://a.test/', headers, token: 'none', expect: { decision: 'deny' } });
    expect(test?.headers).toEqual({ authorization: 'Basic YTpi' });
  });

  it.each([
    ['https://a.test', '/'],
    ['https://a.test?x=1', '/?x=1'],
    ['https://a.test//', '//'],
  ])('target of %s: %s', (url, target) => {
    expect(testOf({ request: `GET ${url}`, token: 'none', expect: { decision: 'deny' } })?.target).toBe(target);
  });

  it.each([
    ['deny', 'no_rule', 401],
    ['deny', 'no_rule', 403],
    ['deny', 'resource_metadata', 200],
    ['deny', 'keys_unavailable', 503],
    ['allow', 'allowed_public', 200],
  ])('expectation %s %s %i: accepted', (decision, reason, status) => {
    expect(
      testOf({ request: 'GET https://a.test/', token: 'none', expect: { decision, reason, status } }),
    ).toBeDefined();
  });
});

describe('warnings', () => {
  const warningsOf = (policy: PolicyObject): readonly string[] => {
    const { snapshot, problems } = compileTexts(textOf(policy));
    expect(snapshot).toBeDefined();
    expect(problems.every(({ severity }) => severity === 'warning')).toBe(true);
    return problems.map(({ code, message }) => `${code}: ${message}`);
  };

  it('a policy without anything odd: none', () => {
    expect(warningsOf({ issuers: [{ ...corp, maxLifetime: '1h' }], rules: [scoped, health] })).toEqual([]);
  });

  it('an issuer that no rule uses: warned about', () => {
    const issuers = [corp, { ...corp, name: 'other', issuer: 'https://other.test' }];
    expect(warningsOf({ issuers, rules: [{ ...scoped, issuers: ['corp'] }] })).toEqual([
      'unused_issuer: no rule uses issuer `other`',
    ]);
    expect(warningsOf({ issuers, rules: [scoped] })).toEqual([]);
    expect(warningsOf({ issuers, rules: [health] })).toHaveLength(2);
  });

  it('a rule without scopes: warned about, unless no token is wanted', () => {
    const rules = [{ ...scoped, require: {} }, health, { ...health, name: 'no', paths: ['/no'], access: 'deny' }];
    expect(warningsOf({ issuers: [corp], rules })).toEqual([
      'no_scopes: rule `orders` requires no scope and has no condition, any token of its issuers may pass',
    ]);
    expect(warningsOf({ issuers: [corp], rules: [{ ...scoped, require: { anyScope: ['a'] } }] })).toEqual([]);
    expect(warningsOf({ issuers: [corp], rules: [{ ...scoped, require: { when: 'claims.a == 1' } }] })).toEqual([]);
  });

  it('a lifetime over an hour, insecure, a method in lower case: warned about', () => {
    const issuers = [{ ...corp, maxLifetime: '1h1s', insecure: { allowHttp: true } }];
    expect(warningsOf({ issuers, rules: [{ ...scoped, methods: ['get'] }] })).toEqual([
      'long_lifetime: tokens may live longer than an hour',
      'insecure: keys may be fetched without TLS',
      'method_case: methods are case-sensitive, `get` is not GET',
    ]);
    expect(warningsOf({ issuers: [{ ...corp, insecure: { allowHttp: false } }], rules: [scoped] })).toEqual([]);
  });
});

describe('warnings about preflight requests', () => {
  const api = { ...scoped, methods: ['GET', 'POST', 'PUT', 'DELETE'] };
  const preflightsOf = (...rules: readonly object[]): readonly string[] =>
    compileTexts(textOf({ issuers: [corp], rules })).problems.flatMap(({ code, message }) =>
      code === 'no_options_rule' ? [/`\S+`/.exec(message)?.[0] ?? ''] : [],
    );
  const options = { name: 'options', methods: ['OPTIONS'], access: 'public' };

  it('a rule with many methods and no rule for OPTIONS: the path, and what to write', () => {
    const text = textOf({ issuers: [corp], rules: [api] });
    expect(compileTexts(text).problems.map(show)).toEqual([
      `1:${text.indexOf('["GET"') + 1} no_options_rule: no rule covers OPTIONS on \`/orders\`, which browsers ask for before they send a token (add a rule with \`methods: [OPTIONS]\` and \`access: public\`, unless the CORS filter of Envoy answers before)`,
    ]);
  });

  const cases: Readonly<Record<string, [rules: readonly object[], paths: readonly string[]]>> = {
    'three methods': [[{ ...api, methods: ['GET', 'HEAD', 'POST'] }], []],
    'any method': [[scoped], []],
    'OPTIONS among its own': [[{ ...api, methods: [...api.methods, 'OPTIONS'] }], []],
    'no token wanted': [[{ name: 'p', paths: ['/p'], access: 'public', methods: api.methods }], []],
    'a shadow rule': [[scoped, { ...api, name: 'new', mode: 'shadow' }], []],
    'a rule for OPTIONS on its path': [[api, { ...options, paths: ['/orders'] }], []],
    'a rule for OPTIONS on every path': [[api, { ...options, paths: ['/**'] }], []],
    'a rule for any method around it': [[api, { ...health, paths: ['/**'] }], []],
    'a rule for OPTIONS on another path': [[api, { ...options, paths: ['/order'] }], ['`/orders`']],
    'a rule for OPTIONS on one of its paths': [
      [
        { ...api, paths: ['/a', '/b/{id}'] },
        { ...options, paths: ['/a'] },
      ],
      ['`/b/{id}`'],
    ],
    'a rule for OPTIONS on one value of a template': [
      [
        { ...api, paths: ['/b/{id}'] },
        { ...options, paths: ['/b/x'] },
      ],
      ['`/b/{id}`'],
    ],
    'a rule for OPTIONS on one of its hosts': [
      [
        { ...api, hosts: ['a.test', '*.b.test'] },
        { ...options, paths: ['/orders'], hosts: ['a.test', 'x.b.test'] },
      ],
      ['`/orders`'],
    ],
    'a rule for OPTIONS on every of its hosts': [
      [
        { ...api, hosts: ['a.test', '*.b.test'] },
        { ...options, paths: ['/**'], hosts: ['*.test'] },
      ],
      [],
    ],
    'a shadow rule for OPTIONS': [[api, { ...options, paths: ['/orders'], mode: 'shadow' }], ['`/orders`']],
    'below `/**`': [
      [
        { ...api, paths: ['/orders/**'] },
        { ...options, paths: ['/orders'] },
      ],
      ['`/orders/**`'],
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [rules, paths]) => {
    expect(preflightsOf(...rules)).toEqual(paths);
  });
});

describe('warnings beside errors', () => {
  const codesOf = (policy: PolicyObject): readonly string[] =>
    compileTexts(textOf(policy)).problems.map(({ code }) => code);
  const broken = { name: 'x', paths: ['x'], access: 'deny' };
  const other = { ...corp, name: 'other', issuer: 'https://other.test' };

  it('what is right whatever the errors: told', () => {
    const issuers = [{ ...corp, maxLifetime: '2h' }, other];
    const rules = [{ ...scoped, issuers: ['corp'], require: {} }, broken];
    expect(codesOf({ issuers, rules })).toEqual(['long_lifetime', 'unused_issuer', 'no_scopes', 'path']);
  });

  it('a rule without scopes that lost something: not told', () => {
    expect(codesOf({ issuers: [corp], rules: [{ ...scoped, require: { scope: ['a'] } }] })).toEqual(['unknown_field']);
  });

  it('a condition that does not compile: no rule without condition', () => {
    expect(codesOf({ issuers: [corp], rules: [{ ...scoped, require: { when: '1' } }] })).toEqual(['condition']);
  });

  it('a rule that is left out may use the issuer: not told', () => {
    expect(codesOf({ issuers: [corp], rules: [{ name: 'a', access: 'deny' }] })).toEqual(['missing_field']);
    expect(codesOf({ issuers: [corp], rules: 5 as unknown as object[] })).toEqual(['wrong_type']);
  });

  it('a misspelled issuer may be the one that seems unused: not told', () => {
    const rules = [{ ...scoped, issuers: ['corp', 'othr'] }];
    expect(codesOf({ issuers: [corp, other], rules })).toEqual(['unknown_issuer']);
  });

  it('audience `account` of Keycloak: told', () => {
    const issuer = 'https://idp.test/realms/shop';
    const keycloak = { ...corp, issuer, provider: 'keycloak', audiences: ['shop', 'account'] };
    const { problems } = compileTexts(
      textOf({ issuers: [keycloak, { ...other, audiences: ['account'] }], rules: [scoped] }),
    );
    const warnings = problems.filter(({ severity }) => severity === 'warning');
    expect(warnings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'shared_audience: tokens of this provider have audience `account` whatever API they were issued for',
    ]);
  });
});

describe('the policy before', () => {
  const documentsOf = (policy: PolicyObject) => parseDocuments({ name: 'f', text: textOf(policy) }).documents;
  const key = { kty: 'OKP', crv: 'Ed25519', x: ed25519X };
  const full = { ...corp, clientIds: ['web', 'batch'], jwks: { inline: { keys: [key] } } };
  const other = { ...corp, name: 'other', issuer: 'https://other.test' };
  const before = compile(documentsOf({ issuers: [full, other], rules: [scoped] })).snapshot;
  const after = (issuers: readonly object[], rules: readonly object[] = [scoped]) =>
    compile(documentsOf({ issuers, rules }), before).snapshot?.issuers;

  it('an issuer that has not changed: the same object, whatever else has', () => {
    const issuers = after([{ ...other, clockSkew: '1m' }, full], [{ ...scoped, name: 'renamed' }, health]);
    expect(issuers?.get(corp.issuer)).toBe(before?.issuers.get(corp.issuer));
    expect(issuers?.get(other.issuer)).not.toBe(before?.issuers.get(other.issuer));
  });

  it.each<[string, object]>([
    ['another name', { name: 'new' }],
    ['another audience', { audiences: ['shop', 'more'] }],
    ['one client less', { clientIds: ['web'] }],
    ['any client', { clientIds: undefined }],
    ['another key', { jwks: { inline: { keys: [{ ...key, x: 'A'.repeat(43) }] } } }],
    ['keys from elsewhere', { jwks: undefined }],
    ['fewer algorithms', { algorithms: ['ES256'] }],
    ['scopes from another claim', { scopeClaim: 'scp' }],
    ['another skew', { clockSkew: '31s' }],
    ['a lifetime', { maxLifetime: '1h' }],
    ['no subject wanted', { requireSub: false }],
    ['another provider', { provider: 'rfc9068' }],
    ['http allowed', { insecure: { allowHttp: true } }],
  ])('%s: another object', (_name, change) => {
    const issuer = after([{ ...full, ...change }])?.get(corp.issuer);
    expect(issuer).toBeDefined();
    expect(issuer).not.toBe(before?.issuers.get(corp.issuer));
  });

  it('conditions of the same text: the same objects', () => {
    const rule = { ...scoped, require: { when: 'claims.a == 1' } };
    const first = compile(documentsOf({ issuers: [corp], rules: [rule] })).snapshot;
    const second = compile(documentsOf({ issuers: [corp], rules: [{ ...rule, name: 'other' }] }), first).snapshot;
    expect(second?.rules[0]?.require.condition).toBe(first?.rules[0]?.require.condition);
  });
});

describe('problems across documents', () => {
  it('a clash: reported at the later document, naming the place of the earlier', () => {
    const rule = { name: 'a', paths: ['/a'], access: 'deny' };
    const { problems } = compileTexts(textOf({ rules: [rule] }), textOf({ rules: [{ ...rule, name: 'b' }] }));
    expect(problems.map((problem) => `${problem.file}:${show(problem)}`)).toEqual([
      '1.yaml:1:80 equal_rules: rules `a` (0.yaml:1:80) and `b` are equally specific on any method, any host, /a',
    ]);
  });

  it('no document at all: no policy', () => {
    expect(compileTexts()).toEqual({ snapshot: undefined, problems: [] });
  });

  it('a document without rules beside one with rules: accepted', () => {
    expect(snapshotOf({ rules: [] }, { rules: [health] }).rules).toHaveLength(1);
  });
});

describe('hash', () => {
  const head = 'apiVersion: scopegate.dev/v1\nkind: Policy\n';
  const yaml = `${head}rules:\n  - name: a\n    paths: [/a]   # comment\n    access: 'deny'\n`;
  const json =
    '{"rules":[{"access":"deny","paths":["/a"],"name":"a"}],"kind":"Policy","apiVersion":"scopegate.dev/v1"}';
  const other = `${head}rules: [{ name: b, paths: [/b], access: deny }]\n`;
  const hash = (...texts: readonly string[]): string | undefined => compileTexts(...texts).snapshot?.hash;

  it('16 hex digits, the same in every release', () => {
    // Of [{"apiVersion":…,"kind":"Policy","rules":[{"access":"deny","name":"a","paths":["/a"]}]}], by another SHA-256.
    expect(hash(yaml)).toBe('1baf997d8f900bed');
  });

  it('other spelling, order of fields, YAML or JSON: the same', () => {
    expect(hash(json)).toBe(hash(yaml));
  });

  it('other order of documents, or in one file: the same', () => {
    expect(hash(yaml, other)).toBe(hash(other, json));
    expect(hash(`${other}---\n${yaml}`)).toBe(hash(yaml, other));
  });

  it('aliases: the same as what they stand for', () => {
    const spelled = `${head}rules: [{ name: a, paths: [/x], access: deny, methods: [GET] }, { name: b, paths: [/x], access: deny, methods: [PUT] }]`;
    expect(hash(spelled.replace('[/x]', '&p [/x]').replace('name: b, paths: [/x]', 'name: b, paths: *p'))).toBe(
      hash(spelled),
    );
  });

  it('another value: another hash', () => {
    const hashes = [
      yaml,
      yaml.replace('/a]', '/b]'),
      yaml.replace('deny', 'public'),
      other,
      `${yaml}defaults: { realm: scopegate }\n`,
    ];
    expect(new Set(hashes.map((text) => hash(text))).size).toBe(hashes.length);
    expect(hash(yaml, other)).not.toBe(hash(yaml));
  });
});
