/**
 * Promises: authorizers, each behind a real Envoy of its own, all started before and then asked in turn for a few seconds, round after round:
 * requests a second, latencies, CPU of the authorizer for each check, memory, and how busy the machine was. Tables on stdout, every sample in a JSON file.
 *
 *   npm run bench -- [--rounds 7] [--seconds 3] [--rate 500] [--only NAME]… [--cells hot,many,…] [--json FILE] [--beside MAIN_JS]
 *
 * CPU for each check is the figure that stays steadiest on a machine that is not quiet; ratios are those of one round, and then their median.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { cellsOf, usualCells } from './cells.ts';
import { contenders } from './contenders.ts';
import { openStation, type Sample, type Station } from './measure.ts';
import { Rig } from './rig.ts';
import { measured, median, remarks, targets } from './table.ts';
import { algorithms } from './tokens.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '500' },
    only: { type: 'string', multiple: true },
    cells: { type: 'string', default: usualCells },
    beside: { type: 'string' },
    json: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const names = options.cells.split(',');
const cells = cellsOf(Number(options.rate)).filter(({ name }) => names.includes(name));
const chosen = (await contenders(options.beside)).filter(
  ({ name }) => options.only === undefined || options.only.includes(name),
);

const samples: Sample[] = [];
const bare = new Map<string, number[]>(algorithms.map((algorithm) => [algorithm, []]));
const rig = await Rig.open();
const stations: Station[] = [];
try {
  for (const cell of cells) {
    for (const contender of chosen) {
      if (contender.isMain || cell.forAll) stations.push(await openStation(rig, contender, cell));
    }
  }
  for (let round = 1; round <= Number(options.rounds); round += 1) await runRound(round);
} finally {
  for (const station of stations) await station.close();
  rig.close();
}
console.log(`${machine()}\n\n${measured(samples)}\n`);
console.log([...bare].map(([name, us]) => `node:crypto verifies ${name} in ${median(us).toFixed(1)} us`).join(', '));
console.log(`\n${targets(samples, bare)}`);
save();

/** Those that come first in one round come last in the next. */
async function runRound(round: number): Promise<void> {
  for (const station of round % 2 === 1 ? stations : stations.toReversed()) {
    const sample = await station.ask({ round, seconds });
    if (sample.isWhole) samples.push(sample);
    console.error(`${sample.isWhole ? '' : 'left out: '}${lineOf(sample)}`);
    save();
  }
  const hot = stations.find(({ cell }) => cell.name === 'hot');
  if (hot !== undefined) await measureBare(hot);
}

/** While Envoy and an authorizer are kept busy: two threads of one core take twice as long for the same when both work. */
async function measureBare(station: Station): Promise<void> {
  const busy = station.ask({ round: 0, seconds: 6 });
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'bare.ts')]);
  const found = JSON.parse(stdout) as Record<string, number>;
  for (const algorithm of algorithms) bare.get(algorithm)?.push(found[algorithm] ?? Number.NaN);
  await busy;
}

function save(): void {
  if (options.json === undefined) return;
  writeFileSync(
    options.json,
    `${JSON.stringify({ machine: machine(), bare: Object.fromEntries(bare), samples }, undefined, 1)}\n`,
  );
}

function lineOf(sample: Sample): string {
  const { round, cpuUs, rss, requests, seconds: took, latency, busy } = sample;
  const figures = [
    `${cpuUs.toFixed(1)} us`,
    `${Math.round(requests / took)}/s`,
    `p99 ${latency.p99} us`,
    `longest ${latency.max} us`,
    `${Math.round(rss)} MiB`,
  ];
  return `${round} ${remarks(sample)}; ${figures.join(', ')}, machine ${Math.round(busy * 100)} % busy`;
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} cores of ${first?.model ?? 'unknown'}, Node ${process.version}, ${options.rounds} rounds of ${seconds} s`;
}
