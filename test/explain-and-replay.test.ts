/** docs/explain-and-replay.md shows what the commands print. `UPDATE_DOCS=1` writes it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { evidenceTable, policyHash } from './support/evidence-table.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/explain-and-replay.md');
const text = readFileSync(page, 'utf8');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-docs-'));
  const [policy = '', candidate = ''] = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, inner = '']) => inner);
  const [, log = ''] = /<!-- file decisions\.log -->\n```json\n([^]*?)```/.exec(text) ?? [];
  writeFileSync(join(folder, 'policy.yaml'), policy);
  writeFileSync(join(folder, 'new.yaml'), candidate);
  writeFileSync(join(folder, 'decisions.log'), log.replaceAll('<policy>', policyHash(policy)));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Stdout of the command, whatever its exit code. */
function run(command: string): string {
  const script = `scopegate() { "${process.execPath}" "${join(root, 'src/main.ts')}" "$@"; }\n${command}\ntrue`;
  return execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** The page as it has to be. */
function rendered(): string {
  return text
    .replaceAll(/(<!-- run -->\n```console\n)\$ ((?:.*\\\n)*.*)\n[^]*?```/g, (_all, head: string, command: string) => {
      return `${head}$ ${command}\n${run(command)}\`\`\``;
    })
    .replace(
      /<!-- evidence -->\n[^]*<!-- \/evidence -->/,
      () => `<!-- evidence -->\n${evidenceTable()}\n<!-- /evidence -->`,
    );
}

it('its commands print what it shows, and its table is that of the code', () => {
  const wanted = rendered();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, wanted);
  expect(wanted.match(/<!-- run -->/g)).toHaveLength(2);
  expect(wanted.split('\n')).toEqual(readFileSync(page, 'utf8').split('\n'));
});
