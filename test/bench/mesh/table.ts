/**
 * Promises: samples as tables: what was measured, and the ratios that are aimed at.
 */
import type { Sample } from './measure.ts';

type Figure = (sample: Sample) => number;

const cpu: Figure = ({ cpuUs }) => cpuUs;
const p50: Figure = ({ latency }) => latency.p50;
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

/** What is put over what, in one round. */
interface Target {
  readonly what: string;
  /** At most; undefined: none. */
  readonly most?: number;
  readonly figure?: Figure;
  readonly of: Place;
  readonly to: Place;
  /** Added to what it is put over, by round: what node:crypto takes. */
  readonly plus?: string;
}

type Place = readonly [contender: string, cell: string];

const hot: Place = [product, 'hot'];
const rows: readonly Target[] = [
  { what: 'hot token, to grpc-go that allows all', most: 1, of: hot, to: [go, 'hot'] },
  { what: 'hot token, to node:http2 that allows all', of: hot, to: [http2, 'hot'] },
  { what: 'hot token, to another build', of: hot, to: ['another build', 'hot'] },
  { what: '10,000 tokens, to hot', most: 1.2, of: [product, 'many'], to: hot },
  {
    what: 'first sight of RS256, to verifying and hot',
    most: 1.4,
    of: [product, 'first RS256'],
    to: hot,
    plus: 'RS256',
  },
  {
    what: 'first sight of ES256, to verifying and hot',
    most: 1.4,
    of: [product, 'first ES256'],
    to: hot,
    plus: 'ES256',
  },
  {
    what: 'first sight of EdDSA, to verifying and hot',
    most: 1.4,
    of: [product, 'first EdDSA'],
    to: hot,
    plus: 'EdDSA',
  },
  { what: '10,000 rules, to 10', most: 1.1, of: [product, '10000 rules'], to: hot },
  { what: 'p50 in the open loop, to node:http2', figure: p50, of: [product, 'open'], to: [http2, 'open'] },
  { what: 'p99 in the open loop, to node:http2', most: 1.1, figure: p99, of: [product, 'open'], to: [http2, 'open'] },
  { what: 'p99 in the open loop, to grpc-go', most: 1.5, figure: p99, of: [product, 'open'], to: [go, 'open'] },
  { what: 'RSS with 10,000 tokens, to node:http2', most: 1.3, figure: rss, of: [product, 'many'], to: [http2, 'many'] },
  {
    what: 'decision log of all, to off',
    most: 1.2,
    of: [`${product}, decision log of all`, 'hot'],
    to: [`${product}, decision log off`, 'hot'],
  },
];

/** `bareUs`: what node:crypto takes to verify a signature, by algorithm and round. */
export function targets(samples: readonly Sample[], bareUs: ReadonlyMap<string, readonly number[]>): string {
  const found = new Map(samples.map((sample) => [[sample.contender, sample.cell, sample.round].join(), sample]));
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const body = rows.flatMap((row) => {
    const ratios = rounds.flatMap((round) => ratioOf(row, round, { found, bareUs }) ?? []);
    if (ratios.length === 0) return [];
    const spread = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
    return [[row.what, median(ratios).toFixed(2), spread, String(row.most ?? '-')]];
  });
  return lines([['what', 'median of the ratios', 'all of them', 'target'], ['---', '---', '---', '---'], ...body]);
}

interface Found {
  readonly found: ReadonlyMap<string, Sample>;
  readonly bareUs: ReadonlyMap<string, readonly number[]>;
}

function ratioOf({ figure = cpu, of, to, plus }: Target, round: number, { found, bareUs }: Found): number | undefined {
  const [upper, lower] = [found.get([...of, round].join()), found.get([...to, round].join())];
  if (upper === undefined || lower === undefined) return undefined;
  const more = plus === undefined ? 0 : (bareUs.get(plus)?.[round - 1] ?? Number.NaN);
  return figure(upper) / (figure(lower) + more);
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
