/**
 * Promises: what it costs to find the rule for a request, with 10 rules and with 10,000: `node test/bench/match.ts`. Rounds of the two are
 * interleaved, the first are for warming up, and the medians are printed with their ratio. `spread` asks for every rule in turn, so that
 * with 10,000 rules nothing of the index is in the caches of the processor; `alike` asks both for the same ten.
 */
import { compile } from '../../src/policy/compile.ts';
import { parseDocuments } from '../../src/policy/document.ts';
import type { RouteIndex } from '../../src/policy/match.ts';
import { jsonPolicy, median, type SampleRequest, sampleRequests } from './policy-maker.ts';

const rounds = 41;
const warmUp = 5;
const turns = 100_000;

function indexOf(rules: number): RouteIndex {
  const { snapshot } = compile(parseDocuments({ name: 'policy', text: jsonPolicy(rules) }).documents);
  if (snapshot === undefined) throw new Error('not a good policy');
  return snapshot.routes;
}

/** Nanoseconds for one match. */
function time(index: RouteIndex, requests: readonly SampleRequest[]): number {
  let found = 0;
  const start = process.hrtime.bigint();
  for (let turn = 0; turn < turns; turn += 1) {
    const request = requests[turn % requests.length];
    if (request !== undefined && index.match(request.host, request.path, request.method) !== undefined) found += 1;
  }
  const elapsed = Number(process.hrtime.bigint() - start);
  if (found !== turns) throw new Error(`${turns - found} requests found no rule`);
  return elapsed / turns;
}

const indexes = new Map([10, 10_000].map((rules) => [rules, indexOf(rules)]));
const settings = [...indexes].flatMap(([rules, index]) => [
  { rules, how: 'alike', index, requests: sampleRequests(10), times: new Array<number>() },
  { rules, how: 'spread', index, requests: sampleRequests(rules), times: new Array<number>() },
]);
for (let round = 0; round < rounds; round += 1) {
  for (const { index, requests, times } of settings) {
    const nanoseconds = time(index, requests);
    if (round >= warmUp) times.push(nanoseconds);
  }
}
for (const how of ['alike', 'spread']) {
  const [few = Number.NaN, many = Number.NaN] = settings
    .filter((setting) => setting.how === how)
    .map(({ times }) => median(times));
  console.log(
    `${how}: ${few.toFixed(0)} ns with 10 rules, ${many.toFixed(0)} ns with 10,000: ${(many / few).toFixed(2)} times`,
  );
}
