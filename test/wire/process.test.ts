/** How the process ends, whoever reads its log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mainFile as main } from '../support/serve.ts';

let folder: string;
let running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-process-'));
  const rules = [{ name: 'open', paths: ['/open'], access: 'public' }];
  await writeFile(
    join(folder, 'policy.yaml'),
    JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', rules }),
  );
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running = [];
  await rm(folder, { recursive: true });
});

/** A serve whose log lines are read one by one. */
function serve(...args: string[]) {
  const listeners = ['--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-format', 'json'];
  const child = spawn(
    process.execPath,
    [main, 'serve', '--policy', join(folder, 'policy.yaml'), ...listeners, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  running.push(child);
  const lines: string[] = [];
  const look = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push((JSON.parse(line) as { msg: string }).msg);
    for (const ask of look) ask();
  });
  const said = (msg: string): Promise<void> =>
    new Promise((resolve) => {
      const ask = (): void => {
        if (lines.includes(msg)) resolve();
      };
      look.add(ask);
      ask();
    });
  return { child, said, ended: once(child, 'exit') };
}

describe('the process', { timeout: 20_000 }, () => {
  it('nobody reads its log any more: SIGTERM ends it all the same', async () => {
    const { child, said, ended } = serve('--drain', '0s');
    await said('ready');
    child.stdout.destroy();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('its log is not read and full: SIGTERM ends it all the same', async () => {
    const { child, said, ended } = serve('--drain', '0s');
    await said('ready');
    child.stdout.pause();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('a second signal while it drains: ends at once, with the code of a signal', async () => {
    const { child, said, ended } = serve();
    await said('ready');
    child.kill('SIGTERM');
    await said('draining');
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
  });
});
