import { describe, expect, it } from 'vitest';
import { compiled, inputOf, outcome } from './condition-input.ts';

const input = inputOf({
  tenant: 'acme',
  level: 4,
  ratio: 1.5,
  negative: -7,
  big: 9_007_199_254_740_991,
  nothing: null,
  active: true,
  email: 'Ada@Example.com',
  roles: ['reader', 'writer'],
  mixed: [1, 'a', 2.5, null, { k: 'v' }],
  empty: [],
  realm_access: { roles: ['admin'], nothing: null },
  smile: '😀é',
  'https://acme.com/roles': ['owner'],
  aud: 'api',
  auth_time: 1_774_747_800,
  expires: '2026-04-01T00:00:00Z',
  word: 'a.b.c',
  texts: { beyond: '9223372036854775808', empty: '', hexadecimal: '0x10', blank: ' 1' },
});

const isTrue: readonly string[] = [
  // Claims.
  'claims.tenant == request.path.id',
  'claims["tenant"] == "acme"',
  'claims["https://acme.com/roles"] == ["owner"]',
  '"owner" in claims["https://acme.com/roles"]',
  '"admin" in claims.realm_access.roles',
  'claims.realm_access["roles"][0] == "admin"',
  'claims.active == true',
  'claims.active && true',
  'claims.nothing == null',
  'claims.mixed == [1, "a", 2.5, null, {"k": "v"}]',
  'claims.mixed[4].k == "v"',
  'size(claims.empty) == 0',
  'claims.exists(name, name == "tenant")',
  // Numbers: whole ones are int, others double, and they are compared by value.
  'claims.level + 1 == 5',
  'claims.level == 4.0',
  'claims.level > 3.5',
  'claims.level in [1, 2, 4]',
  'claims.ratio * 2.0 == 3.0',
  'claims.negative / 2 == -3',
  'claims.negative % 4 == -3',
  'claims.big + 2 == 9007199254740993',
  'type(claims.level) == int && type(claims.ratio) == double',
  'type(claims.aud) == string && type(claims.roles) == list && type(claims.realm_access) == map',
  'claims.level != "4"',
  'int("42") == 42 && double("1.5e1") == 15.0 && uint("7") == 7u',
  'string(claims.level) == "4"',
  // Presence: a member that is null is there.
  'has(claims.tenant)',
  'has(claims.nothing)',
  '!has(claims.absent)',
  'has(claims.realm_access.nothing)',
  '"nothing" in claims && !("absent" in claims)',
  'has(token.clientId) && !has(token.subject)',
  '!has(request.headers.absent) && has(request.headers.host) == false',
  '!has(claims.absent) || claims.absent == "x"',
  // One side of a logical operator decides alone, whatever the other does.
  'claims.absent == "x" || true',
  'true || claims.absent == "x"',
  '!(claims.absent == "x" && false)',
  '!(false && claims.absent == "x")',
  'claims.level == 4 ? true : claims.absent == 1',
  // Macros.
  'claims.roles.all(role, role.startsWith("r") || role.startsWith("w"))',
  'claims.roles.exists(role, role == "writer")',
  'claims.roles.exists_one(role, role.endsWith("er") && role < "s")',
  'claims.roles.filter(role, role != "reader") == ["writer"]',
  'claims.roles.map(role, role + "!") == ["reader!", "writer!"]',
  'claims.roles.map(role, role != "reader", size(role)) == [6]',
  'claims.roles.filter(role, role > "a").map(role, size(role)).all(length, length == 6)',
  'claims.mixed.exists(item, item == "a")',
  'claims.mixed.exists(item, item > 1)',
  'claims.empty.all(item, false) && !claims.empty.exists(item, true)',
  '[{"name": "a", "ok": true}].all(entry, entry.ok)',
  // Texts.
  'size(claims.smile) == 2 && claims.smile.size() == 2',
  'claims.email.lowerAscii() == "ada@example.com" && claims.email.upperAscii().endsWith("EXAMPLE.COM")',
  'claims.email.contains("@") && !claims.email.startsWith("ada")',
  'claims.email.matches("(?i)^[a-z]+@example[.]com$")',
  'claims.email.matches(claims.tenant + "|@Ex")',
  '" x ".trim() == "x"',
  'claims.word.split(".") == ["a", "b", "c"] && claims.smile.split("") == ["😀", "é"]',
  `r'\\d' == "\\\\d" && 'it''s' != "x" || true`.replace("'it''s'", '"it\'s"'),
  'b"abc" == bytes("abc") && string(b"abc") == "abc"',
  // The request and the token.
  'request.method == "GET" && request.host == "orders.test"',
  'request.path.note == "ä/b" && request.target.startsWith("/api/acme/%C3%A4")',
  'request.path == {"id": "acme", "note": "ä/b"} && size(request.path) == 2',
  'request.headers["x-many"] == "a,b" && request.headers["x-empty"] == ""',
  '"x-region" in request.headers && request["method"] == "GET"',
  'token.issuer == "corp" && token.clientId == "web"',
  '"orders:read" in token.scopes && token.scopes.all(scope, scope.startsWith("orders:"))',
  // Times: seconds since the epoch, zones, and no zone of the machine.
  'request.time == timestamp("2026-03-29T01:30:15.250Z")',
  'request.time - timestamp(claims.auth_time) < duration("30m")',
  'int(timestamp(5)) == 5',
  'request.time < timestamp(claims.expires)',
  'request.time.getHours() == 1 && request.time.getHours("Europe/Berlin") == 3',
  'request.time.getHours("-03:30") == 22 && request.time.getDate("-03:30") == 28',
  'request.time.getDayOfWeek() == 0 && request.time.getMonth() == 2 && request.time.getFullYear() == 2026',
  'request.time.getMilliseconds() == 250 && request.time.getDayOfYear() == 87',
  'duration("1h30m").getMinutes() == 90',
  // Comments, also several.
  '// who\n// may\nclaims.level > 3 // really',
];

const isFalse: readonly string[] = [
  'claims.tenant == "other"',
  'claims.level < 3 || request.method == "POST"',
  '"admin" in claims.roles',
  'has(claims.absent)',
  '"absent" in request.headers',
  'claims.tenant == 1',
  'claims.roles == "reader"',
  'claims.roles.all(role, role == "reader")',
  'claims.roles.exists_one(role, role.endsWith("er"))',
  'claims.absent == 1 && false',
  'claims.aud in ["a", "b"]',
  '"orders" in token.scopes',
  '[1] == [1, 2]',
  'claims.email.matches("^example")',
  '!claims.active',
];

/** What stands before the colon, and the name that the operator wrote. */
const failures: Readonly<Record<string, string>> = {
  'claims.absent == 1': 'a member is absent: claims.absent',
  'claims.realm_access.absent == 1': 'a member is absent: claims.realm_access.absent',
  'has(claims.absent.deeper)': 'a member is absent: claims.absent',
  'claims["absent"] == 1': 'a member is absent: claims["absent"]',
  'claims.realm_access["a b"].c == 1': 'a member is absent: claims.realm_access["a b"]',
  'claims[claims.tenant] == 1': 'a member is absent',
  'claims.tenant.deeper == 1': 'a member is absent: claims.tenant.deeper',
  'token.subject == "ada"': 'a member is absent: token.subject',
  'request.path.other == "x"': 'a member is absent: request.path.other',
  'request.headers.absent == "x"': 'a member is absent: request.headers.absent',
  'dyn(claims)[1] == 1': 'an index is out of range',
  'has(claims.roles.x)': 'a value has the wrong type: claims.roles.x',
  'has(claims.nothing.x)': 'a value has the wrong type: claims.nothing.x',
  'claims.roles[2] == "x"': 'an index is out of range',
  'claims.roles[-1] == "x"': 'an index is out of range',
  'claims.absent == 1 || false': 'a member is absent: claims.absent',
  'claims.absent == 1 && true': 'a member is absent: claims.absent',
  'claims.tenant && true': 'a value has the wrong type',
  'claims.level ? true : false': 'a value has the wrong type',
  '!claims.tenant': 'a value has the wrong type',
  'claims.level < "5"': 'a value has the wrong type',
  'claims.level + 1.0 > 1.0': 'a value has the wrong type',
  'claims.tenant + dyn(1) == "acme1"': 'a value has the wrong type',
  '"a" in claims.tenant': 'a value has the wrong type',
  'claims.level.all(x, true)': 'a value has the wrong type',
  'claims.level.startsWith("4")': 'a value has the wrong type',
  'size(claims.level) == 1': 'a value has the wrong type',
  'claims.mixed.all(item, item > 0)': 'a value has the wrong type',
  'claims.level / (claims.level - 4) == 1': 'division by zero',
  'claims.level % 0 == 1': 'division by zero',
  '9223372036854775807 + claims.level > 0': 'a number or time is out of range',
  'int(claims.ratio * 1e300) > 0': 'a number or time is out of range',
  'int(claims.texts.beyond) > 0': 'a number or time is out of range',
  'timestamp(claims.big) > request.time': 'a number or time is out of range',
  'double(claims.texts.empty) == 0.0': 'a text cannot be converted',
  'int(claims.texts.empty) == 0': 'a text cannot be converted',
  'int(claims.texts.hexadecimal) == 16': 'a text cannot be converted',
  'double(claims.texts.blank) == 1.0': 'a text cannot be converted',
  'int(claims.tenant) == 1': 'a text cannot be converted',
  'timestamp(claims.tenant) < request.time': 'a text cannot be converted',
  'duration(claims.tenant) < duration("1h")': 'a text cannot be converted',
  'claims.email.matches(claims.tenant + "(")': 'a pattern cannot be read',
  '{claims.tenant: 1, "acme": 2}.acme == 1': 'a key stands twice in a map',
};

describe('a condition', () => {
  it.each(isTrue)('is true: %s', (source) => {
    expect(outcome(source, input)).toBe(true);
  });

  it.each(isFalse)('is false: %s', (source) => {
    expect(outcome(source, input)).toBe(false);
  });

  it.each(Object.entries(failures))('fails: %s', (source, detail) => {
    expect(outcome(source, input)).toBe(detail);
  });

  it('gives the same result when it is evaluated again, after a failure of another one', () => {
    const condition = compiled('claims.roles.filter(role, role != "x").size() == 2');
    const failing = compiled('claims.absent == 1');
    const results = [condition, failing, condition, failing].map((each) => typeof each.evaluate(input));
    expect(results).toEqual(['boolean', 'object', 'boolean', 'object']);
    expect(condition.evaluate(input)).toBe(true);
  });

  it('asks only for the headers that it reads', () => {
    const asked: string[] = [];
    const request = { ...input.request, header: (name: string) => void asked.push(name) };
    compiled('request.method == "GET"').evaluate({ ...input, request });
    expect(asked).toEqual([]);
    compiled('"x-one" in request.headers || has(request.headers.two)').evaluate({ ...input, request });
    expect(new Set(asked)).toEqual(new Set(['x-one', 'two']));
  });
});

describe('what a condition says of itself', () => {
  const reads: Readonly<Record<string, readonly string[]>> = {
    'claims.a == claims.b.c': ['claims'],
    'request.path.id == "x" && has(request.headers.host)': ['request.path', 'request.headers'],
    'token.scopes.exists(scope, scope == token.issuer)': ['token.scopes', 'token.issuer'],
    'request["method"] == "GET"': ['request.method'],
    'request.time > timestamp(0)': ['request.time'],
    'true || 1 == 2': [],
  };
  it.each(Object.entries(reads))('it reads: %s', (source, expected) => {
    expect([...compiled(source).reads].toSorted()).toEqual(expected.toSorted());
  });

  it('the template values that it names, with their places', () => {
    const source = 'request.path.id == request.path["other"] && "third" in request.path && has(request.path.id)';
    expect([...compiled(source).pathNames]).toEqual([
      ['id', 13],
      ['other', 32],
      ['third', 44],
    ]);
  });

  it('keeps its text', () => {
    expect(compiled('// c\ntrue').source).toBe('// c\ntrue');
  });
});
