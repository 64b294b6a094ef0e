/** What the commands write into real pipes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainFile as main } from '../support/serve.ts';

/** More than a pipe holds (64 KiB), and no more than are listed of one file. */
const problems = 1000;
let folder: string;
let file: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-pipes-'));
  file = join(folder, 'many.json');
  const rules = Array.from({ length: problems }, (_, n) => ({ nam: `r${n}`, paths: [`/${n}`], access: 'public' }));
  await writeFile(file, JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', rules }));
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function lint(...args: string[]) {
  const child = spawn(process.execPath, [main, 'lint', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  running.push(child);
  return { child, ended: once(child, 'exit') };
}

describe('scopegate in a pipe', { timeout: 20_000 }, () => {
  it('a reader that begins when all is said: gets the whole document', async () => {
    const { child, ended } = lint('--json', file);
    await once(child.stderr, 'data');
    const result = JSON.parse(await text(child.stdout)) as { errors: unknown[] };
    expect(result.errors).toHaveLength(problems);
    expect(JSON.stringify(result).length).toBeGreaterThan(65_536);
    expect(await ended).toEqual([1, null]);
  });

  it('a reader that goes away: no stack trace, the exit code of the command', async () => {
    const { child, ended } = lint(file);
    child.stdout.destroy();
    expect(await text(child.stderr)).toBe(`scopegate lint: ${problems} errors in 1 file\n`);
    expect(await ended).toEqual([1, null]);
  });

  it('a policy on stdin: read to its end', async () => {
    const { child, ended } = lint('-');
    const policy = {
      apiVersion: 'scopegate.dev/v1',
      kind: 'Policy',
      rules: [{ name: 'a', paths: ['/a'], access: 'deny' }],
    };
    child.stdin.write(JSON.stringify(policy));
    child.stdin.end(`\n${'# a comment\n'.repeat(10_000)}`);
    expect([await text(child.stdout), await ended]).toEqual(['', [0, null]]);
  });
});
