/**
 * Promises: what the steps of a check cost by themselves, without a transport: nanoseconds of CPU (of all threads, so that collecting
 * garbage counts) and bytes of garbage for decoding, matching, verifying, encoding, and for a whole check of a token that is remembered,
 * with the decision log off, at its default and of all.
 *
 *   node --expose-gc test/bench/micro.ts [--rounds 15] [--json FILE]
 *
 * Rounds of the steps are interleaved, the first ones warm up, and the medians are printed.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { median } from './policy-maker.ts';
import { type Step, steps } from './steps.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, json: { type: 'string' } },
});
const warmUp = 4;

interface Measured {
  readonly step: Step;
  readonly nanoseconds: number[];
  readonly bytes: number[];
}

async function measure({ run, turns }: Step): Promise<{ nanoseconds: number; bytes: number }> {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const start = process.cpuUsage();
  for (let turn = 0; turn < turns; turn += 1) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(start);
  return { nanoseconds: ((user + system) * 1000) / turns, bytes: (process.memoryUsage().heapUsed - before) / turns };
}

const all: Measured[] = (await steps()).map((step) => ({ step, nanoseconds: [], bytes: [] }));
for (let round = 0; round < Number(options.rounds) + warmUp; round += 1) {
  for (const { step, nanoseconds, bytes } of all) {
    const measured = await measure(step);
    if (round < warmUp) continue;
    nanoseconds.push(measured.nanoseconds);
    bytes.push(measured.bytes);
  }
}

const rows = all.map(({ step, nanoseconds, bytes }) => ({
  step: step.name,
  nanoseconds: Math.round(median(nanoseconds)),
  /** A collection in the middle of a round makes it too little; the most of all rounds is closest. */
  bytes: Math.round(Math.max(...bytes)),
}));
for (const { step, nanoseconds, bytes } of rows) console.log(`| ${step} | ${nanoseconds} | ${bytes} |`);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 1)}\n`);
