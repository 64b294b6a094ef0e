import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../../src/condition/compile-condition.ts';
import type { ConditionProblem } from '../../../src/condition/condition.ts';

/** The mark `¦` stands where the mistake is; several: several problems, in this order. */
interface Wrong {
  readonly text: string;
  readonly message: readonly string[];
  readonly hint?: string;
}

const wrongs: readonly Wrong[] = [
  // Syntax.
  { text: '¦', message: ['the condition is empty'] },
  { text: '¦// nothing', message: ['the condition is empty'] },
  { text: '1 +¦', message: ['something is missing at the end'] },
  { text: '¦== 1', message: ['something is missing before `==`'] },
  { text: 'claims.a ==¦== 2', message: ['something is missing before `==`'] },
  { text: 'claims.a ¦= 2', message: ['"=" means nothing here'], hint: 'write `==` to compare' },
  { text: 'true ¦& false', message: ['"&" means nothing here'], hint: 'write `&&`' },
  { text: 'claims.a ¦claims.b', message: ['an operator is missing before `claims`'] },
  { text: 'claims.a == ¦“x”', message: ['"“" means nothing here'], hint: 'write plain quotes' },
  { text: 'claims.a == ¦"x', message: ['this string has no end on its line'] },
  { text: 'claims.a == ¦"x\n"', message: ['this string has no end on its line'] },
  { text: '¦(claims.a == 1', message: ['`(` is never closed'] },
  { text: 'claims.a.startsWith¦(', message: ['`(` is never closed'] },
  { text: 'claims.a == 1¦)', message: ['`)` closes nothing'] },
  { text: '[1, 2¦)', message: ['`[` is closed by `)`, not by `]`'] },
  { text: '(1 +¦)', message: ['something is missing before `)`'] },
  { text: 'claims.¦', message: ['a member name is missing after `.`'] },
  { text: 'claims. ¦"a" == 1', message: ['a member name is missing after `.`'] },
  { text: '¦if == 1', message: ['`if` is a reserved word'] },
  { text: 'true ¦!false', message: ['an operator is missing before `!`'] },
  { text: 'true¦, false', message: ['`,` stands outside of brackets'] },
  { text: '"é😀" == "x" ¦# no', message: ['"#" means nothing here'] },
  { text: '// one\n// two\nclaims.a ¦= 1', message: ['"=" means nothing here'], hint: 'write `==` to compare' },
  // Words and signs of other languages.
  { text: 'claims.a == 1 ¦and claims.b == 2', message: ['`and` is no operator here'], hint: 'write `&&`' },
  { text: '(claims.a == 1) ¦OR (claims.b == 2)', message: ['`OR` is no operator here'], hint: 'write `||`' },
  { text: 'claims.a == 1 && ¦not claims.b', message: ['`not` is no operator here'], hint: 'write `!`' },
  { text: '¦not (claims.b == 1)', message: ['`not` is no operator here'], hint: 'write `!(…)`, `… && …`, `… || …`' },
  { text: '"a" ¦not in token.scopes', message: ['`not` is no operator here'], hint: 'write `!(… in …)`' },
  {
    text: 'request.headers.¦x-region == "eu"',
    message: ['a name with `-` cannot stand after a dot'],
    hint: 'write `request.headers["x-region"]`',
  },
  {
    text: 'request.headers.¦X-Forwarded-For != "a" && claims.a == 1',
    message: ['a name with `-` cannot stand after a dot'],
    hint: 'write `request.headers["x-forwarded-for"]`',
  },
  {
    text: 'request.headers.¦x-a-b != "a" && ¦foo == 1',
    message: ['a name with `-` cannot stand after a dot', 'there is no variable `foo`'],
  },
  {
    text: 'request.headers.a - ¦b == 1',
    message: ['there is no variable `b`'],
    hint: 'the variables are `claims`, `request` and `token`',
  },
  {
    text: 'token.scopes.¦contains("x")',
    message: ['there is no `list of string.contains(string)`'],
    hint: 'write `"x" in token.scopes`',
  },
  {
    text: '[1].¦contains(request.host)',
    message: ['there is no `list of int.contains(string)`'],
    hint: 'write `… in …`',
  },
  {
    text: 'request.time ¦< "2027-01-01T00:00:00Z"',
    message: ['`<` does not take a timestamp and a string'],
    hint: 'a time is written `timestamp("…")`, a length of time `duration("…")`',
  },
  {
    text: '"2027-01-01T00:00:00Z" ¦== request.time',
    message: ['`==` cannot compare a string with a timestamp'],
    hint: 'a time is written `timestamp("…")`, a length of time `duration("…")`',
  },
  {
    text: 'duration("1h") ¦> "2h"',
    message: ['`>` does not take a duration and a string'],
    hint: 'a length of time is written `duration("…")`',
  },
  // Names.
  { text: '¦claim.a == 1', message: ['there is no variable `claim`'], hint: 'did you mean `claims`?' },
  { text: '"x" in ¦scopes', message: ['there is no variable `scopes`'], hint: 'did you mean `token.scopes`?' },
  {
    text: '¦user == 1',
    message: ['there is no variable `user`'],
    hint: 'the variables are `claims`, `request` and `token`',
  },
  {
    text: 'request.¦metod == "GET"',
    message: ['`request` has no member `metod`'],
    hint: 'did you mean `method`?',
  },
  {
    text: 'token . ¦client_id == "a"',
    message: ['`token` has no member `client_id`'],
    hint: 'did you mean `clientId`?',
  },
  {
    text: 'has(token.¦acr)',
    message: ['`token` has no member `acr`'],
    hint: 'it has `issuer`, `clientId`, `subject`, `scopes`',
  },
  {
    text: 'claims.a.¦startWith("x")',
    message: ['there is no function `startWith`'],
    hint: 'did you mean `startsWith`?',
  },
  { text: '¦now() > request.time', message: ['there is no function `now`'] },
  { text: 'claims.a.¦constructor()', message: ['there is no function `constructor`'] },
  {
    text: 'claims.a.¦exists(true)',
    message: ['`exists` takes a name and an expression'],
    hint: 'write `claims.roles.exists(role, …)`',
  },
  { text: '¦has(claims)', message: ['`has` takes one member'], hint: 'write `has(claims.email)`' },
  {
    text: '"¦X-A" in request.headers'.replace('"¦', '¦"'),
    message: ['names of headers are in lower case here'],
    hint: 'write `"x-a"`',
  },
  { text: 'has(request.headers.¦Host)', message: ['names of headers are in lower case here'], hint: 'write `"host"`' },
  { text: 'request.headers[¦"a b"] == "x"', message: ['no header can have this name'] },
  // Types.
  {
    text: 'request.method ¦== 1',
    message: ['`==` cannot compare a string with an int'],
    hint: 'convert one of them: `string(…)`, `int(…)`',
  },
  {
    text: 'token.scopes ¦!= "a"',
    message: ['`!=` cannot compare a list of string with a string'],
    hint: 'ask with `in` whether a list holds a value',
  },
  {
    text: 'request.host ¦== null',
    message: ['`==` cannot compare a string with a null'],
    hint: 'ask with `has(…)` whether a member is there',
  },
  { text: '¦request.method', message: ['a condition is true or false, this is a string'] },
  { text: '¦1 + 2', message: ['a condition is true or false, this is an int'] },
  {
    text: '¦claims.admin',
    message: ['whether this is true or false is known at run time only'],
    hint: 'compare it: `… == true`',
  },
  { text: 'true && ¦request.host', message: ['`&&` wants a bool, this is a string'] },
  { text: '¦1 + 1 || true', message: ['`||` wants a bool, this is an int'] },
  { text: '¦!1', message: ['`!` does not take an int'] },
  {
    text: 'request.host ¦< 3',
    message: ['`<` does not take a string and an int'],
    hint: 'convert one of them: `string(…)`, `int(…)`',
  },
  { text: '1 ¦+ 1.0 > 1.0', message: ['`+` does not take an int and a double'] },
  { text: '1 ¦in token.scopes', message: ['an int is never in a list of string'] },
  {
    text: '"a" ¦in request.host',
    message: ['`in` looks into a list or map, not into a string'],
    hint: 'write `….contains(…)` for a part of a string',
  },
  { text: '1 ¦in request.headers', message: ['an int is never in headers'] },
  { text: 'token.scopes[¦"a"] == "x"', message: ['the index is a string, an int is wanted'] },
  { text: 'request.path[¦1] == "x"', message: ['the index is an int, a string is wanted'] },
  { text: 'request.host¦[0] == "x"', message: ['a string has no items to index'] },
  { text: 'request.host.¦length == 3', message: ['a string has no member `length`'] },
  {
    text: 'request.host.¦startsWith(1)',
    message: ['there is no `string.startsWith(int)`'],
    hint: 'there is `string.startsWith(string)`',
  },
  {
    text: '¦size(1) == 1',
    message: ['there is no `size(int)`'],
    hint: 'there is `size(string)`, `string.size()`, `size(bytes)`, `bytes.size()`, `size(list)`, `list.size()`, `size(map)`, `map.size()`',
  },
  { text: 'true ? 1 : ¦"a"', message: ['the branches of `?` are an int and a string'] },
  { text: '¦1 ? true : false', message: ['`?` wants a bool, this is an int'] },
  { text: 'token.scopes.all(scope, ¦scope + "x")', message: ['the test of a macro wants a bool, this is a string'] },
  { text: 'request.host.¦all(c, true)', message: ['a string has no items'], hint: 'a list has, and a map has keys' },
  {
    text: 'token.scopes.exists(scope, scope ¦== 1)',
    message: ['`==` cannot compare a string with an int'],
    hint: 'convert one of them: `string(…)`, `int(…)`',
  },
  {
    text: 'claims.a.all(x, claims.b.¦exists(y, x == y))',
    message: ['a macro cannot stand in the body of another one'],
    hint: 'ask for one thing at a time',
  },
  { text: 'claims.a.¦all(token, true)', message: ['`token` is a variable, give the item another name'] },
  { text: '{¦1.5: 1} == {}', message: ['a double cannot be the key of a map'] },
  { text: 'claims.a > ¦9223372036854775808', message: ['this number does not fit an int'] },
  { text: 'claims.a > ¦1e999', message: ['this number does not fit a double'] },
  { text: '¦request == claims.a', message: ['`request` is no value'], hint: 'name a member of `request`' },
  { text: 'dyn(¦token) == 1', message: ['`token` is no value'], hint: 'name a member of `token`' },
  {
    text: 'request¦.headers.size() > 1',
    message: ['headers can only be asked for by name'],
    hint: 'write `request.headers["x-name"]`',
  },
  // Literals that a function reads.
  { text: 'claims.a.matches(¦"(")', message: ['not a pattern of RE2: missing closing ): `(`'] },
  { text: 'claims.a.matches(¦"(?=a)b")', message: ['not a pattern of RE2: invalid or unsupported Perl syntax: `(?=`'] },
  {
    text: 'claims.a.matches(¦"[a-z]{900}x{200}")',
    message: ['not a pattern of RE2: it is too large, its repetitions multiply'],
  },
  { text: 'request.time > timestamp(¦"2026-01-01")', message: ['not a time, such as `2026-11-24T00:00:00Z`'] },
  { text: 'duration(¦"1 hour") > duration("1h")', message: ['not a duration, such as `1h30m`'] },
  { text: 'request.time.getHours(¦"Mars/X") > 1', message: ['not a time zone, such as `Europe/Berlin` or `+01:00`'] },
  // Constants that fail whenever they are evaluated.
  ...Object.entries({
    '¦int("abc") == 1': 'a text cannot be converted',
    '¦bool("maybe")': 'a text cannot be converted',
    'claims.a == ¦double("")': 'a text cannot be converted',
    'claims.a == ¦int("0x10")': 'a text cannot be converted',
    '¦double(" 1") == 1.0': 'a text cannot be converted',
    '¦int("9223372036854775808") > 0': 'a number or time is out of range',
    '¦1/0 == 1': 'division by zero',
    'claims.a == 1 && claims.b > ¦1 % 0': 'division by zero',
    '!(2 > (¦1 / 0))': 'division by zero',
    '¦[1, 2][5] == 1': 'an index is out of range',
    '¦{"a": 1}["b"] == 1': 'a member is absent',
    'has(claims.a) || ¦{"a": 1}.b == 1': 'a member is absent',
    '¦{"a": 1, "a": 2} == claims.a': 'a key stands twice in a map',
    '¦9223372036854775807 + 1 == 0': 'a number or time is out of range',
    '¦timestamp(253402300800) > request.time': 'a number or time is out of range',
    '¦"a".matches("a" + "(")': 'a pattern cannot be read',
    '¦dyn(1) + "a" == claims.a': 'a value has the wrong type',
    '¦[0].map(x, 1 / x) == claims.a': 'division by zero',
    'claims.a.all(x, x > ¦1 / 0)': 'division by zero',
    'claims.a.map(x, ¦1 / 0) == []': 'division by zero',
    'claims.a == (true ? ¦int("x") : 1)': 'a text cannot be converted',
    [`¦[[1]]${'.map(x, [x, x])'.repeat(40)} == [[2]]${'.map(x, [x, x])'.repeat(40)} || claims.a == 1 + 1`]:
      'evaluating it costs too much',
  }).map(([text, detail]) => ({ text, message: [`this always fails: ${detail}`] })),
  {
    text: 'claims.a == ¦int("a") || claims.b == ¦1 / 0',
    message: ['this always fails: a text cannot be converted', 'this always fails: division by zero'],
  },
  // Several at once.
  {
    text: '¦foo == 1 && request.¦x == 1 && 1 ¦== "a"',
    message: ['there is no variable `foo`', '`request` has no member `x`', '`==` cannot compare an int with a string'],
  },
];

function problemsOf(source: string): readonly ConditionProblem[] {
  const condition = compileCondition(source);
  return 'evaluate' in condition ? [] : condition;
}

/** Places of the marks in the text without them. */
function marks(text: string): readonly number[] {
  const parts = text.split('¦').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('').length);
}

describe('a mistake in a condition is told with its place', () => {
  it.each(wrongs)('$text', ({ text, message, hint }) => {
    const problems = problemsOf(text.replaceAll('¦', ''));
    expect(problems.map(({ offset }) => offset)).toEqual(marks(text));
    expect(problems.map((problem) => problem.message)).toEqual(message);
    if (message.length === 1) expect(problems[0]?.hint).toBe(hint);
  });

  const bounds: Readonly<Record<string, readonly [string, string]>> = {
    'more than 2,000 nodes': [`[${'1,'.repeat(2000)}1] == []`, 'more than 2000 nodes'],
    'more than 2,000 nodes, most of them out of macros': [
      `${'claims.a.all(x, x > 1) && '.repeat(150)}true`,
      '2251 nodes, at most 2000 are allowed',
    ],
    'more words than 2,000 nodes can need': [`${'((((true)))) || '.repeat(890)}true`, 'more than 8000 words'],
    'signs without end': [`${'!'.repeat(9000)}true`, 'more than 8000 words'],
    'a mistake in a text that is too large': [`[${'1,'.repeat(3000)}1)`, '`[` is closed by `)`, not by `]`'],
    'text too long': [`claims.a == "${'x'.repeat(40_000)}"`, 'longer than 32768 characters'],
    'brackets too deep': [`${'('.repeat(101)}true${')'.repeat(101)}`, 'brackets are nested deeper than 100'],
    'too many levels without brackets': [`${'1 + '.repeat(250)}1 == 1`, 'the condition is nested deeper than 200'],
    'a chain of choices': [`${'true ? true : '.repeat(250)}true`, 'the condition is nested deeper than 200'],
  };
  // The parser takes some 10 ms for 1,000 nodes. It counts them exactly, so that another message comes when it has run.
  const large: Readonly<Record<string, string>> = {
    arguments: `f(${'a,'.repeat(15_000)}a)`,
    'empty lists': `[${'[],'.repeat(10_000)}[]] == []`,
    'empty maps': `[${'{},'.repeat(10_000)}{}] == []`,
    members: `a${'.b'.repeat(16_000)}`,
    choices: `a${'?a:a'.repeat(8000)}`,
    'empty calls': `${'f()+'.repeat(6000)}f()`,
    texts: `${'""+'.repeat(10_000)}""`,
  };
  it.each(Object.entries(large))('too many %s: refused before they are parsed', (_name, source) => {
    expect(problemsOf(source)).toEqual([{ offset: 0, message: 'more than 2000 nodes' }]);
  });

  it.each(Object.entries(bounds))('%s: refused', (_name, [source, message]) => {
    expect(problemsOf(source)[0]?.message).toBe(message);
  });

  const within: Readonly<Record<string, string>> = {
    'just under 2,000 nodes': `[${'1,'.repeat(1990)}1] != []`,
    'brackets as deep as allowed': `${'('.repeat(100)}true${')'.repeat(100)}`,
    'brackets in strings and comments are no brackets': `"${'('.repeat(200)}" != "" // ${'['.repeat(200)}`,
    'a constant that fails where the other side decides': 'true || 1 / 0 == 1',
    'a constant that fails where it is not chosen': '(true ? 1 : 1 / 0) == claims.a',
    'an item that is named like a type': 'claims.a.all(int, int > 1 && int + 1 > 2)',
    'many constants, each with a pattern': `${'"a".matches("b") || '.repeat(300)}claims.a == 1`,
    'many constants between others': `${'claims.a == 1 + 1 || '.repeat(180)}true`,
    'many terms of one operator': `${'claims.a == 1 || '.repeat(300)}true`,
  };
  it.each(Object.entries(within))('%s: fine', (_name, source) => {
    expect(problemsOf(source)).toEqual([]);
  });
});
