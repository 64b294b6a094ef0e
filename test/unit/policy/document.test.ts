import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import { byPlace } from '../../../src/policy/problem.ts';
import { badDocuments, head } from './bad-documents.ts';
import { compileTexts, show, textOf } from './policy-text.ts';

describe('documents with mistakes', () => {
  it.each(Object.entries(badDocuments))('%s: every problem at its place', (_name, { text, problems, isWhole }) => {
    const { documents, problems: parsed } = parseDocuments({ name: 'f', text: isWhole ? text : head + text });
    const { snapshot, problems: compiled } = compile(documents);
    const all = [...parsed, ...compiled].toSorted(byPlace);
    expect(all.filter(({ severity }) => severity === 'error').map(show)).toEqual(problems);
    expect(snapshot).toBeUndefined();
    expect(all.every(({ file }) => file === 'f')).toBe(true);
  });

  it('all kinds of mistakes in one document: each is reported, in one run, beside the warnings', () => {
    const { snapshot, problems } = compileTexts(`${head}issuers:
  - { name: corp, issuer: https://idp.test, audience: [shop] }
  - { name: partner, issuer: https://partner.test, audiences: [shop], maxLifetime: 2h }
rules:
  - { name: read, paths: ["/orders/{id}"], methods: [GET, HEAD], require: { scopes: [read] } }
  - { name: show, paths: ["/orders/{order}"], methods: [GET], require: { scopes: [show] } }
  - { name: all, paths: [/shop/**], access: deny }
  - { name: itself, paths: [/shop, /shop/], access: public }
  - { name: below, paths: ["/shop/{part}/**"], access: public }
  - name: typed
    paths: ["/t/{tenant}"]
    issuers: [crop]
    require:
      when: |
        claims.tenant == request.path.tenant &&
        claims.level + "1"
  - { name: open, paths: [/open], headers: { x-user: a..b, Host: sub } }
  - { name: next, paths: ["/Orders/%7Eada"], require: { scopes: ["a b"] }, mode: shadow }
defaults: { realm: "a\\nb" }
revocations:
  - { until: 2026-02-30T00:00:00Z }
tests:
  - name: t
    request: GET /orders/7
    token: { issuer: partner }
    expect: { decision: allow, reason: no_rule, rule: reed }
`);
    expect(snapshot).toBeUndefined();
    expect(problems.map((problem) => `${problem.severity} ${show(problem)}`)).toEqual([
      'error 4:45 unknown_field: unknown field `audience` (did you mean `audiences`?)',
      'warning 5:84 long_lifetime: tokens may live longer than an hour',
      'error 8:27 equal_rules: rules `read` (0.yaml:7:27) and `show` are equally specific on GET, any host, /orders/{}',
      'warning 9:13 unreachable_rule: no request reaches rule `all`, rule `below` is more specific on all it covers',
      'error 14:15 unknown_issuer: no issuer is named `crop` (did you mean `corp`?)',
      'error 18:9 condition: `&&` wants a bool, this is a string',
      'warning 19:13 no_scopes: rule `open` requires no scope and has no condition, any token of its issuers may pass',
      'error 19:54 claim_path: not a claim path, a member name is empty',
      'error 19:60 header_forbidden: header `host` must not be set',
      'error 20:27 path: the path is not in its canonical spelling (write `/Orders/~ada`)',
      'error 20:66 wrong_value: expected a scope, without spaces, quotes and backslashes',
      'error 21:20 wrong_value: expected at most 128 printable ASCII characters',
      'error 23:5 revocation: expected at least one of `jti`, `sub`, `clientId`, `sid`, `kid`, `issuedBefore`',
      'error 23:14 wrong_value: expected a time that is on the calendar and the clock',
      'error 26:14 test_request: expected a method and an http or https URL (such as `GET https://orders.example.com/api/orders`)',
      'error 28:40 test_expectation: reason `no_rule` is never that of decision `allow`',
      'error 28:55 unknown_rule: no rule is named `reed` (did you mean `read`?)',
    ]);
  });

  it('an incomplete document: never a snapshot, whatever is left of it', () => {
    const text = `${head}rules: [{ name: a, paths: [/a], access: deny, colour: red }]\n`;
    const { documents } = parseDocuments({ name: 'f', text });
    expect(documents[0]?.content.rules).toHaveLength(1);
    expect(compile(documents)).toMatchObject({ snapshot: undefined, problems: [] });
  });

  it('a broken document beside good ones: never a snapshot', () => {
    const good = `${head}rules: [{ name: a, paths: [/a], access: deny }]\n`;
    const { documents } = parseDocuments({ name: 'f', text: `${good}---\nrules: [\n` });
    expect(compile(documents).snapshot).toBeUndefined();
  });

  it('an issuer that has a mistake: its name is still known to rules', () => {
    const { problems } = compileTexts(
      `${head}issuers: [{ name: corp, issuer: 5, audiences: [shop] }]\n`,
      `${head}rules: [{ name: a, paths: [/a], issuers: [corp], require: { scopes: [a] } }]\n`,
    );
    expect(problems.map(show)).toEqual(['3:33 wrong_type: expected text (put it in quotes)']);
  });

  it('a rule that lost its methods to a mistake: not taken for equal to another', () => {
    const rules =
      'rules:\n  - { name: a, paths: [/a], access: deny }\n  - { name: b, paths: [/a], access: deny, method: [GET] }\n';
    expect(compileTexts(head + rules).problems.map(show)).toEqual([
      '5:43 unknown_field: unknown field `method` (did you mean `methods`?)',
    ]);
  });

  it('rules after some that are left out: their problems stay at their own places', () => {
    const rules =
      'rules:\n  - { paths: [/a] }\n  - { paths: [/b] }\n  - { name: b, paths: [b], access: deny }\n  - { name: c, paths: [/c, //], access: deny }\n';
    expect(compileTexts(head + rules).problems.map(show)).toEqual([
      '4:5 missing_field: `name` is required',
      '5:5 missing_field: `name` is required',
      '6:24 path: the path does not begin with a slash',
      '7:28 path: the path holds an empty segment',
    ]);
  });

  it('an issuer after one that is left out: what it lacks is reported at its own place', () => {
    const issuers =
      'issuers:\n  - { issuer: https://a.test, audiences: [a] }\n  - { name: b, issuer: https://b.test }\n';
    expect(compileTexts(head + issuers).problems.map(show)).toEqual([
      '4:5 missing_field: `name` is required',
      '5:5 missing_field: `audiences` is required',
      '5:13 unused_issuer: no rule uses issuer `b`',
    ]);
  });

  it('a field after one that is left out: its problem stays at its own place', () => {
    const text = `${head}rules:\n  - { name: a, colour: 1, paths: [/a], access: deny, require: {} }\n`;
    expect(compileTexts(text).problems.map(show)).toEqual([
      '4:16 unknown_field: unknown field `colour`',
      '4:54 access_conflict: `require` cannot stand beside `access: deny`, where no token is looked at',
    ]);
  });

  it('a huge value: named, not dumped', () => {
    const long = 'x'.repeat(1000);
    const { problems } = compileTexts(
      `${head}"${long}": 1\nrules: [{ name: a, access: ${long}, paths: ["/${long}{", "/%61${long}"], issuers: ["${long}"] }]\n`,
    );
    expect(problems.length).toBeGreaterThan(3);
    for (const problem of problems) expect(show(problem).length).toBeLessThan(250);
  });

  it('nesting that overflows the stack of the parser: a problem', () => {
    const { snapshot, problems } = compileTexts(`${head}rules: ${'['.repeat(100_000)}`);
    expect(snapshot).toBeUndefined();
    // The parser gives up where its stack ends, which may be at several brackets.
    expect(new Set(problems.map(({ code, message }) => `${code}: ${message}`))).toEqual(
      new Set(['yaml: the document is nested too deeply']),
    );
  });

  it('ten thousand mistakes: a thousand are reported, and how many are left', () => {
    const rules = Array.from({ length: 5000 }, (_, index) => ({
      name: `r${index}`,
      paths: ['/a'],
      color: 1,
      access: 'denied',
    }));
    const { problems } = compileTexts(textOf({ rules }));
    expect([problems.length, problems.at(-1)?.code, problems.at(-1)?.message]).toEqual([
      1001,
      'more_problems',
      'and 9000 more',
    ]);
  });

  it('ten thousand mistakes that take several values to see: likewise', () => {
    const rules = Array.from({ length: 5000 }, (_, index) => ({
      name: `r${index}`,
      paths: ['a', 'b'],
      access: 'deny',
    }));
    const { snapshot, problems } = compileTexts(textOf({ rules }));
    expect([snapshot, problems.length, problems.at(-1)?.message]).toEqual([undefined, 1001, 'and 9000 more']);
  });

  it('more warnings than are told before an error: the error is told', () => {
    const rules = Array.from({ length: 1500 }, (_, index) => ({
      name: `r${index}`,
      paths: [`/${index}`],
      issuers: ['a'],
    }));
    const issuers = [{ name: 'a', issuer: 'https://a.test', audiences: ['b'] }];
    const bad = { name: 'bad', paths: ['x'], access: 'deny' };
    const { problems } = compileTexts(textOf({ issuers, rules: [...rules, bad] }));
    const told = Map.groupBy(problems, ({ severity, code }) => `${severity} ${code}`);
    expect([...told].map(([kind, { length }]) => `${length} ${kind}`)).toEqual([
      '1000 warning no_scopes',
      '1 warning more_problems',
      '1 error path',
    ]);
  });

  it('documents behind a thousand mistakes: not checked, and said so', () => {
    const { documents, problems } = parseDocuments({ name: 'f', text: 'a\n---\n'.repeat(60_000) });
    expect(documents).toHaveLength(1001);
    expect(documents.every(({ isComplete }) => !isComplete)).toBe(true);
    expect(problems.slice(-2).map(show)).toEqual(
      [
        '1999:1 wrong_type: expected a mapping',
        '1999:1 not_checked: what follows in this file is not checked, too much is wrong before',
      ].toSorted(),
    );
  });

  const many = (line: (index: number) => string): string =>
    Array.from({ length: 40_000 }, (_, index) => line(index)).join('');
  const headers = `${head}rules:\n  - name: r\n    paths: [/a]\n    access: deny\n    headers:\n`;
  it.each([
    ['unknown fields', head + many((index) => `f${index}: 1\n`)],
    ['values of a wrong type in one mapping', headers + many((index) => `      x-${index}: 5\n`)],
    ['items of a wrong type in one list', `${head}rules:\n${many((index) => `  - ${index}\n`)}`],
  ])('forty thousand %s: reported in time that grows no faster than they do', (_name, text) => {
    const started = performance.now();
    const { problems } = parseDocuments({ name: 'f', text });
    // With a walk over all of them for each it takes five seconds and more.
    expect(performance.now() - started).toBeLessThan(3000);
    expect(problems.at(-1)?.message).toBe('and 39000 more');
  });
});

describe('documents without mistakes', () => {
  const good: Readonly<Record<string, string>> = {
    'a document mark before and after': `---\n${head}rules: [{ name: a, paths: [/a], access: deny }]\n---\n`,
    'CRLF line ends': `${head}rules: [{ name: a, paths: [/a], access: deny }]\n`.replaceAll('\n', '\r\n'),
    'a byte order mark': `\ufeff${head}rules: [{ name: a, paths: [/a], access: deny }]\n`,
    'anchors and aliases': `${head}rules:\n  - { name: a, paths: &p [/a], access: deny, methods: [GET] }\n  - { name: b, paths: *p, access: deny, methods: [PUT] }\n`,
    'empty lists of later features': `${head}rules: [{ name: a, paths: [/a], access: deny, mode: enforce }]\nclients: []\nrevocations: []\ntests: []\n`,
    'a key set with unknown members': `${head}issuers: [{ name: a, issuer: https://a.test, audiences: [b], senderConstraint: none, jwks: { inline: { keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, extra: 1 }], more: 1 } } }]\nrules: [{ name: a, paths: [/a], access: deny }]\n`,
  };
  it.each(Object.entries(good))('%s: accepted', (_name, text) => {
    const { snapshot, problems } = compileTexts(text);
    expect(problems.filter(({ severity }) => severity === 'error').map(show)).toEqual([]);
    expect(snapshot?.rules.length).toBeGreaterThan(0);
  });

  it('several documents in one text: one after the other', () => {
    const document = (name: string): string => `${head}rules: [{ name: ${name}, paths: [/${name}], access: deny }]\n`;
    const { documents, problems } = parseDocuments({
      name: 'f',
      text: [document('a'), document('b'), document('c')].join('---\n'),
    });
    expect(problems).toEqual([]);
    expect(documents.map(({ content }) => content.rules?.[0]?.name)).toEqual(['a', 'b', 'c']);
  });
});

describe('any text', () => {
  const fragment = fc.constantFrom(
    'rules',
    'issuers',
    'name',
    'paths',
    'defaults',
    'headers',
    'tests',
    '- ',
    ': ',
    ':',
    '\n',
    '\n  ',
    '\n    ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '&a ',
    '*a',
    '!t ',
    '"',
    "'",
    '| ',
    '> ',
    '#',
    '%',
    '---\n',
    '...\n',
    '/a',
    '/**',
    '*',
    'null',
    '5',
    'true',
    '\t',
    '? ',
    '<<',
    '__proto__',
    'apiVersion: scopegate.dev/v1\nkind: Policy\n',
  );

  it('fragments of YAML: problems with places and no exception, or a snapshot', () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 25 }), (fragments) => {
        const text = fragments.join('');
        const { snapshot, problems } = compileTexts(text);
        const errors = problems.filter(({ severity }) => severity === 'error');
        expect(snapshot === undefined).toBe(errors.length > 0);
        for (const { line, column, message } of problems) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(text.split('\n').length);
          expect(column).toBeGreaterThan(0);
          expect(message).toMatch(/^[^A-Z\n].*[^.\n]$/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
