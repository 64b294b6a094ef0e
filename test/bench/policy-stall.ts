/**
 * Promises: the longest time that a policy of 3,000 rules keeps everything else waiting while it is read and worked out beside the one that
 * is active, in CPU of the main thread: `node test/bench/policy-stall.ts [RULES]`. A process of its own takes one version after the other,
 * as a reload does; the first ones are slower, because the code is.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createPolicyStore } from '../../src/policy/store.ts';
import { jsonPolicy, median, yamlPolicy } from './policy-maker.ts';

const rules = Number(process.argv[2] ?? 3000);
const reloads = 15;

/** Milliseconds of CPU since the pause before. */
class Slice {
  longest = 0;
  total = 0;
  #since = process.threadCpuUsage();

  begin(): void {
    this.#since = process.threadCpuUsage();
  }

  end(): void {
    const { user, system } = process.threadCpuUsage(this.#since);
    const ms = (user + system) / 1000;
    this.longest = Math.max(this.longest, ms);
    this.total += ms;
  }
}

async function reload(store: ReturnType<typeof createPolicyStore>, text: string, slice: Slice): Promise<void> {
  slice.begin();
  const { applied } = await store.offer('policy', { files: [{ name: 'policy', text }], order: 1 });
  slice.end();
  if (!applied) throw new Error('not a good policy');
}

for (const [kind, make] of [
  ['JSON', jsonPolicy],
  ['YAML', yamlPolicy],
] as const) {
  let slice = new Slice();
  const store = createPolicyStore(undefined, async () => {
    slice.end();
    await nextTurn();
    slice.begin();
  });
  const slices: Slice[] = [];
  for (let turn = 0; turn < reloads; turn += 1) {
    slice = new Slice();
    await reload(store, make(rules + turn), slice);
    slices.push(slice);
  }
  const [first] = slices;
  const later = slices.slice(1);
  console.log(
    `${kind}, ${rules} rules: at start ${first?.longest.toFixed(1)} of ${first?.total.toFixed(1)} ms; ` +
      `reloads: longest ${Math.max(...later.map(({ longest }) => longest)).toFixed(1)} ms, ` +
      `median ${median(later.map(({ longest }) => longest)).toFixed(1)} of ${median(later.map(({ total }) => total)).toFixed(1)} ms`,
  );
}
