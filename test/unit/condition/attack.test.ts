import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../../src/condition/compile-condition.ts';
import { compiled, inputOf, outcome, told } from './condition-input.ts';

function jsonClaims(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

/** No condition can name them. */
const reservedNames = ['__proto__', 'constructor', 'prototype'];
const prototypeNames = ['hasOwnProperty', 'toString', 'valueOf', '__defineGetter__'];

describe('JWT-14 members of prototypes are nothing', () => {
  const holders = [
    'claims',
    'claims.text',
    'claims.list',
    'claims.object',
    'claims.number',
    'request.path',
    'claims.object.deep',
  ];
  const claims = { text: 'x', list: [1], object: { deep: {} }, number: 1 };
  const cases = holders.flatMap((holder) => prototypeNames.map((name) => [holder, name] as const));

  it.each(cases)('%s.%s: absent', (holder, name) => {
    const input = inputOf(claims);
    expect(outcome(`dyn(${holder}.${name}) == null`, input)).toBe(`a member is absent: ${holder}.${name}`);
    expect(outcome(`dyn(${holder})["${name}"] == null || true`, input)).toBe(true);
    expect(outcome(`dyn(${holder})["${name}"] == null || false`, input)).not.toBe(true);
  });

  it.each(prototypeNames)('has(claims.%s) and `in`: false', (name) => {
    expect(outcome(`has(claims.${name}) || "${name}" in claims || "${name}" in request.path`, inputOf({}))).toBe(false);
  });

  it('a claim that is named like one: its own value', () => {
    expect(outcome('claims.toString == "c"', inputOf(jsonClaims('{"toString": "c"}')))).toBe(true);
  });

  const places: Readonly<Record<string, string>> = {
    'a member': 'claims.¦NAME == 1',
    'a member of a claim': 'claims.o.¦NAME.admin == true',
    'an index': 'claims[¦"NAME"] == 1',
    'an index of a claim': 'claims.o[¦"NAME"] == 1',
    'an index of what is known at run time': 'dyn(claims)[¦"NAME"] == 1',
    presence: 'has(claims.¦NAME)',
    'presence in a claim': 'has(claims.o.¦NAME)',
    'a name that is looked up': '¦"NAME" in claims',
    'a template value': 'request.path.¦NAME == "x"',
    'a template value that is looked up': '¦"NAME" in request.path',
    'a member of an item': 'claims.list.all(item, item.¦NAME == 1)',
    'the key of a map': 'claims.o == {¦"NAME": 1}',
  };
  const named = Object.entries(places).flatMap(([place, text]) =>
    reservedNames.map((name) => [name, place, text.replace('NAME', name)] as const),
  );
  it.each(named)('%s as %s: refused at load, at its place', (name, _place, text) => {
    expect(compileCondition(text.replace('¦', ''))).toEqual([
      { offset: text.indexOf('¦'), message: `no member can be named \`${name}\`` },
    ]);
  });

  it.each(reservedNames)('a text that is %s and no name: fine', (name) => {
    expect(outcome(`"${name}" in claims.list && claims.text == "${name}"`, inputOf({ list: [name], text: name }))).toBe(
      true,
    );
  });

  const own = jsonClaims(
    '{"p": "__proto__", "c": "constructor", "t": "prototype", "__proto__": {"admin": true}, "constructor": 1, "prototype": 1,' +
      '"o": {"__proto__": {"x": 1}, "constructor": "\\ud800", "prototype": 1e400, "kept": 2}, "list": [{"__proto__": 1}]}',
  );
  const absent: Readonly<Record<string, string>> = {
    'asked for by a name that is made at run time': '!(claims.p in claims || claims.c in claims || claims.t in claims)',
    'in a claim': '!(claims.p in claims.o || claims.c in claims.o || claims.t in claims.o)',
    'counted and compared':
      'size(claims) == 5 && size(claims.o) == 1 && claims.o == {"kept": 2} && claims.list == [{}]',
    visited: 'claims.all(name, name in ["p", "c", "t", "o", "list"]) && claims.o.map(name, name) == ["kept"]',
    'taken for members of others': '!has(claims.admin) && !has(claims.o.x)',
  };
  it.each(Object.entries(absent))('own claims of such names are not %s', (_name, source) => {
    expect(outcome(source, inputOf(own))).toBe(true);
  });

  it.each(['p', 'c', 't'])('own claims of such names are not read: claims[claims.%s]', (key) => {
    expect(outcome(`claims[claims.${key}] != 7`, inputOf(own))).toBe('a member is absent');
    expect(outcome(`claims.o[claims.${key}] != 7`, inputOf(own))).toBe('a member is absent');
  });

  it('members of a polluted prototype: absent', () => {
    const polluted = Object.assign(Object.create({ admin: true }) as Record<string, unknown>, { sub: 'ada' });
    expect(outcome('has(claims.admin) || claims.exists(name, name == "admin")', inputOf(polluted))).toBe(false);
  });
});

describe('JWT-15 lone surrogates', () => {
  const claims = jsonClaims(
    String.raw`{"bad": "a\ud800", "good": "x", "list": ["ok", "\udc00"], "o": {"\ud800": 1, "k": "\udfff"}}`,
  );
  const cases: Readonly<Record<string, string>> = {
    'in a claim that is read': 'claims.bad == "x"',
    'not made good by the other side of `||`': 'claims.bad == "x" || true',
    'not made good by `&&`': 'claims.bad == "x" && false',
    'in a list that is read': '"ok" in claims.list',
    'in a nested claim': 'claims.o.k != ""',
    'in a member name that is looked at': 'claims.o.exists(name, name == "k")',
    'in what is compared as a whole': 'claims == {} || true',
    'in presence': 'has(claims.bad)',
  };
  it.each(Object.entries(cases))('%s: claim_invalid', (_name, source) => {
    expect(compiled(source).evaluate(inputOf(claims))).toEqual({
      reason: 'claim_invalid',
      detail: 'a claim that the condition reads holds a lone surrogate',
    });
  });

  it('in a claim that is not read: no matter', () => {
    expect(outcome('claims.good == "x"', inputOf(claims))).toBe(true);
  });

  it('the next evaluation starts anew', () => {
    expect(outcome('claims.bad == "x"', inputOf(claims))).not.toBe(true);
    expect(outcome('claims.good == "x" || true', inputOf(claims))).toBe(true);
  });
});

describe('numbers that parsing has rounded', () => {
  // Each pair is two numbers in the token, and one and the same after parsing.
  const claims = jsonClaims(
    '{"account": 12345678901234567, "other": 12345678901234568, "least": -9007199254740992, "first": 9007199254740993,' +
      '"list": ["x", 12345678901234567], "o": {"k": 1e22, "plain": 1}, "endless": 1e400, "less": -1e400,' +
      '"exact": 9007199254740991, "low": -9007199254740991, "part": 1.5, "small": 1e-400, "whole": 1e3}',
  );
  const detail = 'a number is too large to be exact';
  const path = inputOf(claims);
  const input = { ...path, request: { ...path.request, path: new Map([['id', '12345678901234568']]) } };
  const refused: readonly string[] = [
    'string(claims.account) == request.path.id',
    'claims.account == claims.other',
    'claims.account == int(request.path.id)',
    'claims.account == 12345678901234568',
    'claims.account == 12345678901234568 || true',
    '!(claims.account == 1 && false)',
    'true && claims.account > 0',
    'claims["account"] > 0',
    'claims[request.method == "GET" ? "account" : "whole"] > 0',
    'claims.first == 9007199254740992',
    'claims.least < 0',
    '"x" in claims.list',
    'claims.list[0] == "x"',
    'claims.list.exists(item, item == "x")',
    'size(claims.list) == 2 || true',
    'claims.o.k == 1e22',
    'claims.o == {"k": 1e22, "plain": 1} || true',
    'claims.o in [claims.o]',
    'claims.o.exists(name, claims.o[name] == 1) || true',
    'claims == claims || true',
    'has(claims.account) || true',
    'type(claims.account) == int',
    'dyn(claims.account) == dyn("x") ? true : true',
    'claims.endless > 1.0',
    'claims.less < 1.0',
  ];
  it.each(refused)('%s: condition_error, whatever the other side is', (source) => {
    expect(compiled(source).evaluate(input)).toEqual({ reason: 'condition_error', detail });
  });

  const fine: readonly string[] = [
    'claims.exact == 9007199254740991 && string(claims.exact) == "9007199254740991"',
    'claims.low == -9007199254740991',
    'claims.part == 1.5 && type(claims.part) == double',
    'claims.small == 0',
    'claims.whole == 1000 && type(claims.whole) == int',
    'claims.o.plain == 1',
    'claims.exists(name, name == "account")',
    'int(request.path.id) == 12345678901234568',
  ];
  it.each(fine)('%s: is true', (source) => {
    expect(outcome(source, input)).toBe(true);
  });
});

describe('bombs', () => {
  const long = 'a'.repeat(60_000);
  const base = inputOf({
    numbers: Array.from({ length: 8000 }, (_, index) => index),
    groups: Array.from({ length: 1500 }, (_, index) => `group-${index}`),
    two: [[1], [2]],
    letters: Array.from({ length: 2000 }, (_, index) => 'ab'[((index * index) % 7) & 1]).join(''),
    pattern: '(a|b)*a(a|b){12}[^ab]',
  });
  const input = { ...base, request: { ...base.request, target: `/${long}`, header: () => long } };
  const costly: Readonly<Record<string, string>> = {
    'a list that doubles at every step': `claims.two${'.map(x, [x, x])'.repeat(40)} == claims.two${'.map(x, [x, x])'.repeat(40)}`,
    'a text that doubles at every step': `["a", claims.pattern]${'.map(x, x + x)'.repeat(60)}[0] == "b"`,
    'a list joined with itself': `claims.two${'.map(x, x + x)'.repeat(60)}.size() == 2`,
    'every item looked up in the list': 'claims.numbers.all(x, x in claims.numbers)',
    'a long text searched for every item': 'claims.groups.all(x, !request.target.contains(x))',
    'a long text measured for every item': 'claims.numbers.all(x, size(request.target) > 1)',
    'a long text in a long text': 'request.headers["x-a"].contains(request.target) == false',
    'a large pattern at a long text': 'claims.letters.matches("(a|b)*a(a|b){150}[^ab]")',
    'a pattern from a claim, for every item': 'claims.groups.all(x, !x.matches(claims.pattern))',
    'a zone for every item': 'claims.numbers.all(x, request.time.getHours("Europe/Berlin") < 24)',
    'whole lists compared for every item': 'claims.numbers.map(x, claims.numbers) == []',
    'hidden behind `||`': 'claims.numbers.all(x, x in claims.numbers) || true',
    'a long body for every item': `claims.numbers.all(x, ${'x >= 0 && '.repeat(60)}true)`,
  };
  const cheap: Readonly<Record<string, string>> = {
    'a test of 8,000 items': 'claims.numbers.all(x, x >= 0 && x < 8000)',
    'a list made of 8,000 items': 'claims.numbers.map(x, x + 1).filter(x, x > 10).size() == 7990',
    'a pattern for 1,500 items': 'claims.groups.all(x, x.matches("^group-[0-9]+$"))',
    'a pattern that backtracking cannot bear': '!("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches("^(a+)+$"))',
    'errors for every item': 'claims.numbers.all(x, claims.absent == x || true)',
  };

  it.each(Object.entries(costly))('%s: ends as too costly', (name, source) => {
    // A comparison with nothing pays for its left side all the same.
    const fitting = name.startsWith('whole lists')
      ? source.replace('[]', 'claims.numbers.map(x, claims.numbers)')
      : source;
    expect(outcome(fitting, input)).toBe('evaluating it costs too much');
  });

  it.each(Object.entries(cheap))('%s: is evaluated', (_name, source) => {
    expect(outcome(source, input)).toBe(true);
  });

  it('RE2 takes time linear in the text: ten times the text, no hundredfold of work', () => {
    const source = '!claims.text.matches("^(a|a)*(a|a)*(a|a)*b$")';
    expect(outcome(source, inputOf({ text: 'a'.repeat(500) }))).toBe(true);
    expect(outcome(source, inputOf({ text: 'a'.repeat(5000) }))).toBe(true);
  });

  it('stack traces of errors are kept as they were', () => {
    const before = Error.stackTraceLimit;
    outcome('claims.absent == 1', input);
    expect(Error.stackTraceLimit).toBe(before);
  });
});

describe('properties', () => {
  const words = [
    ...`claims request token claims.a claims.b claims["a"] request.path.id request.headers["x-a"] 1 2u 1.5`.split(' '),
    ...`"x" 'é' b"x" null true false x x.y timestamp(0) == != < >= && || ! - + * / % in ? : . , ( ) [ ] { }`.split(' '),
    ...`has( size( .size() .matches( int( string( type(`.split(' '),
    ...`[1, "a"]§{"a": 1}§.all(x, §.exists(x, §.map(x, §.filter(x, `.split('§'),
    ...' §\n§// c\n§"§\\§`§#§\ud800§😀§__proto__§.constructor§@result§0x§1e§r"'.split('§'),
  ];
  const source = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => parts.join('')),
    fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => parts.join(' ')),
  );

  it('compiling never throws, and each problem is at a place in the text', () => {
    fc.assert(
      fc.property(source, (text) => {
        const condition = compileCondition(text);
        if ('evaluate' in condition) return;
        expect(condition.length).toBeGreaterThan(0);
        for (const { offset, message } of condition) {
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset).toBeLessThanOrEqual(text.length);
          expect(message).not.toBe('');
        }
      }),
      { numRuns: 3000 },
    );
  });

  const value = fc.constantFrom(
    ...'claims.a; claims.b; claims.a.b; claims["c"]; claims.a[0]; 1; 0; 2u; -1.5; "x"; ""; null; []'.split('; '),
    ...'[claims.a, 1]; {"k": claims.b}; request.path.id; request.headers["x-region"]; request.time'.split('; '),
    ...'token.scopes; size(dyn(claims.a)); string(dyn(claims.b)); int(dyn(claims.a)); double(dyn(claims.a))'.split(
      '; ',
    ),
    ...'type(claims.a); claims.a + claims.b; claims.a - claims.b; -claims.a; claims.a.map(x, x)'.split('; '),
    ...'claims.b.filter(x, x == 1); timestamp(dyn(claims.a)); duration(dyn(claims.b))'.split('; '),
    ...'dyn("a,b").split(dyn(claims.a)); claims.a % claims.b'.split('; '),
  );
  const test = fc
    .tuple(
      value,
      fc.constantFrom('==', '!=', '<', '>=', 'in', '+'),
      value,
      fc.constantFrom('all', 'exists', 'exists_one'),
    )
    .chain(([left, sign, right, macro]) =>
      fc.constantFrom(
        `dyn(${left}) ${sign} dyn(${right}) == true`,
        `dyn(${left}).${macro}(x, x == dyn(${right}))`,
        `dyn(${left}).matches(dyn(${right}))`,
        `has(claims.a.x) || dyn(${left}) ${sign} dyn(${right}) == true`,
        `dyn(${left}) == dyn(${right}) ? true : dyn(${right}) == dyn(${left})`,
      ),
    );
  const fixed = new Set([
    'a member is absent',
    'an index is out of range',
    'a value has the wrong type',
    'division by zero',
    'a number or time is out of range',
    'a pattern cannot be read',
    'a text cannot be converted',
    'a key stands twice in a map',
    'it cannot be evaluated',
    'evaluating it costs too much',
    'a claim that the condition reads holds a lone surrogate',
    'a number is too large to be exact',
  ]);
  const someClaims = fc.record(
    { a: fc.jsonValue({ maxDepth: 3 }), b: fc.jsonValue({ maxDepth: 3 }), c: fc.string({ unit: 'binary' }) },
    { requiredKeys: [] },
  );

  it('evaluating never throws, and a failure tells nothing that does not stand in the condition', () => {
    let evaluated = 0;
    fc.assert(
      fc.property(test, someClaims, (text, claims) => {
        const condition = compileCondition(text);
        if (!('evaluate' in condition)) return;
        evaluated += 1;
        const result = told(condition.evaluate(inputOf(claims)));
        if (typeof result === 'boolean') return;
        const [detail = '', name = ''] = result.split(': ');
        expect(fixed).toContain(detail);
        // `claims["c"]` may stand there in other quotes.
        for (const word of name.match(/\w+/g) ?? []) expect(text).toContain(word);
      }),
      { numRuns: 3000 },
    );
    expect(evaluated).toBeGreaterThan(1000);
  });

  const json = fc.jsonValue({ maxDepth: 3 }).map(visible);
  // Two values that have nothing to do with each other are hardly ever equal, and hardly ever nearly so.
  const pair = fc.oneof(
    fc.tuple(json, json),
    json.map((one) => [one, structuredClone(one)] as const),
    json.map((one) => [one, membersAsPairs(one)] as const),
    json.map((one) => [one, reversed(one)] as const),
  );

  it('`!=` is the opposite of `==`, and both know all JSON', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const input = inputOf({ a, b });
        const equal = outcome('claims.a == claims.b', input);
        expect(equal).toBe(isSame(a, b));
        expect(outcome('claims.a != claims.b', input)).toBe(!equal);
        expect(outcome('claims.a == claims.a && claims.b in [claims.a, claims.b]', input)).toBe(true);
      }),
      { examples: [[[[], {}]], [[{ a: 1 }, [['a', 1]]]], [[-0, 0]], [[[null], {}]]] },
    );
  });
});

/** Neither numbers that a condition refuses to read nor members that it does not see. */
function visible(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? value % 1000 : value;
  if (Array.isArray(value)) return value.map(visible);
  if (typeof value !== 'object' || value === null) return value;
  const seen = Object.entries(value).filter(([name]) => !reservedNames.includes(name));
  return Object.fromEntries(seen.map(([name, item]) => [name, visible(item)]));
}

/** Equality of JSON: kind by kind, whatever the order of members. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => isSame(item, b[at]));
  }
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return (
    left.size === right.size && [...left].every(([name, item]) => right.has(name) && isSame(item, right.get(name)))
  );
}

/** What a careless comparison takes for the same: a list in place of a map. */
function membersAsPairs(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : value;
}

/** Members, or items, from the last to the first. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.toReversed();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).toReversed());
}
