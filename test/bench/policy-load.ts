/**
 * Promises: the CPU that it takes to make a text of 10,000 rules a policy, all threads of the process counted, in a process that has done
 * nothing before: `node test/bench/policy-load.ts`. The kinds of text take turns; the median of each is printed.
 */
import { spawnSync } from 'node:child_process';
import { loadLanguage } from '../../src/condition/language.ts';
import { compile } from '../../src/policy/compile.ts';
import { parseDocuments } from '../../src/policy/document.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { jsonPolicy, median, yamlPolicy } from './policy-maker.ts';

const rules = 10_000;
const rounds = 5;

const kinds: Readonly<Record<string, () => string>> = {
  YAML: () => yamlPolicy(rules),
  'YAML, a condition in every tenth rule': () =>
    yamlPolicy(rules, (index) => (index % 10 === 0 ? [`      when: claims.tenant == "tenant-${index}"`] : [])),
  'YAML that only the library reads (an anchor)': () => yamlPolicy(rules).replace('[api]', '&audiences [api]'),
  JSON: () => jsonPolicy(rules),
};

interface Measured {
  readonly parsing: number;
  readonly compiling: number;
  /** The same text again, with the policy before at hand. */
  readonly again: number;
}

function load(text: string, previous?: PolicySnapshot): PolicySnapshot {
  const { documents } = parseDocuments({ name: 'policy', text });
  const { snapshot } = compile(documents, previous);
  if (snapshot?.rules.length !== rules) throw new Error('not a good policy');
  return snapshot;
}

function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

function measure(text: string): Measured {
  const start = process.cpuUsage();
  const { documents } = parseDocuments({ name: 'policy', text });
  const parsing = cpuMs(start);
  const { snapshot } = compile(documents);
  const compiling = cpuMs(start) - parsing;
  const then = process.cpuUsage();
  load(text, snapshot);
  return { parsing, compiling, again: cpuMs(then) };
}

const [, script = '', chosen] = process.argv;
if (chosen !== undefined) {
  const text = kinds[chosen]?.() ?? '';
  await loadLanguage();
  process.stdout.write(JSON.stringify(measure(text)));
} else {
  const results = new Map(Object.keys(kinds).map((kind) => [kind, new Array<Measured>()]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [kind, measured] of results) {
      const { stdout } = spawnSync(process.execPath, [script, kind], { encoding: 'utf8', timeout: 60_000 });
      measured.push(JSON.parse(stdout) as Measured);
    }
  }
  for (const [kind, measured] of results) {
    const [parsing, compiling, again] = [
      median(measured.map((one) => one.parsing)),
      median(measured.map((one) => one.compiling)),
      median(measured.map((one) => one.again)),
    ].map((ms) => `${ms.toFixed(0)} ms`);
    const total = median(measured.map((one) => one.parsing + one.compiling));
    console.log(`${kind}: ${total.toFixed(0)} ms of CPU (text ${parsing}, policy ${compiling}); again ${again}`);
  }
}
