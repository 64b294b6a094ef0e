/**
 * Promises: what more workers bring and cost: `serve` with one, and with each number that is named, asked directly and through
 * Envoy, in rounds that are interleaved. Checks a second, and CPU of all its processes for each check; medians.
 *
 *   npm run bundle && node test/bench/workers.ts [--workers 1,2] [--main MAIN_JS] [--rounds 5] [--seconds 4]
 *
 * The load is one more process: on few cores it takes a share of them, and what is measured is less than what there would be without it.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { DpopClient } from '../support/dpop-client.ts';
import { createSigner, type Signer } from '../support/es256.ts';
import { encodeCheckRequest } from '../support/proto-types.ts';
import { checkRequest, type HeaderLine } from '../support/request-maker.ts';
import type { GrpcLoadResult } from './grpc-load.ts';
import { cellsOf } from './mesh/cells.ts';
import type { Start } from './mesh/contenders.ts';
import { measure } from './mesh/measure.ts';
import { end, freePort, startAuthorizer } from './mesh/process.ts';
import { Rig } from './mesh/rig.ts';
import { median } from './mesh/table.ts';
import { cpuSeconds, machineSeconds, rssMib } from './mesh/usage.ts';

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2' },
    main: { type: 'string', default: 'dist-bundle/dist/main.js' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
const seconds = Number(options.seconds);
/** Of checks that differ. */
const mostPerSecond = 6000;
const warmSeconds = 2;
const root = join(import.meta.dirname, '../..');
const host = 'api.bench.test';
const issuer = 'https://idp.bench.test';

interface Cell {
  readonly name: string;
  readonly args: readonly string[];
  /** Headers of as many checks as are sent at most; proofs are good for a minute. */
  readonly checks: (count: number) => readonly (readonly HeaderLine[])[];
}

interface Sample {
  readonly cell: string;
  readonly workers: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly rss: number;
  readonly busy: number;
}

function policyOf({ jwk }: Signer): string {
  const corp = { name: 'corp', issuer, audiences: ['api'], jwks: { inline: { keys: [jwk] } } };
  const rule = { name: 'orders', hosts: [host], paths: ['/orders/{id}'], require: { scopes: ['read'] } };
  return JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', issuers: [corp], rules: [rule] });
}

async function directCells(signer: Signer): Promise<readonly Cell[]> {
  const client = new DpopClient();
  const token = await signer.token(issuer);
  const bound = await signer.token(issuer, { cnf: { jkt: client.thumbprint } });
  const proof = (): HeaderLine => ['dpop', client.proof(`https://${host}/orders/7`, bound)];
  const bearer: HeaderLine = ['authorization', `Bearer ${token}`];
  return [
    { name: 'hot token', args: [], checks: () => [[bearer]] },
    { name: 'every signature verified (ES256)', args: ['--token-cache-entries', '0'], checks: () => [[bearer]] },
    {
      name: 'DPoP, a new proof each',
      args: ['--dpop-replay-entries', '1000000'],
      checks: (count) => Array.from({ length: count }, () => [['authorization', `DPoP ${bound}`] as const, proof()]),
    },
  ];
}

function messageOf(headers: readonly HeaderLine[], number: number): Buffer {
  const request = { method: 'GET', host, path: '/orders/7', headers, token: '', certificate: '' };
  const message = encodeCheckRequest(checkRequest({ ...request, id: String(number) }, 'list'));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function serve(port: number, policy: string, workers: number): readonly string[] {
  const listeners = ['--grpc', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0'];
  const program = ['--max-semi-space-size=16', resolve(root, options.main), 'serve'];
  return [process.execPath, ...program, '--policy', policy, ...listeners, '--workers', String(workers)];
}

async function load(port: number, file: string, forSeconds: number): Promise<GrpcLoadResult> {
  const args = { port, checks: file, seconds: forSeconds, connections: 8, calls: 8 };
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = join(import.meta.dirname, 'grpc-load.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags]);
  return JSON.parse(stdout) as GrpcLoadResult;
}

async function measureDirectly(folder: string, cell: Cell, workers: number): Promise<Sample> {
  const port = await freePort();
  const [policy, file, warm] = ['policy.json', 'checks', 'warm'].map((name) => join(folder, name));
  writeFileSync(warm ?? '', Buffer.concat(cell.checks(mostPerSecond * warmSeconds).map(messageOf)));
  const child = await startAuthorizer([...serve(port, policy ?? '', workers), ...cell.args]);
  try {
    await load(port, warm ?? '', warmSeconds);
    writeFileSync(file ?? '', Buffer.concat(cell.checks(mostPerSecond * seconds).map(messageOf)));
    const [cpu, machine] = [cpuSeconds(child.pid ?? 0), machineSeconds()];
    const result = await load(port, file ?? '', seconds);
    const used = cpuSeconds(child.pid ?? 0) - cpu;
    const busy = (machineSeconds() - machine) / result.seconds / cpus().length;
    if (result.denied > result.answers / 100) throw new Error(`${cell.name}: ${JSON.stringify(result)}`);
    const perSecond = result.answers / result.seconds;
    return {
      cell: cell.name,
      workers,
      perSecond,
      cpuUs: (used * 1e6) / result.answers,
      rss: rssMib(child.pid ?? 0),
      busy,
    };
  } finally {
    await end(child);
  }
}

/** Behind a real Envoy, whose requests cost more than the check. */
async function measureBehindEnvoy(rig: Rig, workers: number, name: string): Promise<Sample> {
  const cell = cellsOf(500).find((one) => one.name === name);
  if (cell === undefined) throw new Error(`no cell ${name}`);
  const contender = {
    name: 'scopegate',
    isMain: true,
    command: ({ port, policy }: Start) => serve(port, policy, workers),
  };
  const sample = await measure(rig, contender, cell, { round: 0, seconds });
  const { cpuUs, rss, busy, requests } = sample;
  const label = name === 'hot' ? 'hot token, through Envoy' : 'hot token at 500 a second, through Envoy';
  return { cell: label, workers, perSecond: requests / sample.seconds, cpuUs, rss, busy };
}

const folder = mkdtempSync(join(tmpdir(), 'scopegate-bench-workers-'));
const samples: Sample[] = [];

function keep(sample: Sample): void {
  samples.push(sample);
  console.error(JSON.stringify(sample));
}

const rig = await Rig.open();
try {
  const signer = await createSigner('a');
  writeFileSync(join(folder, 'policy.json'), policyOf(signer));
  const cells = await directCells(signer);
  const counts = options.workers.split(',').map(Number);
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    for (const workers of round % 2 === 1 ? counts : counts.toReversed()) {
      for (const cell of cells) keep(await measureDirectly(folder, cell, workers));
      for (const name of ['hot', 'open']) keep(await measureBehindEnvoy(rig, workers, name));
    }
  }
} finally {
  rig.close();
  rmSync(folder, { recursive: true, force: true });
}

console.log('| what | workers | checks/s | CPU for each, µs | RSS, MiB |\n|---|---|---|---|---|');
for (const [name, ofOne] of Map.groupBy(samples, ({ cell, workers }) => `${cell} | ${workers}`)) {
  const of = (value: (sample: Sample) => number): string => median(ofOne.map(value)).toFixed(0);
  console.log(`| ${name} | ${of((one) => one.perSecond)} | ${of((one) => one.cpuUs)} | ${of((one) => one.rss)} |`);
}
