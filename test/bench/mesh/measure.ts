/**
 * Promises: one sample: an authorizer is started behind an Envoy, warmed up, and asked for some time, while what belongs to the cell
 * happens.
 */
import type { ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import type { JwksServer } from '../../support/jwks-server.ts';
import type { Cell } from './cells.ts';
import type { Contender } from './contenders.ts';
import { type Disturbance, disturb } from './events.ts';
import type { LoadResult } from './load.ts';
import { end, freePort, load, startAuthorizer } from './process.ts';
import type { Rig } from './rig.ts';
import type { Stall } from './stall-probe.ts';
import { cpuSeconds, machineSeconds, rssMib } from './usage.ts';

export interface Sample extends LoadResult {
  readonly contender: string;
  readonly cell: string;
  readonly round: number;
  /** Of the authorizer, for each request. */
  readonly cpuUs: number;
  /** At the end. */
  readonly rss: number;
  /** In MiB, every ten seconds. */
  readonly rssOverTime: readonly number[];
  readonly stall: Stall | undefined;
  /** A refusal is cheaper than an allow, and no measure of it: only where more was asked for than can be done is anything refused. */
  readonly isWhole: boolean;
  /** Of the processors, what all processes of the machine used. */
  readonly busy: number;
}

const sampleMs = 10_000;

/** An authorizer behind an Envoy, warmed up, that is asked whenever its turn comes. */
export interface Station {
  readonly contender: string;
  readonly cell: Cell;
  ask(how: How): Promise<Sample>;
  close(): Promise<void>;
}

export interface How {
  readonly round: number;
  readonly seconds: number;
}

export async function openStation(rig: Rig, contender: Contender, cell: Cell): Promise<Station> {
  const port = await freePort();
  const issuer = cell.event === 'outage' ? await rig.issuer() : undefined;
  const policy = rig.policy(cell.rules, issuer?.jwksUri);
  const child = await startAuthorizer(contender.command({ port, policy, isProbed: cell.event === 'reload' }));
  const envoy = await rig.envoy(port);
  const file = await rig.file(cell.algorithm, cell.tokens);
  await warmUp(rig, cell, { port: envoy.port, file });
  return {
    contender: contender.name,
    cell,
    ask: async ({ round, seconds }) => {
      // What is seen for the first time is so only once.
      const fresh = cell.once ? await rig.file(cell.algorithm, cell.tokens) : file;
      const loaded = { ...cell, port: envoy.port, file: fresh, seconds: cell.seconds ?? seconds };
      const asked = await ask(rig, { child, issuer, policy, loaded });
      return { contender: contender.name, cell: cell.name, round, ...asked };
    },
    close: async () => {
      await envoy.stop();
      await end(child);
      await issuer?.close();
    },
  };
}

/** One sample. */
export async function measure(rig: Rig, contender: Contender, cell: Cell, how: How): Promise<Sample> {
  const station = await openStation(rig, contender, cell);
  try {
    return await station.ask(how);
  } finally {
    await station.close();
  }
}

interface Target {
  readonly port: number;
  readonly file: string;
}

type Loaded = Cell & Target & { readonly seconds: number };

/** Every token that is to be remembered is asked for, and the code by then has been compiled. */
async function warmUp(rig: Rig, cell: Cell, { port, file }: Target): Promise<void> {
  if (!cell.isWarm) await load({ port, file: await rig.file(cell.algorithm, 5000), seconds: 60, rate: 0, once: true });
  else if (cell.tokens > 1) await load({ port, file, seconds: 60, rate: 0, once: true });
  await load({ port, file: cell.isWarm ? file : await rig.file(cell.algorithm, 1), seconds: 3, rate: 0 });
}

interface Asked {
  readonly child: ChildProcess;
  readonly issuer: JwksServer | undefined;
  /** A file. */
  readonly policy: string;
  readonly loaded: Loaded;
}

async function ask(rig: Rig, asked: Asked): Promise<Omit<Sample, 'contender' | 'cell' | 'round'>> {
  const { child, loaded } = asked;
  const pid = child.pid ?? 0;
  const disturbance: Disturbance = await disturb(rig, { ...asked, cell: loaded, load: loaded });
  const settings = { ...loaded, ...disturbance.load };
  const rssOverTime: number[] = [];
  const sampling = setInterval(() => rssOverTime.push(rssMib(pid)), sampleMs);
  try {
    const [cpu, machine] = [cpuSeconds(pid), machineSeconds()];
    const result = await load(settings);
    const used = cpuSeconds(pid) - cpu;
    const busy = (machineSeconds() - machine) / result.seconds / cpus().length;
    const stall = await disturbance.end();
    return {
      ...result,
      cpuUs: (used * 1e6) / result.requests,
      rss: rssMib(pid),
      rssOverTime,
      stall,
      isWhole: isWhole(result, loaded),
      busy,
    };
  } finally {
    clearInterval(sampling);
    await disturbance.end();
  }
}

function isWhole({ statuses, requests }: LoadResult, { event }: Cell): boolean {
  return event === 'throttle' || (statuses['200'] ?? 0) >= requests * 0.99;
}
