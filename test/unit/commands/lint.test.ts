import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CommandLine } from '../../support/command-line.ts';

let here: CommandLine;
let good: string;
let warned: string;
let bad: string;
let failing: string;
let other: string;

beforeAll(() => {
  here = new CommandLine();
  good = here.file('good.yaml', document('rules: [{ name: a, paths: [/a], access: public }]'));
  other = here.file('other.yaml', document('rules: [{ name: a, paths: [/b], access: public }]'));
  warned = here.file(
    'warned.yaml',
    document(
      'rules: [{ name: w, paths: [/w], access: public }]\nissuers: [{ name: i, issuer: "https://i.test", audiences: [x] }]',
    ),
  );
  bad = here.file('bad.yaml', document('rules:\n  - nam: x\n    paths: /a'));
  failing = here.file(
    'failing.yaml',
    document(
      'rules: [{ name: f, paths: [/f], access: deny }]\n' +
        'tests: [{ name: t, request: GET https://x.test/f, token: none, expect: { decision: allow } }]',
    ),
  );
});

afterAll(() => {
  here.remove();
});

function document(content: string): string {
  return `apiVersion: scopegate.dev/v1\nkind: Policy\n${content}\n`;
}

const resultSchema = z.strictObject({
  files: z.number(),
  errors: z.array(problemSchema()),
  warnings: z.array(problemSchema()),
});

function problemSchema() {
  return z.strictObject({
    file: z.string(),
    line: z.int().positive(),
    column: z.int().positive(),
    code: z.string().regex(/^[a-z_]+$/),
    message: z.string(),
    hint: z.string().optional(),
  });
}

describe('scopegate lint', () => {
  it('a good policy: nothing on stdout, exit 0', async () => {
    expect(await here.run(['lint', good])).toEqual({
      exitCode: 0,
      out: '',
      error: 'scopegate lint: no problems in 1 file\n',
    });
  });

  it('only warnings: printed, exit 0', async () => {
    const { exitCode, out, error } = await here.run(['lint', warned]);
    expect(out).toMatch(/^…\/warned\.yaml:4:\d+: warning\[unused_issuer\]: .*\n$/);
    expect([exitCode, error]).toEqual([0, 'scopegate lint: 1 warning in 1 file\n']);
  });

  it('errors: one a line with its place, sorted, exit 1; a hint says what to write', async () => {
    const { exitCode, out, error } = await here.run(['lint', bad]);
    expect(exitCode).toBe(1);
    const lines = out.split('\n').slice(0, -1);
    expect(lines).toEqual([
      expect.stringMatching(/^…\/bad\.yaml:4:5: error\[unknown_field\]: .*`nam`.*`name`/),
      expect.stringMatching(/^…\/bad\.yaml:5:12: error\[/),
    ]);
    expect(error).toBe(`scopegate lint: ${lines.length} errors in 1 file\n`);
  });

  it('a test of the policy that fails: an error at its place', async () => {
    const { exitCode, out } = await here.run(['lint', failing]);
    expect([exitCode, out]).toEqual([
      1,
      '…/failing.yaml:4:9: error[test_failed]: test `t` expects allow, and it is deny 403 rule_deny by rule f' +
        ' (The rule says `access: deny`)\n',
    ]);
  });

  it('several files: one policy, so what clashes between them is found', async () => {
    const { exitCode, out, error } = await here.run(['lint', good, other]);
    expect(out).toMatch(/^…\/other\.yaml:3:\d+: error\[duplicate_name\]: .*…\/good\.yaml:3:/);
    expect([exitCode, error]).toEqual([1, 'scopegate lint: 1 error in 2 files\n']);
  });

  it('-: stdin, named as such', async () => {
    const { exitCode, out } = await here.run(['lint', '-'], { input: 'kind: Polïcy\n' });
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^<stdin>:1:\d+: error\[/);
  });

  it('an empty file: an error', async () => {
    const { exitCode, out } = await here.run(['lint', '-'], { input: '# nothing\n' });
    expect([exitCode, out]).toEqual([1, '<stdin>:1:1: error[no_document]: the text holds no document\n']);
  });

  it('a ConfigMap manifest: the documents in it, at lines of the manifest', async () => {
    const manifest = [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata: { name: policy }',
      'data:',
      '  a.yaml: |',
      '    apiVersion: scopegate.dev/v1',
      '    kind: Policy',
      '    rules: [{ name: m, paths: [/m], acess: public }]',
      '  notes.txt: anything',
    ].join('\n');
    const { exitCode, out } = await here.run(['lint', good, '-'], { input: manifest });
    expect(out).toMatch(/^<stdin>:8:37: error\[unknown_field\]: [^\n]*`acess`[^\n]*`access`[^\n]*\n$/);
    expect(exitCode).toBe(1);
    const mended = await here.run(['lint', good, '-'], { input: manifest.replace('acess', 'access') });
    expect(mended).toEqual({ exitCode: 0, out: '', error: 'scopegate lint: no problems in 2 files\n' });
  });

  it('colours: only where stdout shows them', async () => {
    expect((await here.run(['lint', bad], { isColored: true })).out).toContain('\u001b[31merror[');
    expect((await here.run(['lint', bad])).out).not.toContain('\u001b');
    expect((await here.run(['lint', bad, '--json'], { isColored: true })).out).not.toContain('\u001b');
  });

  it('--json: the document of the contract, exit codes as ever', async () => {
    const results = await Promise.all([good, warned, bad].map((file) => here.run(['lint', '--json', file])));
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 1]);
    const parsed = results.map(({ out }) => resultSchema.parse(JSON.parse(out)));
    expect(parsed.map(({ files, errors, warnings }) => [files, errors.length, warnings.length])).toEqual([
      [1, 0, 0],
      [1, 0, 1],
      [1, 2, 0],
    ]);
  });

  it('--format sarif: a log with the version of Scopegate', async () => {
    const { exitCode, out } = await here.run(['lint', '--format', 'sarif', bad]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      version: '2.1.0',
      runs: [{ tool: { driver: { version: '1.2.3' } }, results: [{ level: 'error' }, { level: 'error' }] }],
    });
  });

  it('--format github: workflow commands', async () => {
    const { out } = await here.run(['lint', '--format', 'github', failing]);
    expect(out).toMatch(/^::error file=…\/failing\.yaml,line=4,col=9,title=test_failed::/);
  });

  const usage: Record<string, [args: string[], error: string]> = {
    'no file: named': [[], "scopegate lint: missing required argument 'FILE'; see scopegate lint --help\n"],
    'an unknown format: with those that there are': [
      ['--format', 'xml', 'f'],
      "scopegate lint: option '--format <FORMAT>' argument 'xml' is invalid. Expected text, json, sarif or github.; see scopegate lint --help\n",
    ],
    '--json beside --format: named': [
      ['--json', '--format', 'sarif', 'f'],
      "scopegate lint: option '--json' cannot be used with option '--format <FORMAT>'; see scopegate lint --help\n",
    ],
    'a misspelt option: with what may have been meant': [
      ['--jsn', 'f'],
      "scopegate lint: unknown option '--jsn' (Did you mean --json?); see scopegate lint --help\n",
    ],
    'an absent file: named': [['/nowhere/p.yaml'], 'scopegate lint: /nowhere/p.yaml does not exist\n'],
    'a folder: what to write instead': [['/'], 'scopegate lint: / is a folder; name its files, such as /*.yaml\n'],
  };
  it.each(Object.entries(usage))('%s; exit 2, nothing on stdout', async (_name, [args, error]) => {
    expect(await here.run(['lint', ...args])).toEqual({ exitCode: 2, out: '', error });
  });

  it('one unreadable file beside a bad one: exit 2, and nothing is judged', async () => {
    const { exitCode, out } = await here.run(['lint', bad, '/nowhere/p.yaml']);
    expect([exitCode, out]).toEqual([2, '']);
  });

  it('--help: examples and exit codes on stdout', async () => {
    const { exitCode, out, error } = await here.run(['lint', '--help']);
    expect([exitCode, error]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: scopegate lint \[options\] FILE…\n/);
    expect(out.match(/^ {2}.*scopegate lint /gm)).toHaveLength(4);
    expect(out).toContain('Exit codes: 0 ');
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});
