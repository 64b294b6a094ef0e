/**
 * Promises: authorizers behind a real Envoy, one at a time, in rounds that are interleaved: requests a second, latencies, CPU of the
 * authorizer for each check, memory, and how busy the machine was. Tables on stdout, every sample in a JSON file.
 *
 *   npm run bench -- [--rounds 3] [--seconds 5] [--rate 500] [--only NAME]… [--cells hot,many,…] [--json FILE] [--beside MAIN_JS]
 *
 * CPU for each check is the figure that stays steady on a machine that is not quiet; compare medians of one run, never of two.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { cellsOf, usualCells } from './cells.ts';
import { contenders } from './contenders.ts';
import { measure, type Sample } from './measure.ts';
import { Rig } from './rig.ts';
import { measured, median, remarks, targets } from './table.ts';
import { algorithms, type BenchTokens } from './tokens.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
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
try {
  for (let round = 1; round <= Number(options.rounds); round += 1) await runRound(round);
} finally {
  rig.close();
}
const bareUs = new Map([...bare].map(([algorithm, times]) => [algorithm, median(times)]));
console.log(`${machine()}\n\n${measured(samples)}\n`);
console.log([...bareUs].map(([name, us]) => `node:crypto verifies ${name} in ${us.toFixed(1)} us`).join(', '));
console.log(`\n${targets(samples, bareUs)}`);
save();

/** Contenders that come first in one round come last in the next. */
async function runRound(round: number): Promise<void> {
  for (const contender of round % 2 === 1 ? chosen : chosen.toReversed()) {
    for (const cell of cells) {
      if (!contender.isMain && !cell.forAll) continue;
      const sample = await measure(rig, contender, cell, { round, seconds });
      samples.push(sample);
      console.error(lineOf(sample));
      save();
    }
  }
  for (const algorithm of algorithms) bare.get(algorithm)?.push(await bareVerifyUs(rig.tokens, algorithm));
}

/** CPU of node:crypto for one signature, in microseconds. */
async function bareVerifyUs(tokens: BenchTokens, algorithm: (typeof algorithms)[number]): Promise<number> {
  const verifier = tokens.verifier(algorithm);
  const signed = (await tokens.make(algorithm, 2000)).map((token) => verifier.parts(token));
  for (const one of signed) verifier.verify(one);
  const start = process.cpuUsage();
  for (const one of signed) verifier.verify(one);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / signed.length;
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
