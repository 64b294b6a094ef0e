import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ImportOptions } from '../../../src/openapi/options.ts';
import { codes, documentOf, importText, lint, oneOperation, rulesOf, showProblem } from './documents.ts';

interface Case {
  readonly security?: unknown;
  readonly options?: Partial<ImportOptions>;
  /** Who may use the one operation. */
  readonly who: string;
  readonly reported?: readonly string[];
}

describe('security of an operation', () => {
  const unknown = 'https://fill-in-oauth.invalid';
  const realm = 'https://idp.test/realms/a';
  const cases: Readonly<Record<string, Case>> = {
    'oauth2 with scopes: all of them': { security: [{ oauth: ['a', 'b'] }], who: `${unknown} all a,b` },
    'oauth2 without scopes: any token': { security: [{ oauth: [] }], who: unknown },
    'openIdConnect: the issuer is in its URL': { security: [{ oidc: ['a'] }], who: `${realm} all a` },
    'http bearer: any token': { security: [{ bearer: [] }], who: 'https://fill-in-bearer.invalid' },
    'http bearer with roles: taken as scopes, and said': {
      security: [{ bearer: ['admin'] }],
      who: 'https://fill-in-bearer.invalid all admin',
      reported: ['warning roles'],
    },
    'an issuer is given: for what tells none': {
      security: [{ oauth: ['a'], bearer: [] }],
      options: { issuer: 'https://idp.test' },
      who: 'https://idp.test all a',
    },
    'an issuer is given: not for what tells one': {
      security: [{ oidc: ['a'] }],
      options: { issuer: 'https://idp.test' },
      who: `${realm} all a`,
    },
    'two schemes of one issuer: one token with all scopes': {
      security: [{ oidc: ['a'], oauth: ['b'] }],
      options: { issuer: realm },
      who: `${realm} all a,b`,
    },
    'two schemes of two issuers at once: no token can be both': {
      security: [{ oidc: ['a'], oauth: ['b'] }],
      who: 'deny',
      reported: ['error two_tokens', 'error nothing'],
    },
    'either of two scopes: one of them': {
      security: [{ oauth: ['a'] }, { oauth: ['b'] }],
      who: `${unknown} any a,b`,
    },
    'what no rule can say: the first, and said': {
      security: [{ oauth: ['a', 'b'] }, { oauth: ['c'] }],
      who: `${unknown} all a,b`,
      reported: ['warning alternatives'],
    },
    'an API key: refused': {
      security: [{ key: [] }],
      who: 'deny',
      reported: ['error unsupported_scheme', 'error nothing'],
    },
    'http basic: refused': {
      security: [{ basic: [] }],
      who: 'deny',
      reported: ['error unsupported_scheme', 'error nothing'],
    },
    'mutual TLS: refused': {
      security: [{ mtls: [] }],
      who: 'deny',
      reported: ['error unsupported_scheme', 'error nothing'],
    },
    'a token and an API key at once: refused, a token alone would be less': {
      security: [{ oauth: ['a'], key: [] }],
      who: 'deny',
      reported: ['error unsupported_scheme', 'error nothing'],
    },
    'a token or an API key: the token': {
      security: [{ key: [] }, { oauth: ['a'] }],
      who: `${unknown} all a`,
      reported: ['error unsupported_scheme'],
    },
    'a token and an API key that is checked elsewhere: the token': {
      security: [{ oauth: ['a'], key: [] }],
      options: { checkedElsewhere: ['key'] },
      who: `${unknown} all a`,
    },
    'only an API key that is checked elsewhere: public': {
      security: [{ key: [] }],
      options: { checkedElsewhere: ['key'] },
      who: 'public',
    },
    'a token or an API key that is checked elsewhere: the token, and said': {
      security: [{ oauth: ['a'] }, { key: [] }],
      options: { checkedElsewhere: ['key'] },
      who: `${unknown} all a`,
      reported: ['warning optional_token'],
    },
    'a scheme that is checked elsewhere and nowhere: said': {
      security: [{ oauth: ['a'] }],
      options: { checkedElsewhere: ['kye'] },
      who: `${unknown} all a`,
      reported: ['warning unknown_scheme'],
    },
    'an optional token: wanted': {
      security: [{}, { oauth: ['a'] }],
      who: `${unknown} all a`,
      reported: ['warning optional_token'],
    },
    'an optional token, unsecured is public: public': {
      security: [{ oauth: ['a'] }, {}],
      options: { unsecured: 'public' },
      who: 'public',
      reported: ['warning optional_token'],
    },
    'none: refused': { security: [], who: 'deny' },
    'none, unsecured is public: public': { security: [], options: { unsecured: 'public' }, who: 'public' },
    'nowhere: as none': { options: { unsecured: 'public' }, who: 'public' },
    'an empty requirement alone: as none': { security: [{}], who: 'deny' },
    'a scheme that is not there: refused': {
      security: [{ oatuh: ['a'] }],
      options: { unsecured: 'public' },
      who: 'deny',
      reported: ['error unknown_scheme', 'error nothing'],
    },
    'a member of Object.prototype as a scheme: not there': {
      security: [{ constructor: [] }],
      options: { unsecured: 'public' },
      who: 'deny',
      reported: ['error unknown_scheme', 'error nothing'],
    },
    'a scope that is none: refused': {
      security: [{ oauth: ['a b'] }],
      who: 'deny',
      reported: ['error scope', 'error nothing'],
    },
    'scopes that are no list: refused': {
      security: [{ oauth: 'a' }],
      who: 'deny',
      reported: ['error scope', 'error nothing'],
    },
    'null: refused, it is no empty list': {
      security: null,
      options: { unsecured: 'public' },
      who: 'deny',
      reported: ['error security', 'error nothing'],
    },
    'a mapping instead of a list: refused': {
      security: { oauth: [] },
      options: { unsecured: 'public' },
      who: 'deny',
      reported: ['error security', 'error nothing'],
    },
    'a null requirement: refused': {
      security: [null],
      options: { unsecured: 'public' },
      who: 'deny',
      reported: ['error security', 'error nothing'],
    },
    'a merge key in a requirement: refused': {
      security: [{ '<<': { oauth: ['admin'] }, oauth: [] }],
      who: 'deny',
      reported: ['error security', 'error nothing'],
    },
    'more ways than anybody means: refused': {
      security: Array.from({ length: 65 }, () => ({})),
      options: { unsecured: 'public' },
      who: 'deny',
      reported: ['error security', 'error nothing'],
    },
  };

  it.each(Object.entries(cases))('%s', (_name, { security, options, who, reported = [] }) => {
    // Beside one that is always translated, so that there is a policy to look at.
    const text = documentOf({
      paths: {
        '/a': { get: security === undefined ? {} : { security } },
        '/z': { get: { security: [{ oauth: ['z'] }] } },
      },
    });
    const imported = importText(text, options);
    const issuers = new Map([...(lint(imported).snapshot?.issuers ?? [])].map(([iss, { name }]) => [name, iss]));
    const [rule = ''] = rulesOf(imported);
    const [, shown = ''] = /^get-a GET \/a: (.*)$/.exec(rule) ?? [];
    expect(shown.replace(/^\S+/, (name) => issuers.get(name) ?? name)).toBe(who);
    expect(codes(imported)).toEqual(reported.filter((code) => code !== 'error nothing'));
    const alone = importText(oneOperation(security === undefined ? {} : { security }), options);
    expect(codes(alone).toSorted()).toEqual(reported.toSorted());
    expect(alone.policy === undefined).toBe(reported.includes('error nothing'));
  });

  it('of the document: for operations that have none of their own', () => {
    const text = documentOf({
      security: [{ oauth: ['read'] }],
      paths: { '/a': { get: {}, post: { security: [{ oauth: ['write'] }] }, delete: { security: [] } } },
    });
    expect(rulesOf(importText(text, { unsecured: 'public' }))).toEqual([
      'get-a GET /a: oauth all read',
      'post-a POST /a: oauth all write',
      'delete-a DELETE /a: public',
    ]);
  });

  it('a scheme by reference: followed, and not in circles', () => {
    const securitySchemes = {
      a: { $ref: '#/components/securitySchemes/b' },
      b: { type: 'http', scheme: 'bearer' },
      c: { $ref: '#/components/securitySchemes/c' },
      d: { $ref: 'other.yaml#/d' },
    };
    const get = (name: string) => ({ get: { security: [{ [name]: [] }] } });
    const text = documentOf({
      components: { securitySchemes },
      paths: { '/a': get('a'), '/c': get('c'), '/d': get('d') },
    });
    const imported = importText(text);
    expect(rulesOf(imported)).toEqual(['get-a GET /a: a', 'get-c GET /c: deny', 'get-d GET /d: deny']);
    expect(codes(imported)).toEqual(['error scheme', 'error scheme']);
  });

  it.each([
    'https://idp.test/openid',
    'http://idp.test/.well-known/openid-configuration',
    '/.well-known/openid-configuration',
  ])('a discovery URL that tells no issuer, %s: a placeholder, and said', (openIdConnectUrl) => {
    const securitySchemes = { oidc: { type: 'openIdConnect', openIdConnectUrl } };
    const text = oneOperation({ security: [{ oidc: [] }] }, { components: { securitySchemes } });
    const imported = importText(text);
    expect([...(lint(imported).snapshot?.issuers.keys() ?? [])]).toEqual(['https://fill-in-oidc.invalid']);
    expect(codes(imported)).toEqual(['warning discovery']);
  });

  it('issuers: only those that a rule names, with the audiences that were given', () => {
    const text = oneOperation({ security: [{ oauth: ['a'] }] });
    const { snapshot } = lint(importText(text, { issuer: 'https://idp.test', audiences: ['x', 'y'] }));
    expect([...(snapshot?.issuers.values() ?? [])]).toMatchObject([
      { name: 'oauth', issuer: 'https://idp.test', audiences: ['x', 'y'] },
    ]);
  });

  it('nothing is given: placeholders, and said', () => {
    const { problems, policy } = importText(oneOperation({ security: [{ oauth: ['a'] }] }));
    expect(problems.map(showProblem)).toEqual([
      '1:1 warning fill_in: the document does not tell the issuer of `oauth`',
      '1:1 warning fill_in: no document tells the audience of its tokens',
    ]);
    expect(policy).toContain('fill in');
  });
});

describe('servers', () => {
  const security = [{ oauth: ['a'] }];
  const cases: Readonly<Record<string, [servers: unknown, rules: readonly string[], reported?: readonly string[]]>> = {
    'none: any host': [undefined, ['get-a GET /a: oauth all a']],
    'an empty list: any host': [[], ['get-a GET /a: oauth all a']],
    'a relative URL: any host': [[{ url: '/v1' }], ['get-a GET /v1/a: oauth all a']],
    'an empty URL: any host': [[{ url: '' }], ['get-a GET /a: oauth all a']],
    'a URL: its host without port, its path without last slash': [
      [{ url: 'HTTPS://API.test:8443/v1/' }],
      ['get-a GET api.test /v1/a: oauth all a'],
    ],
    'a URL without scheme: its host': [[{ url: '//api.test' }], ['get-a GET api.test /a: oauth all a']],
    'a name beyond ASCII: as it is sent': [
      [{ url: 'https://bücher.test' }],
      ['get-a GET xn--bcher-kva.test /a: oauth all a'],
    ],
    'several with one path: one rule': [
      [{ url: 'https://a.test/v1' }, { url: 'https://b.test/v1' }],
      ['get-a GET a.test b.test /v1/a: oauth all a'],
    ],
    'several with other paths: a rule for each': [
      [{ url: 'https://a.test/v1' }, { url: 'https://b.test/v2' }],
      ['get-a GET a.test /v1/a: oauth all a', 'get-a-2 GET b.test /v2/a: oauth all a'],
    ],
    'one host with two paths: one rule': [
      [{ url: 'https://a.test/v1' }, { url: 'https://a.test/v2' }],
      ['get-a GET a.test /v1/a /v2/a: oauth all a'],
    ],
    'a relative one beside a host: any host says it all': [
      [{ url: 'https://a.test/v1' }, { url: '/v1' }],
      ['get-a GET /v1/a: oauth all a'],
    ],
    'variables: their defaults, and said': [
      [
        {
          url: 'https://{env}.test/{base}',
          variables: { env: { default: 'api', enum: ['api', 'dev'] }, base: { default: 'v1', enum: ['v1'] } },
        },
      ],
      ['get-a GET api.test /v1/a: oauth all a'],
      ['warning server_variable'],
    ],
    'a variable without default: refused': [
      [{ url: 'https://{env}.test/v1' }],
      ['get-a GET /v1/a: deny'],
      ['error server', 'error nothing'],
    ],
    'a path relative to where the document is: refused': [
      [{ url: 'v1' }],
      ['get-a GET /v1/a: deny'],
      ['error server', 'error nothing'],
    ],
    'a URL with a query: refused': [
      [{ url: 'https://a.test/v1?x' }],
      ['get-a GET /v1/a: deny'],
      ['error server', 'error nothing'],
    ],
    'a URL with credentials: refused': [
      [{ url: 'https://u:p@a.test/' }],
      ['get-a GET /a: deny'],
      ['error server', 'error nothing'],
    ],
    'another scheme: refused': [[{ url: 'ftp://a.test/' }], ['get-a GET /a: deny'], ['error server', 'error nothing']],
    'no list: refused': [{ url: '/v1' }, ['get-a GET /a: deny'], ['error server', 'error nothing']],
    'no URL: refused': [[{}], ['get-a GET /a: deny'], ['error server', 'error nothing']],
    'one that is not understood beside one that is: refused on any other host': [
      [{ url: 'https://a.test' }, { url: 'https://{x}.test' }],
      ['get-a GET a.test /a: oauth all a', 'get-a-2 GET /a: deny'],
      ['error server'],
    ],
    'more than anybody means: refused': [
      Array.from({ length: 65 }, (_, index) => ({ url: `https://h${index}.test` })),
      ['get-a GET /a: deny'],
      ['error server', 'error nothing'],
    ],
  };

  it.each(Object.entries(cases))('%s', (_name, [servers, rules, reported = []]) => {
    const parts = servers === undefined ? {} : { servers };
    const imported = importText(oneOperation({ security }, parts));
    expect(codes(imported).toSorted()).toEqual(reported.toSorted());
    if (imported.policy !== undefined) expect(rulesOf(imported)).toEqual(rules);
    // An operation is refused beside others that are not.
    const beside = importText(
      documentOf({
        paths: {
          '/a': { ...parts, get: { security } },
          '/z': { get: { security, servers: [{ url: 'https://z.test' }] } },
        },
      }),
    );
    expect(rulesOf(beside).filter((rule) => rule.startsWith('get-a') && !rule.includes('z.test'))).toEqual(rules);
  });

  it('of an operation before those of its path before those of the document', () => {
    const at = (host: string) => [{ url: `https://${host}.test` }];
    const text = documentOf({
      security,
      servers: at('document'),
      paths: {
        '/a': { servers: at('path'), get: { servers: at('operation') }, put: {} },
        '/b': { get: {} },
      },
    });
    expect(rulesOf(importText(text))).toEqual([
      'get-a GET operation.test /a: oauth all a',
      'put-a PUT path.test /a: oauth all a',
      'get-b GET document.test /b: oauth all a',
    ]);
  });

  it('a laxer operation at a host: not for what another asks of any host', () => {
    const text = documentOf({
      paths: {
        '/pets/mine': { get: { security: [{ oauth: ['admin'] }] } },
        '/pets/{id}': { get: { security: [{ oauth: ['read'] }], servers: [{ url: 'https://a.test' }] } },
      },
    });
    const routes = lint(importText(text)).snapshot?.routes;
    expect(routes?.match('a.test', '/pets/mine', 'GET')?.rule.require.scopes).toEqual(['admin']);
    expect(routes?.match('a.test', '/pets/7', 'GET')?.rule.require.scopes).toEqual(['read']);
    expect(routes?.match('b.test', '/pets/mine', 'GET')?.rule.require.scopes).toEqual(['admin']);
  });
});

describe('paths', () => {
  const wants = (...scopes: string[]) => ({ get: { security: [{ oauth: scopes }] } });
  const cases: Readonly<Record<string, [paths: object, rules: readonly string[], reported?: readonly string[]]>> = {
    'two that differ in the name of a template: both requirements, in one rule': [
      { '/a/{x}': wants('x'), '/a/{y}': wants('y') },
      ['get-a-x GET /a/{x}: oauth all x,y'],
      ['warning equal_paths'],
    ],
    'two that differ in the name of a template and ask for the same: one rule': [
      { '/a/{x}': wants('x'), '/a/{y}': wants('x') },
      ['get-a-x GET /a/{x}: oauth all x'],
      ['warning equal_paths'],
    ],
    'two that differ in the name of a template, other methods: no clash': [
      { '/a/{x}': wants('x'), '/a/{y}': { put: wants('y').get } },
      ['get-a-x GET /a/{x}: oauth all x', 'put-a-y PUT /a/{y}: oauth all y'],
    ],
    'two that no rule can both say: refused': [
      {
        '/a/{x}': { get: { security: [{ oauth: ['a'] }, { oauth: ['b'] }] } },
        '/a/{y}': { get: { security: [{ oauth: ['c'] }, { oauth: ['d'] }] } },
        '/z': wants('z'),
      },
      ['get-a-x GET /a/{x}: deny', 'get-z GET /z: oauth all z'],
      ['warning equal_paths'],
    ],
    'a template inside a segment: refused': [
      { '/a/{x}.json': wants('x'), '/z': wants('z') },
      ['get-a-x-.json GET /a/{segment}: deny', 'get-z GET /z: oauth all z'],
      ['error path'],
    ],
    'a template inside a segment beside a whole one: its requests ask for both': [
      { '/a/{x}.json': wants('admin'), '/a/{x}': wants('read') },
      ['get-a-x-.json GET /a/{segment}: oauth all admin,read'],
      ['error path', 'warning equal_paths'],
    ],
    'a path with a query beside one without: both': [
      { '/a?admin=1': wants('admin'), '/a': wants('read') },
      ['get-a-admin-1 GET /a: oauth all admin,read'],
      ['error path', 'warning equal_paths'],
    ],
    'a path that no request has: no rule': [
      { 'a//b': wants('x'), '/z': wants('z') },
      ['get-z GET /z: oauth all z'],
      ['error path'],
    ],
    'extensions: no paths': [{ 'x-internal': wants('x'), '/z': wants('z') }, ['get-z GET /z: oauth all z']],
    'a path without operations: no rule': [{ '/a': { summary: 'x' }, '/z': wants('z') }, ['get-z GET /z: oauth all z']],
    'every method that has a field, and no other': [
      {
        '/a': Object.fromEntries(
          ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query', 'copy'].map((name) => [
            name,
            wants('x').get,
          ]),
        ),
      },
      ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'].map(
        (name) => `${name}-a ${name.toUpperCase()} /a: oauth all x`,
      ),
    ],
    'methods without a field: as they are sent': [
      { '/a': { additionalOperations: { COPY: wants('x').get, 'N O': wants('y').get, CONNECT: wants('y').get } } },
      ['copy-a COPY /a: oauth all x'],
      ['error operation', 'error operation'],
    ],
    'overlap without an order, other requirements: said': [
      { '/{kind}/new': wants('x'), '/shops/{id}': wants('y') },
      ['get-kind-new GET /{kind}/new: oauth all x', 'get-shops-id GET /shops/{id}: oauth all y'],
      ['warning ambiguous_paths'],
    ],
    'overlap without an order, the same requirement: nothing to say': [
      { '/{kind}/new': wants('x'), '/shops/{id}': wants('x') },
      ['get-kind-new GET /{kind}/new: oauth all x', 'get-shops-id GET /shops/{id}: oauth all x'],
    ],
    'an operation that is none: refused': [
      { '/a': { get: null }, '/z': wants('z') },
      ['get-a GET /a: deny', 'get-z GET /z: oauth all z'],
      ['error operation'],
    ],
    'a merge key in an operation: refused': [
      { '/a': { get: { '<<': { security: [{ oauth: ['admin'] }] }, ...wants('x').get } }, '/z': wants('z') },
      ['get-a GET /a: deny', 'get-z GET /z: oauth all z'],
      ['error operation'],
    ],
    'a merge key in a path: all methods are refused': [
      { '/a': { '<<': {}, get: wants('x').get }, '/z': wants('z') },
      ['any-a * /a: deny', 'get-z GET /z: oauth all z'],
      ['error path_item'],
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [paths, rules, reported = []]) => {
    const imported = importText(documentOf({ paths }));
    expect(rulesOf(imported)).toEqual(rules);
    expect(codes(imported)).toEqual(reported);
  });
});

describe('references of paths', () => {
  const item = { get: { security: [{ oauth: ['x'] }] } };
  const securitySchemes = { oauth: { type: 'oauth2' } };
  const cases: Readonly<Record<string, [paths: object, rules: readonly string[], reported?: readonly string[]]>> = {
    'to a component: its operations': [{ '/a': { $ref: '#/components/pathItems/one' } }, ['get-a GET /a: oauth all x']],
    'to another path, by its escaped name: its operations': [
      { '/a/b': item, '/c': { $ref: '#/paths/~1a~1b' } },
      ['get-a-b GET /a/b: oauth all x', 'get-c GET /c: oauth all x'],
    ],
    'with operations beside it: those too': [
      { '/a': { $ref: '#/components/pathItems/one', put: item.get } },
      ['put-a PUT /a: oauth all x', 'get-a GET /a: oauth all x'],
    ],
    'with the same operation beside it: all methods are refused': [
      { '/a': { $ref: '#/components/pathItems/one', get: {} }, '/z': item },
      ['any-a * /a: deny', 'get-z GET /z: oauth all x'],
      ['error path_item'],
    ],
    'to another file: all methods are refused': [
      { '/a': { $ref: 'other.yaml#/a' }, '/z': item },
      ['any-a * /a: deny', 'get-z GET /z: oauth all x'],
      ['error path_item'],
    ],
    'to nothing: all methods are refused': [
      { '/a': { $ref: '#/components/pathItems/none' }, '/z': item },
      ['any-a * /a: deny', 'get-z GET /z: oauth all x'],
      ['error path_item'],
    ],
    'to a member of Object.prototype: all methods are refused': [
      { '/a': { $ref: '#/components/constructor' }, '/z': item },
      ['any-a * /a: deny', 'get-z GET /z: oauth all x'],
      ['error path_item'],
    ],
    'in a circle: all methods are refused': [
      { '/a': { $ref: '#/paths/~1b' }, '/b': { $ref: '#/paths/~1a' }, '/z': item },
      ['any-a * /a: deny', 'any-b * /b: deny', 'get-z GET /z: oauth all x'],
      ['error path_item', 'error path_item'],
    ],
    'with a bad escape: all methods are refused': [
      { '/a': { $ref: '#/paths/%zz' }, '/z': item },
      ['any-a * /a: deny', 'get-z GET /z: oauth all x'],
      ['error path_item'],
    ],
    'that lead nowhere, on a path that another spells otherwise: its methods are refused too': [
      { '/a/{x}': { $ref: 'other.yaml' }, '/a/{y}': item, '/z': item },
      ['any-a-x * /a/{x}: deny', 'get-a-y GET /a/{y}: deny', 'get-z GET /z: oauth all x'],
      ['error path_item'],
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [paths, rules, reported = []]) => {
    const imported = importText(documentOf({ components: { securitySchemes, pathItems: { one: item } }, paths }));
    expect(rulesOf(imported)).toEqual(rules);
    expect(codes(imported)).toEqual(reported);
  });
});

describe('names of rules', () => {
  const name = (operationId: string) => ({ get: { operationId, security: [{ oauth: ['x'] }] } });
  it.each([
    ['an operationId: as it is', ['listPets'], ['listPets']],
    ['the same twice: numbered', ['a', 'a', 'a-2', 'a'], ['a', 'a-2', 'a-2-2', 'a-3']],
    ['spaces and what does not show: one hyphen', ['show  a\n\u200bpet'], ['show-a-pet']],
    ['nothing that shows: a name all the same', [' '], ['unnamed']],
    ['very long: cut', ['x'.repeat(300)], ['x'.repeat(180)]],
    ['a word that YAML knows: still text', ['null', '12', 'yes', '- a: b # c'], ['null', '12', 'yes', 'a:-b-#-c']],
  ])('%s', (_name, ids, names) => {
    const paths = Object.fromEntries(ids.map((id, index) => [`/p${index}`, name(id)]));
    expect(rulesOf(importText(documentOf({ paths }))).map((rule) => rule.split(' ')[0])).toEqual(names);
  });
});

describe('a document that cannot be translated', () => {
  const cases: Readonly<Record<string, [text: string, problem: string]>> = {
    'Swagger 2.0: said so': [
      'swagger: "2.0"\npaths: {}\n',
      '1:10 error version: Swagger 2.0 is not supported, convert the document to OpenAPI 3 first',
    ],
    'a version of the future: said so': [
      'openapi: 4.0.0\npaths: {}\n',
      '1:10 error version: expected `openapi` 3.0, 3.1 or 3.2, not `4.0.0`',
    ],
    'a version that only begins alike: said so': [
      'openapi: 3.10.0\npaths: {}\n',
      '1:10 error version: expected `openapi` 3.0, 3.1 or 3.2, not `3.10.0`',
    ],
    'a version that is a number: said so': ['openapi: 3.1\n', '1:10 error version: expected `openapi` 3.0, 3.1 or 3.2'],
    'something else: said so': ['- a\n', '1:1 error version: expected an OpenAPI document, without merge keys'],
    'no operations: said so': [
      'openapi: 3.1.0\nwebhooks: {}\n',
      '1:1 error nothing: no operation of the document could be translated',
    ],
    'two documents: said so': [
      'openapi: 3.1.0\n---\nopenapi: 3.1.0\n',
      '1:1 error document: expected one document in the text',
    ],
    'no text: said so': ['', '1:1 error no_document: the text holds no document'],
    'not YAML: where': ['openapi: [\n', '2:1 error yaml: '],
    'a key given twice, which might hide a requirement: where': [
      'openapi: 3.1.0\npaths:\n  /a: {}\n  /a: {}\n',
      '4:3 error duplicate_key: the key is given twice in one mapping',
    ],
    'paths that are no mapping: where': [
      'openapi: 3.1.0\npaths: [/a]\n',
      '2:8 error paths: expected a mapping of paths, without merge keys',
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [text, problem]) => {
    const { policy, problems } = importText(text);
    expect(policy).toBeUndefined();
    expect(problems.map(showProblem).filter((line) => line.startsWith(problem))).toHaveLength(1);
  });
});

describe('hostile documents', () => {
  const item = (scope: string) => `{ get: { security: [{ oauth: [${scope}] }] } }`;
  const head = 'openapi: 3.1.0\ncomponents: { securitySchemes: { oauth: { type: oauth2 } } }\n';

  it('aliases: their operations, each with its own path', () => {
    const imported = importText(`${head}paths:\n  /a: &one ${item('x')}\n  /b: *one\n  /c: { $ref: '#/paths/~1b' }\n`);
    expect(rulesOf(imported)).toEqual([
      'get-a GET /a: oauth all x',
      'get-b GET /b: oauth all x',
      'get-c GET /c: oauth all x',
    ]);
  });

  it('an alias inside its own anchor: refused whole', () => {
    const { policy, problems } = importText(`${head}paths: &p\n  /a: { x: *p }\n`);
    expect([policy, problems.map(({ code }) => code)]).toEqual([undefined, ['yaml']]);
  });

  it('aliases of aliases: refused before they fill the memory', () => {
    const levels = Array.from(
      { length: 30 },
      (_, index) => `x${index + 1}: &a${index + 1} [${`*a${index},`.repeat(10)}]\n`,
    );
    const { policy, problems } = importText(`${head}x0: &a0 [1]\n${levels.join('')}`);
    expect([policy, problems.map(({ code }) => code)]).toEqual([undefined, ['yaml']]);
  });

  it('more operations than anybody means, by references: refused', () => {
    const paths = Array.from(
      { length: 10_001 },
      (_, index) => `  /p${index}: { $ref: '#/components/pathItems/one' }\n`,
    );
    const one = 'components: { pathItems: { one: { get: {}, put: {} } } }\n';
    const { policy, problems } = importText(`openapi: 3.1.0\n${one}paths:\n${paths.join('')}`, { unsecured: 'public' });
    expect([policy, problems.map(({ code }) => code)]).toEqual([undefined, ['nothing', 'too_large']]);
  });

  it('servers times operations: refused before they fill the memory', () => {
    const servers = Array.from({ length: 64 }, (_, index) => `{ url: https://h${index}.test }`);
    const paths = Array.from({ length: 4000 }, (_, index) => `  /p${index}: { get: {} }\n`);
    const text = `openapi: 3.1.0\nservers: [${servers.join()}]\npaths:\n${paths.join('')}`;
    const { policy, problems } = importText(text, { unsecured: 'public' });
    expect([policy, problems.map(({ code }) => code).toSorted()]).toEqual([undefined, ['nothing', 'too_large']]);
  });

  it('text that would end a comment or a scalar: no field of the policy', () => {
    const evil = 'x\nrules: [{name: open, paths: [/**], access: public}]\n#';
    const text = documentOf({
      security: [{ [evil]: ['a'] }],
      components: { securitySchemes: { [evil]: { type: 'oauth2' } } },
      paths: { '/a': { get: { operationId: evil } }, '/b': { get: { operationId: evil, security: [{ none: [] }] } } },
    });
    const imported = importText(text);
    expect(rulesOf(imported).map((rule) => rule.split(' ')[0])).toEqual([
      'x-rules:-[{name:-open,-paths:-[/**],-access:-public}]-#',
      'x-rules:-[{name:-open,-paths:-[/**],-access:-public}]-#-2',
    ]);
    expect(imported.policy).not.toMatch(/^rules: \[/m);
  });
});

describe('a document as people write them', () => {
  const text = readFileSync(new URL('pet-shop.yaml', import.meta.url), 'utf8');

  it('each operation: a rule of its name', () => {
    const imported = importText(text, {
      issuer: 'https://login.pets.test',
      audiences: ['https://api.pets.test'],
      unsecured: 'public',
    });
    expect(rulesOf(imported)).toEqual([
      'listPets GET api.pets.test /v2/pets: shop_oauth any pets:read,pets:admin',
      'addPet POST api.pets.test /v2/pets: shop_oauth all pets:write',
      'showPet GET api.pets.test /v2/pets/{petId}: shop_oauth all pets:read',
      'replacePet PUT api.pets.test /v2/pets/{petId}: shop_oauth all pets:read,pets:write',
      'deletePet DELETE api.pets.test /v2/pets/{petId}: staff all pets:delete',
      'petPhoto GET images.pets.test /pets/{petId}/photo: public',
      'uploadPhoto POST images.pets.test /pets/{petId}/photo: shop_oauth all pets:write',
      'listOrders GET api.pets.test /v2/orders: staff all orders:read',
      'importOrders POST api.pets.test /v2/orders: deny',
      'petReport GET api.pets.test /v2/reports/{segment}: deny',
      'whoAmI GET api.pets.test /v2/me: shop_oauth',
      'health GET api.pets.test /v2/health: public',
      'get-status GET api.pets.test /v2/status: public',
    ]);
  });

  it('what could not be translated: where', () => {
    const { problems, counts } = importText(text, { unsecured: 'public' });
    expect(problems.map(showProblem).filter((line) => !line.includes('fill_in'))).toEqual([
      '18:7 warning server_variable: only the default of server variable `version` is covered',
      '87:3 error path: a policy has no word for this path, no request is allowed for its sake',
      '130:5 error unsupported_scheme: `apiKey` cannot be checked, so scheme `partnerKey` lets nothing pass',
    ]);
    expect(counts).toEqual({ token: 8, public: 3, unsecured: 0, untranslated: 2 });
  });
});
