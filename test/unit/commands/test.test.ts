import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CommandLine } from '../../support/command-line.ts';

let here: CommandLine;
let good: string;
let failing: string;
let none: string;
let bad: string;

const policy = `apiVersion: scopegate.dev/v1
kind: Policy
issuers: [{ name: corp, issuer: "https://idp.test", audiences: [shop] }]
rules:
  - { name: read, paths: [/orders], methods: [GET], require: { scopes: [orders:read] }, headers: { x-user: sub } }
tests:
  - name: a reader may read
    request: GET https://shop.test/orders
    token: { issuer: corp, claims: { sub: ada, scope: orders:read } }
    expect: { decision: allow, rule: read, headers: { x-user: ada } }
`;
const wrong = `  - name: nobody may read
    request: GET https://shop.test/orders
    token: none
    expect: { decision: deny, status: 403 }
`;

beforeAll(() => {
  here = new CommandLine();
  good = here.file('good.yaml', policy);
  failing = here.file('failing.yaml', policy + wrong);
  none = here.file('none.yaml', policy.slice(0, policy.indexOf('tests:')));
  bad = here.file('bad.yaml', policy.replace('methods', 'method'));
});

afterAll(() => {
  here.remove();
});

const outcomeMembers = {
  status: z.number(),
  reason: z.string(),
  rule: z.string(),
  headers: z.record(z.string(), z.string().nullable()),
};
const decision = z.enum(['allow', 'deny']);
const resultSchema = z.strictObject({
  passed: z.number(),
  failed: z.number(),
  results: z.array(
    z.object({
      file: z.string(),
      name: z.string(),
      passed: z.boolean(),
      expected: z.strictObject(outcomeMembers).partial().extend({ decision }),
      actual: z.strictObject({ decision, ...outcomeMembers }).partial({ rule: true }),
    }),
  ),
});

describe('scopegate test', () => {
  it('all pass: a line each, exit 0', async () => {
    expect(await here.run(['test', good])).toEqual({
      exitCode: 0,
      out: '✓ a reader may read\n',
      error: 'scopegate test: 1 passed, 0 failed\n',
    });
  });

  it('one fails: what was expected, what came and why, exit 1', async () => {
    expect(await here.run(['test', failing])).toEqual({
      exitCode: 1,
      out: [
        '✓ a reader may read',
        '✗ nobody may read',
        '',
        '…/failing.yaml:11:5: nobody may read',
        '  request   GET https://shop.test/orders',
        '  token     none',
        '  expected  deny 403',
        '  got       deny 401 token_missing by rule read',
        '  why       The rule wants a token and none came, or credentials of another scheme (no Authorization header)',
        '',
      ].join('\n'),
      error: 'scopegate test: 1 passed, 1 failed\n',
    });
  });

  it('no tests: a note, exit 0', async () => {
    expect(await here.run(['test', none])).toEqual({
      exitCode: 0,
      out: '',
      error: 'scopegate test: the policy has no tests\n',
    });
  });

  it('a bad policy: its errors, no test is run, exit 1', async () => {
    const { exitCode, out, error } = await here.run(['test', bad]);
    expect(out).toMatch(/^…\/bad\.yaml:5:\d+: error\[unknown_field\]: .*\n$/);
    expect([exitCode, error]).toEqual([1, 'scopegate test: 1 error in 1 file; no test was run\n']);
  });

  it('a warning: on stderr, the result stays clean', async () => {
    const unused = policy.replace(
      'corp, issuer',
      'unused, issuer: "https://u.test", audiences: [u] }, { name: corp, issuer',
    );
    const restricted = unused.replace('methods: [GET]', 'methods: [GET], issuers: [corp]');
    const { exitCode, out, error } = await here.run(['test', '-'], { input: restricted });
    expect([exitCode, out]).toEqual([0, '✓ a reader may read\n']);
    expect(error).toMatch(/^<stdin>:3:\d+: warning\[unused_issuer\]: .*\nscopegate test: 1 passed, 0 failed\n$/);
  });

  it('tests of one file on rules of another: one policy', async () => {
    const tests = `apiVersion: scopegate.dev/v1\nkind: Policy\ntests:\n${wrong.replace('403', '401')}`;
    const { exitCode, out } = await here.run(['test', none, '-'], { input: tests });
    expect([exitCode, out]).toEqual([0, '✓ nobody may read\n']);
  });

  it('--json: the document of the contract', async () => {
    const results = await Promise.all([good, failing, none].map((file) => here.run(['test', '--json', file])));
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 1, 0]);
    const parsed = results.map(({ out }) => resultSchema.parse(JSON.parse(out)));
    expect(parsed.map(({ passed, failed, results: { length } }) => [passed, failed, length])).toEqual([
      [1, 0, 1],
      [1, 1, 2],
      [0, 0, 0],
    ]);
  });

  it('--json of a bad policy: one document, with the errors', async () => {
    const { exitCode, out } = await here.run(['test', '--json', bad]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ passed: 0, failed: 0, results: [], errors: [{ code: 'unknown_field' }] });
  });

  it('--format junit: a suite, exit codes as ever', async () => {
    const { exitCode, out } = await here.run(['test', '--format', 'junit', failing]);
    expect(exitCode).toBe(1);
    expect(out).toContain('<testsuite name="…/failing.yaml" tests="2" failures="1" errors="0">');
  });

  it('colours: only where stdout shows them', async () => {
    expect((await here.run(['test', failing], { isColored: true })).out).toContain('\u001b[31m✗');
    expect((await here.run(['test', failing])).out).not.toContain('\u001b');
  });

  it('a format of lint: refused with those that there are', async () => {
    expect(await here.run(['test', '--format', 'sarif', good])).toEqual({
      exitCode: 2,
      out: '',
      error:
        "scopegate test: option '--format <FORMAT>' argument 'sarif' is invalid. Expected text, json or junit.; see scopegate test --help\n",
    });
  });

  it('an absent file: named, exit 2', async () => {
    expect(await here.run(['test', '/nowhere/p.yaml'])).toEqual({
      exitCode: 2,
      out: '',
      error: 'scopegate test: /nowhere/p.yaml does not exist\n',
    });
  });

  it('--help: the test that it shows is one', async () => {
    const { exitCode, out } = await here.run(['test', '--help']);
    expect(exitCode).toBe(0);
    const [shown = ''] = /^ {2}tests:\n(?: {4}.*\n)+/m.exec(out) ?? [];
    const input = policy.slice(0, policy.indexOf('tests:')) + shown.replaceAll(/^ {2}/gm, '');
    const writer = '  - { name: write, paths: [/api/orders], methods: [POST], require: { scopes: [orders:write] } }\n';
    const ran = await here.run(['test', '-'], { input: input.replace('tests:', `${writer}tests:`) });
    expect(ran).toMatchObject({ exitCode: 0, out: '✓ a reader cannot write\n' });
  });
});
