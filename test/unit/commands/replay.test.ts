import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addReplay } from '../../../src/commands/replay.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-replay-'));
  const head = { apiVersion: 'scopegate.dev/v1', kind: 'Policy' };
  const issuer = { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'] };
  const rule = { name: 'a', paths: ['/a'], require: { scopes: ['r'] } };
  write('same.yaml', JSON.stringify({ ...head, issuers: [issuer], rules: [rule] }));
  write(
    'stricter.yaml',
    JSON.stringify({ ...head, issuers: [issuer], rules: [{ ...rule, require: { scopes: ['w'] } }] }),
  );
  write(
    'condition.yaml',
    JSON.stringify({ ...head, issuers: [issuer], rules: [{ ...rule, require: { when: 'claims.t == 1' } }] }),
  );
  write('bad.yaml', '{ "apiVersion": "scopegate.dev/v1", "kind": "Policy", "rulez": [] }');
  write('a.log', `${line}\n{"msg":"ready"}\n`);
  write('empty.log', '');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const line = JSON.stringify({
  msg: 'decision',
  decision: 'allow',
  reason: 'allowed',
  rule: 'a',
  issuer: 'corp',
  scopes: ['r'],
  method: 'GET',
  host: 'shop.test',
  path: '/a',
});

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

interface Result {
  exitCode: number | undefined;
  out: string;
  error: string;
  flushes: number;
}

/** `~` before a name stands for the folder of the test. */
async function run(args: readonly string[], stdin = ''): Promise<Result> {
  const result: Result = { exitCode: undefined, out: '', error: '', flushes: 0 };
  const ports = {
    writeOut: (text: string) => {
      result.out += text;
    },
    writeError: (text: string) => {
      result.error += text;
    },
    flush: async () => {
      result.flushes += 1;
    },
    stdin: (async function* chunks() {
      yield Buffer.from(stdin);
    })(),
    isColored: false,
    now: () => 0,
  };
  const program = new Command('scopegate').exitOverride();
  addReplay(program, ports, (code) => {
    result.exitCode = code;
  });
  const [command] = program.commands;
  command?.configureOutput({ writeErr: ports.writeError, writeOut: ports.writeOut }).exitOverride();
  await program
    .parseAsync(['replay', ...args.map((arg) => arg.replace(/^~/, `${folder}/`))], { from: 'user' })
    .catch(() => {
      result.exitCode = 2;
    });
  return { ...result, out: result.out.replaceAll(`${folder}/`, ''), error: result.error.replaceAll(`${folder}/`, '') };
}

const runs: Record<string, [args: readonly string[], exitCode: number, first: RegExp, stdin?: string]> = {
  'nothing changed: 0, and only the summary': [
    ['--policy', '~same.yaml', '~a.log'],
    0,
    /^1 decisions: 1 same, 0 changed/,
  ],
  'all are asked for: the same too': [
    ['--policy', '~same.yaml', '--all', '~a.log'],
    0,
    /^same {9}a\.log:1 {2}GET shop\.test\/a/,
  ],
  'something changed: 1, and what': [['--policy', '~stricter.yaml', '~a.log'], 1, /^changed {6}a\.log:1 /],
  'undecidable: no change, so 0': [['--policy', '~condition.yaml', '~a.log'], 0, /^undecidable {2}a\.log:1 /],
  'no log: stdin': [['--policy', '~stricter.yaml'], 1, /^changed {6}<stdin>:2 /, `{}\n${line}`],
  'a log and stdin, in their order': [
    ['--policy', '~stricter.yaml', '--json', '-', '~a.log'],
    1,
    /^\{"verdict":"changed","log":"<stdin>","line":1/,
    line,
  ],
  'with the policy that decided': [['--policy', '~stricter.yaml', '--current', '~same.yaml', '~a.log'], 1, /^changed /],
};

it.each(Object.entries(runs))('%s', async (_name, [args, exitCode, first, stdin]) => {
  const result = await run(args, stdin);
  expect([result.exitCode, result.out]).toEqual([exitCode, expect.stringMatching(first)]);
  expect(result.error).toMatch(/^scopegate replay: \d lines? read\n(?:scopegate replay: .+\n)*$/);
});

it.each([
  ['without the policy that decided', ['~stricter.yaml'], 'a change of its issuers is not seen without --current FILE'],
  [
    'with another one than that',
    ['~stricter.yaml', '--current', '~same.yaml'],
    'than --current: their issuers were not compared',
  ],
  [
    'with what is undecidable',
    ['~condition.yaml'],
    'undecidable decisions may change, and the exit code does not count them',
  ],
])('%s: said on stderr, since the exit code does not', async (_name, policies, caution) => {
  const { error } = await run(['--policy', ...policies, '~a.log']);
  expect(error).toContain(caution);
});

it('output waits for its reader, batch by batch', async () => {
  expect((await run(['--policy', '~stricter.yaml', '~a.log', '~a.log', '~empty.log'])).flushes).toBe(2);
});

it('a log without decisions: said, since nothing was checked', async () => {
  const { exitCode, error } = await run(['--policy', '~same.yaml', '~empty.log']);
  expect([exitCode, error]).toEqual([
    0,
    'scopegate replay: 0 lines read; no decision among them, see --decision-log of serve\n',
  ]);
});

const mistakes: Record<string, [args: readonly string[], error: string]> = {
  'no policy': [['~a.log'], 'error: --policy FILE is required\n'],
  'stdin twice': [['--policy', '-'], 'error: stdin can be read only once: as a policy or as a log\n'],
  'an absent policy': [['--policy', '~no.yaml'], 'scopegate replay: no.yaml does not exist\n'],
  'an absent current policy': [
    ['--policy', '~same.yaml', '--current', '~no.yaml'],
    'scopegate replay: no.yaml does not exist\n',
  ],
  'a policy with errors': [
    ['--policy', '~bad.yaml', '~a.log'],
    'bad.yaml:1:55: error[unknown_field]: unknown field `rulez` (did you mean `rules`?)\nscopegate replay: the policy cannot be used: 1 error\n',
  ],
  'an absent log: before any is read': [
    ['--policy', '~stricter.yaml', '~a.log', '~no.log'],
    'scopegate replay: no.log does not exist\n',
  ],
  'a folder': [['--policy', '~same.yaml', '~'], ' is a folder; name its files\n'],
};

it.each(Object.entries(mistakes))('%s: exit 2, and nothing on stdout', async (_name, [args, error]) => {
  const result = await run(args);
  expect([result.exitCode, result.out]).toEqual([2, '']);
  expect(result.error.slice(-error.length)).toBe(error);
});
