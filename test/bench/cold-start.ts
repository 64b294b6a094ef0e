/**
 * Promises: how long the bundle takes from its start to `listening`, beside `node -e 0`: wall time and CPU, in turns, medians and their
 * ratio. `node test/bench/cold-start.ts [--rounds 15]`
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTokens, policyText } from './mesh/tokens.ts';
import { cpuSeconds } from './mesh/usage.ts';
import { median } from './policy-maker.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const bundle = join(import.meta.dirname, '../../dist-bundle/dist/main.js');
if (!existsSync(bundle)) throw new Error('there is no bundle to measure: npm run bundle');
const folder = mkdtempSync(join(tmpdir(), 'scopegate-start-'));
const policy = join(folder, 'policy.json');
writeFileSync(policy, policyText((await createTokens()).keys, 10));

interface Start {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** To the first output that matches, or to the end where none is wanted. */
function start(args: readonly string[], until?: RegExp): Promise<Start> {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = child.pid ?? 0;
  return new Promise((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (until?.test(chunk.toString()) !== true) return;
      resolve({ wallMs: performance.now() - begun, cpuMs: 1000 * cpuSeconds(pid) });
      child.kill('SIGKILL');
    });
    child.once('exit', () => resolve({ wallMs: performance.now() - begun, cpuMs: Number.NaN }));
  });
}

const bare: Start[] = [];
const product: Start[] = [];
const ready: Start[] = [];
const serve = [bundle, 'serve', '--policy', policy, '--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
try {
  for (let round = 0; round < Number(options.rounds); round += 1) {
    bare.push(await start(['-e', '0']));
    product.push(await start(['--max-semi-space-size=16', ...serve], /"msg":"listening"/));
    ready.push(await start(['--max-semi-space-size=16', ...serve], /"msg":"ready"/));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const wall = (starts: readonly Start[]): number => median(starts.map(({ wallMs }) => wallMs));
const load = readFileSync('/proc/loadavg', 'utf8').split(' ', 1).join('');
console.log(
  `node -e 0: ${wall(bare).toFixed(0)} ms; listening: ${wall(product).toFixed(0)} ms; ready: ${wall(ready).toFixed(0)} ms`,
);
console.log(
  `${(wall(product) / wall(bare)).toFixed(2)} times to listening (load of the machine ${load}, ${options.rounds} rounds)`,
);
