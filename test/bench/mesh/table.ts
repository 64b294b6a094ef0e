/**
 * Promises: samples as tables: what was measured, and the ratios that are aimed at.
 */
import type { Sample } from './measure.ts';

type Figure = (sample: Sample) => number;

const cpu: Figure = ({ cpuUs }) => cpuUs;
const p99: Figure = ({ latency }) => latency.p99;
const rss: Figure = (sample) => sample.rss;

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function measured(samples: readonly Sample[]): string {
  const groups = Map.groupBy(samples, ({ contender, cell }) => `${contender} | ${cell}`);
  const head = [
    'authorizer',
    'what',
    'CPU a check, us',
    'requests/s',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'longest, us',
    'RSS MiB',
  ];
  const rows = [...groups].map(([name, group]) => [name].concat(rowOf(group)));
  return lines([head, head.map(() => '---'), ...rows]);
}

function rowOf(group: readonly Sample[]): readonly string[] {
  const of = (figure: Figure): string => String(Math.round(median(group.map(figure))));
  const used = group.map(cpu);
  const spread = `${Math.min(...used).toFixed(1)}-${Math.max(...used).toFixed(1)}`;
  return [
    `${median(used).toFixed(1)} (${spread})`,
    of(({ requests, seconds }) => requests / seconds),
    ...(['p50', 'p90', 'p99', 'p999', 'max'] as const).map((at) => of(({ latency }) => latency[at])),
    of(rss),
  ];
}

function lines(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const product = 'scopegate';
const http2 = 'allow-all, node:http2';
const go = 'allow-all, grpc-go';

/** The median of a figure; NaN where it was not measured. */
type Median = (contender: string, cell: string, figure: Figure) => number;

/** `bareUs`: what node:crypto takes to verify a signature. */
export function targets(samples: readonly Sample[], bareUs: ReadonlyMap<string, number>): string {
  const of: Median = (contender, cell, figure) =>
    median(samples.filter((one) => one.contender === contender && one.cell === cell).map(figure));
  const hot = of(product, 'hot', cpu);
  const first = (algorithm: string): number =>
    of(product, `first ${algorithm}`, cpu) / (hot + (bareUs.get(algorithm) ?? Number.NaN));
  const rows: readonly (readonly [string, number, number])[] = [
    ['hot token, to grpc-go that allows all', hot / of(go, 'hot', cpu), 1],
    ['hot token, to node:http2 that allows all', hot / of(http2, 'hot', cpu), Number.NaN],
    ['10,000 tokens, to hot', of(product, 'many', cpu) / hot, 1.2],
    ['first sight of RS256, to verifying and hot', first('RS256'), 1.4],
    ['first sight of ES256, to verifying and hot', first('ES256'), 1.4],
    ['first sight of EdDSA, to verifying and hot', first('EdDSA'), 1.4],
    ['10,000 rules, to 10', of(product, '10000 rules', cpu) / hot, 1.1],
    ['p99 in the open loop, to node:http2', of(product, 'open', p99) / of(http2, 'open', p99), 1.1],
    ['p99 in the open loop, to grpc-go', of(product, 'open', p99) / of(go, 'open', p99), 1.5],
    ['RSS with 10,000 tokens, to node:http2', of(product, 'many', rss) / of(http2, 'many', rss), 1.3],
    [
      'decision log of all, to off',
      of(`${product}, decision log of all`, 'hot', cpu) / of(`${product}, decision log off`, 'hot', cpu),
      1.2,
    ],
  ];
  const shown = rows.filter(([, ratio]) => !Number.isNaN(ratio));
  const body = shown.map(([what, ratio, target]) => [what, ratio.toFixed(2), Number.isNaN(target) ? '-' : `${target}`]);
  return lines([['what', 'ratio', 'target'], ['---', '---', '---'], ...body]);
}

/** What a cell alone tells. */
export function remarks({
  contender,
  cell,
  statuses,
  stall,
  unsent,
  allowedP99,
  rssOverTime,
  seconds,
}: Sample): string {
  const parts = [`statuses ${JSON.stringify(statuses)}`, `p99 of the allowed ${allowedP99} us`];
  if (unsent > 0) parts.push(`${unsent} not sent`);
  if (stall !== undefined)
    parts.push(`longest stall ${stall.wallMs.toFixed(1)} ms, of CPU ${stall.cpuMs.toFixed(1)} ms`);
  if (rssOverTime.length > 6)
    parts.push(
      `RSS ${rssOverTime.map(Math.round).join(' ')}, ${growth(rssOverTime).toFixed(2)} MiB a minute in the second half`,
    );
  return `${contender}, ${cell}, ${Math.round(seconds)} s: ${parts.join('; ')}`;
}

/** Slope of the second half by least squares, in MiB a minute, of a sample every ten seconds. */
function growth(rssOverTime: readonly number[]): number {
  const half = rssOverTime.slice(Math.floor(rssOverTime.length / 2));
  const [meanX, meanY] = [(half.length - 1) / 2, half.reduce((sum, one) => sum + one, 0) / half.length];
  const up = half.reduce((sum, one, index) => sum + (index - meanX) * (one - meanY), 0);
  return (6 * up) / half.reduce((sum, _, index) => sum + (index - meanX) ** 2, 0);
}
