import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../../deploy/envoy/child.ts';
import { section } from '../support/readme.ts';

const main = fileURLToPath(new URL('../../deploy/demo/main.ts', import.meta.url));
const running: Child[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.stop()));
});

/** The demo on ports of its own; `said` waits for a line. */
function demo(...args: string[]) {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const take = (line: string): void => {
    lines.push(line);
    for (const look of waiting) {
      look();
    }
  };
  const child = startChild(process.execPath, [main, '--port-base', '0', ...args], { onStdout: take, onStderr: take });
  running.push(child);
  function said(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        for (const line of lines) {
          const match = pattern.exec(line);
          if (match !== null) {
            waiting.delete(look);
            resolve(match);
            return;
          }
        }
      };
      waiting.add(look);
      child.ended.then(
        (phrase) => reject(new Error(`the demo ${phrase} without ${pattern}:\n${lines.join('\n')}`)),
        reject,
      );
      look();
    });
  }
  return { child, lines, said };
}

/** The rows of a table, without times and padding. */
function rowsOf(lines: readonly string[]): string[] {
  return lines
    .filter((line) => /^[✓✗]/.test(line))
    .map((line) => line.replace(/\s+[\d.]+$/, '').replaceAll(/ {2,}/g, ' | '));
}

describe('npm run demo', { timeout: 60_000 }, () => {
  it('--once: exit code 0, and the table of the README', async () => {
    const { child, lines } = demo('--once');
    const phrase = await child.ended;
    expect(rowsOf(lines)).toEqual(rowsOf(section('demo-output').split('\n')));
    expect(rowsOf(lines).length).toBeGreaterThan(12);
    expect(phrase).toBe('exited with code 0');
  });

  it('stays up: its curl lines work, a saved policy is in force, a bad one is not, Ctrl-C leaves nothing', async () => {
    const { child, said } = demo();
    const [, folder = '', url = ''] = await said(/-i -H "Authorization: Bearer \$\(cat (\S+)\/reader\)" (http\S+)$/);
    const authorization = `Bearer ${await readFile(`${folder}/reader`, 'utf8')}`;
    const status = async (): Promise<number> => (await fetch(url, { headers: { authorization } })).status;
    expect(await status()).toBe(200);
    await said(/allow 200 allowed .*clientId=shop/);

    const policyFile = `${folder}/policy.yaml`;
    const policy = await readFile(policyFile, 'utf8');
    await save(policyFile, policy.replace('scopes: [orders:read]', 'scopes: [orders:audit]'));
    await expect.poll(status, { timeout: 10_000 }).toBe(403);

    await save(policyFile, policy.replace('rules:', 'roules:'));
    await said(/roules/);
    expect(await status()).toBe(403);

    process.kill(child.pid ?? 0, 'SIGINT');
    expect(await child.ended).toBe('exited with code 0');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect(existsSync(folder)).toBe(false);
  });

  it('Envoy ends: said in a line, and everything else is stopped', async () => {
    const { child, said } = demo();
    const [, admin = ''] = await said(/Envoy at .* admin interface at (\S+)$/);
    await said(/Ctrl-C stops everything/);
    await fetch(`${admin}/quitquitquit`, { method: 'POST' });
    await said(/^demo: Envoy exited with code 0$/);
    expect(await child.ended).toBe('exited with code 1');
  });
});

/** As editors do: whole, by a rename. */
async function save(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
