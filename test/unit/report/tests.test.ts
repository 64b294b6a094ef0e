import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/policy/problem.ts';
import { junitReport } from '../../../src/report/junit.ts';
import { paintFor, plain } from '../../../src/report/paint.ts';
import { testLines, testsJson } from '../../../src/report/tests.ts';
import { rehearsalOf } from '../rehearsal/policy-tests.ts';

const passed = rehearsalOf({
  test: { name: 'good', expect: { decision: 'allow' } },
  passed: true,
  why: 'rule orders covers it',
});
const failed = rehearsalOf({
  test: {
    name: 'a reader & "writer"',
    method: 'POST',
    target: '/orders?x=<1>',
    headers: { 'x-a': 'b' },
    token: { issuer: 'corp', claims: { sub: 'ada' } },
    expect: { decision: 'deny', status: 403, headers: { 'x-user': null, 'x-tenant': 'a' } },
  },
  actual: {
    headers: new Map([
      ['x-user', 'ada'],
      ['x-other', 'o'],
    ]),
  },
});
const error: Problem = {
  severity: 'error',
  file: 'b.yaml',
  line: 3,
  column: 7,
  code: 'wrong_type',
  message: 'expected a list',
  hint: 'write `[a]`',
};
const warning: Problem = { ...error, severity: 'warning', code: 'unused_issuer' };

describe('lines', () => {
  it('a line for each test, then each failure: request, token, expected, got, why', () => {
    expect(testLines([passed, failed, passed], plain)).toBe(
      [
        '✓ good',
        '✗ a reader & "writer"',
        '✓ good',
        '',
        'policy.yaml:7:5: a reader & "writer"',
        '  request   POST https://shop.test/orders?x=<1>',
        '  header    x-a: b',
        '  token     corp {"sub":"ada"}',
        '  expected  deny 403, no x-user, x-tenant: a',
        '  got       allow 200 allowed by rule orders, x-user: ada, no x-tenant',
        '  why       because',
        '',
      ].join('\n'),
    );
  });

  it('no token: said', () => {
    expect(testLines([rehearsalOf()], plain)).toContain('\n  token     none\n');
  });

  it('line breaks and control characters of a policy: no new line, no colour', () => {
    const rehearsal = rehearsalOf({
      test: {
        name: 'x\n✓ y\u001b[32m',
        target: '/\u2028',
        headers: { a: '\r' },
        token: { issuer: 'a\nb', claims: { sub: '\u202e' } },
        expect: { decision: 'allow' },
      },
    });
    const text = testLines([rehearsal], plain);
    expect(text.match(/[\p{C}\p{Zl}]/gu)?.filter((character) => character !== '\n')).toEqual([]);
    expect(text.split('\n').filter((line) => line.startsWith('✓'))).toEqual([]);
  });

  it('in colours: the same text', () => {
    const colored = testLines([passed, failed], paintFor(true));
    expect(stripVTControlCharacters(colored)).toBe(testLines([passed, failed], plain));
    expect(colored).toContain('\u001b[32m✓\u001b[39m');
  });

  it('no tests: nothing', () => {
    expect(testLines([], plain)).toBe('');
  });
});

describe('JSON', () => {
  it('counts and results: what the test says, and all that came', () => {
    expect(JSON.parse(testsJson([passed, failed], [warning]))).toStrictEqual({
      passed: 1,
      failed: 1,
      results: [
        {
          file: 'policy.yaml',
          line: 7,
          column: 5,
          name: 'good',
          passed: true,
          expected: { decision: 'allow' },
          actual: { decision: 'allow', status: 200, reason: 'allowed', rule: 'orders', headers: {} },
          why: 'rule orders covers it',
        },
        {
          file: 'policy.yaml',
          line: 7,
          column: 5,
          name: 'a reader & "writer"',
          passed: false,
          expected: { decision: 'deny', status: 403, headers: { 'x-user': null, 'x-tenant': 'a' } },
          actual: {
            decision: 'allow',
            status: 200,
            reason: 'allowed',
            rule: 'orders',
            headers: { 'x-user': 'ada', 'x-other': 'o' },
          },
          why: 'because',
        },
      ],
    });
  });

  it('a policy with errors: no results, and the errors', () => {
    const { severity: _, ...members } = error;
    expect(JSON.parse(testsJson([], [error, warning]))).toStrictEqual({
      passed: 0,
      failed: 0,
      results: [],
      errors: [members],
    });
  });
});

describe('JUnit', () => {
  it('a suite for each file, counts, and what failed', () => {
    const other = rehearsalOf({
      test: { name: 'other', place: { file: 'b.yaml', line: 1, column: 1 }, expect: { decision: 'allow' } },
      passed: true,
    });
    expect(junitReport([passed, failed, other], [warning])).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="scopegate" tests="3" failures="1" errors="0">',
        '  <testsuite name="policy.yaml" tests="2" failures="1" errors="0">',
        '    <testcase name="good" classname="policy.yaml"/>',
        '    <testcase name="a reader &amp; &quot;writer&quot;" classname="policy.yaml">' +
          '<failure message="expected deny 403, no x-user, x-tenant: a, got allow 200 allowed by rule orders, x-user: ada, no x-tenant" type="test_failed">' +
          'policy.yaml:7:5',
        'request: POST https://shop.test/orders?x=&lt;1&gt;',
        'header: x-a: b',
        'token: corp {&quot;sub&quot;:&quot;ada&quot;}',
        'expected: deny 403, no x-user, x-tenant: a',
        'got: allow 200 allowed by rule orders, x-user: ada, no x-tenant',
        'why: because</failure></testcase>',
        '  </testsuite>',
        '  <testsuite name="b.yaml" tests="1" failures="0" errors="0">',
        '    <testcase name="other" classname="b.yaml"/>',
        '  </testsuite>',
        '</testsuites>',
        '',
      ].join('\n'),
    );
  });

  it('a policy with errors: cases with an error, so that it is not taken for good', () => {
    expect(junitReport([], [error])).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="scopegate" tests="1" failures="0" errors="1">',
        '  <testsuite name="b.yaml" tests="1" failures="0" errors="1">',
        '    <testcase name="3:7 wrong_type" classname="b.yaml"><error message="expected a list" type="wrong_type">' +
          'b.yaml:3:7: expected a list (write `[a]`)</error></testcase>',
        '  </testsuite>',
        '</testsuites>',
        '',
      ].join('\n'),
    );
  });

  it('a name with what XML cannot carry: replaced; what an attribute would lose: escaped', () => {
    const named = rehearsalOf({
      test: { name: 'a\nb\t\u0000\u001b\ufffe😀', expect: { decision: 'allow' } },
      passed: true,
    });
    expect(junitReport([named], [])).toContain('name="a&#10;b&#9;\ufffd\ufffd\ufffd😀"');
  });

  it('no tests: no suites', () => {
    expect(junitReport([], [])).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="scopegate" tests="0" failures="0" errors="0">\n</testsuites>\n',
    );
  });
});
