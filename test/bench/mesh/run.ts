/**
 * Promises: authorizers behind a real Envoy, one at a time, in rounds that are interleaved: requests a second, latencies, CPU of the
 * authorizer for each check, memory, and what else the machine did meanwhile. A table on stdout, every sample in a JSON file.
 *
 *   npm run bench -- [--rounds 3] [--seconds 5] [--rate 500] [--only NAME]… [--cells hot,many,…] [--json FILE]
 *
 * CPU for each check is the figure that stays steady on a machine that is not quiet; compare medians of one run, never of two.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { envoyConfig } from '../../../deploy/envoy/config.ts';
import { envoyBinary } from '../../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../../deploy/envoy/process.ts';
import { Upstream } from '../../support/doors-envoy.ts';
import { type Contender, contenders } from './contenders.ts';
import type { LoadResult } from './load.ts';
import { type BenchTokens, createTokens, policyText } from './tokens.ts';
import { cpuSeconds, machineSeconds, rssMib } from './usage.ts';

/** What is asked for, and how. */
interface Cell {
  readonly name: string;
  readonly tokens: (tokens: BenchTokens) => Promise<string>;
  readonly rules: number;
  /** Asks for its tokens before it is measured; else for another one, so that the code is warm. */
  readonly warm: boolean;
  /** Requests a second; 0: closed loop. */
  readonly rate: number;
  /** Each token once: it is seen for the first time. */
  readonly once?: boolean;
}

interface Sample extends LoadResult {
  readonly contender: string;
  readonly cell: string;
  readonly round: number;
  readonly cpuUs: number;
  readonly rss: number;
  /** Cores that others used. */
  readonly foreign: number;
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '500' },
    only: { type: 'string', multiple: true },
    cells: { type: 'string', default: 'hot,many,first RS256,first ES256,first EdDSA,10000 rules,open' },
    json: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const hot = { tokens: (all: BenchTokens) => all.file('ES256', 1), rules: 10, warm: true, rate: 0 };
const cells: readonly Cell[] = [
  { name: 'hot', ...hot },
  { name: 'many', ...hot, tokens: (all: BenchTokens) => all.file('ES256', 10_000) },
  ...(['RS256', 'ES256', 'EdDSA'] as const).map((alg) => ({
    name: `first ${alg}`,
    ...hot,
    tokens: (all: BenchTokens) => all.file(alg, 8000),
    warm: false,
    once: true,
  })),
  { name: '10000 rules', ...hot, rules: 10_000 },
  { name: 'open', ...hot, rate: Number(options.rate) },
].filter(({ name }) => options.cells.split(',').includes(name));

const folder = mkdtempSync(join(tmpdir(), 'scopegate-bench-'));
const samples: Sample[] = [];
const upstream = new Upstream();
const upstreamPort = await upstream.start();
const binary = await envoyBinary((line) => console.error(line));
const tokens = await createTokens(folder);
const chosen = (await contenders()).filter(({ name }) => options.only === undefined || options.only.includes(name));
try {
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    for (const contender of round % 2 === 1 ? chosen : chosen.toReversed()) {
      for (const cell of cells) {
        if (!contender.verifies && !['hot', 'open'].includes(cell.name)) continue;
        samples.push(await measure(contender, cell, round));
        console.error(lineOf(samples.at(-1)));
      }
    }
  }
} finally {
  await upstream.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${machine()}\n\n${table()}`);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(samples, undefined, 1)}\n`);

async function measure(contender: Contender, cell: Cell, round: number): Promise<Sample> {
  const port = await freePort();
  const policy = join(folder, 'policy.json');
  writeFileSync(policy, policyText(tokens.keys, cell.rules));
  const [command = '', ...args] = contender.command({ port, policy });
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const spoken = listening(child);
  const authz = { host: '127.0.0.1', port };
  const config = envoyConfig({ listenPort: 0, authz, upstream: { host: '127.0.0.1', port: upstreamPort } });
  let envoy: RunningEnvoy | undefined;
  try {
    await spoken;
    envoy = await startEnvoy(binary, config, 0);
    const file = await cell.tokens(tokens);
    const warmUp = cell.warm ? file : await hot.tokens(tokens);
    await load(envoy.port, warmUp, { seconds: cell.name === 'many' ? 4 : 2, rate: 0 });
    const before = [cpuSeconds(child.pid ?? 0), machineSeconds(), process.cpuUsage()] as const;
    const result = await load(envoy.port, file, { ...cell, seconds });
    const cpu = cpuSeconds(child.pid ?? 0) - before[0];
    const allowed = result.statuses['200'] ?? 0;
    if (allowed < result.requests * 0.99) throw new Error(`${contender.name}: ${JSON.stringify(result.statuses)}`);
    return {
      ...result,
      ...{ contender: contender.name, cell: cell.name, round },
      cpuUs: (cpu * 1e6) / result.requests,
      rss: rssMib(child.pid ?? 0),
      foreign: Math.max(0, (machineSeconds() - before[1]) / result.seconds - cpus().length),
    };
  } finally {
    await envoy?.stop();
    child.kill('SIGKILL');
  }
}

function load(port: number, file: string, how: { seconds: number; rate: number; once?: boolean }): Promise<LoadResult> {
  const program = join(import.meta.dirname, 'load.ts');
  const connections = how.rate === 0 ? 32 : 16;
  const args = [
    '--port',
    port,
    '--tokens',
    file,
    '--seconds',
    how.seconds,
    '--connections',
    connections,
    '--rate',
    how.rate,
  ];
  const child = spawn(process.execPath, [program, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('close', () => {
      try {
        resolve(JSON.parse(text) as LoadResult);
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

/** Scopegate says `ready`, the others `listening`. */
async function listening(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    if (/"msg":"ready"|^listening/.test(chunk.toString())) resolve();
  });
  child.once('exit', () => reject(new Error('it ended before it listened')));
  await Promise.race([promise, delay(20_000).then(() => Promise.reject(new Error('it did not listen')))]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function lineOf(sample: Sample | undefined): string {
  if (sample === undefined) return '';
  const { contender, cell, round, cpuUs, rss, requests, seconds: took, latency, foreign } = sample;
  const figures = [
    `${cpuUs.toFixed(1)} us`,
    `${Math.round(requests / took)}/s`,
    `p99 ${latency.p99} us`,
    `${Math.round(rss)} MiB`,
  ];
  return `${round} ${contender}, ${cell}: ${figures.join(', ')}, others ${foreign.toFixed(1)} cores`;
}

function table(): string {
  const rows = chosen.flatMap(({ name }) =>
    cells.flatMap((cell) => {
      const own = samples.filter((sample) => sample.contender === name && sample.cell === cell.name);
      return own.length === 0 ? [] : [rowOf(name, cell.name, own)];
    }),
  );
  const head = [
    'authorizer',
    'what',
    'CPU a check, us',
    'to grpc-go',
    'requests/s',
    'p50',
    'p90',
    'p99',
    'p99.9 us',
    'RSS MiB',
  ];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function rowOf(name: string, cell: string, own: readonly Sample[]): readonly string[] {
  const go = samples.filter(({ contender, cell: other }) => contender === 'allow-all, grpc-go' && other === 'hot');
  const cpu = median(own.map(({ cpuUs }) => cpuUs));
  const [low, high] = [Math.min(...own.map(({ cpuUs }) => cpuUs)), Math.max(...own.map(({ cpuUs }) => cpuUs))];
  return [
    name,
    cell,
    `${cpu.toFixed(1)} (${low.toFixed(1)}-${high.toFixed(1)})`,
    go.length === 0 ? '-' : (cpu / median(go.map(({ cpuUs }) => cpuUs))).toFixed(2),
    String(Math.round(median(own.map(({ requests, seconds: took }) => requests / took)))),
    ...(['p50', 'p90', 'p99', 'p999'] as const).map((at) => String(median(own.map(({ latency }) => latency[at])))),
    String(Math.round(median(own.map(({ rss }) => rss)))),
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} cores of ${first?.model ?? 'unknown'}, Node ${process.version}, ${options.rounds} rounds of ${seconds} s`;
}
