/**
 * Promises: what happens to an authorizer while it is asked: new policies, an issuer that is away, a flood of bad tokens, too little CPU.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { JwksServer } from '../../support/jwks-server.ts';
import type { Cell, Event } from './cells.ts';
import type { LoadResult } from './load.ts';
import { type LoadSettings, load } from './process.ts';
import type { Rig } from './rig.ts';
import type { Stall } from './stall-probe.ts';

export interface Surroundings {
  readonly child: ChildProcess;
  readonly issuer: JwksServer | undefined;
  /** A file. */
  readonly policy: string;
  readonly cell: Cell;
  /** As the cell has it. */
  readonly load: LoadSettings;
}

export interface Disturbance {
  /** Instead of what the cell says. */
  readonly load: Partial<LoadSettings>;
  /** Called more than once. */
  end(): Promise<Stall | undefined>;
}

const reloadEveryMs = 3000;
/** Of every tenth of a second, as the kernel gives it to a container with a limit of a quarter of a processor. */
const throttle = { runMs: 25, stopMs: 75 } as const;
/** Bad tokens a second: more than one processor can verify beside the good ones. */
const floodRate = 4000;

const none: Disturbance = { load: {}, end: () => Promise.resolve(undefined) };

export function disturb(rig: Rig, at: Surroundings): Promise<Disturbance> {
  return at.cell.event === undefined ? Promise.resolve(none) : events[at.cell.event](rig, at);
}

const events: Readonly<Record<Event, (rig: Rig, at: Surroundings) => Promise<Disturbance>>> = {
  reload: async (rig, { child, cell, policy }) => {
    await longestStall(child);
    let rules = cell.rules;
    const timer = setInterval(() => {
      rules += 1;
      rig.rewrite(policy, rules);
    }, reloadEveryMs);
    return {
      load: {},
      end: () => {
        clearInterval(timer);
        return longestStall(child);
      },
    };
  },
  outage: async (_rig, { issuer }) => {
    await issuer?.close();
    return none;
  },
  flood: async (rig, at) => {
    const file = await rig.file('ES256', 20_000, spoiled);
    const flood = load({ ...at.load, file, rate: floodRate, connections: 256 });
    return {
      load: {},
      end: async () => {
        await flood;
        return undefined;
      },
    };
  },
  throttle: async (_rig, at) => {
    const stop = throttled(at.child);
    const { rate } = at.cell;
    // What it can do under that: it is asked for the next one as soon as it has answered.
    const capacity = rate === 0 ? 0 : perSecond(await load({ ...at.load, rate: 0, connections: 128 }));
    return {
      load: rate === 0 ? { connections: 128 } : { rate: Math.round(capacity * rate), connections: 1500 },
      end: () => {
        stop();
        return Promise.resolve(undefined);
      },
    };
  },
};

function perSecond({ requests, seconds }: LoadResult): number {
  return requests / seconds;
}

/** A signature of another message: as long to verify as a good one. */
function spoiled(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return `${header}.${payload}.${Array.from(signature).toReversed().join('').replace(/.$/, 'A')}`;
}

async function longestStall(child: ChildProcess): Promise<Stall | undefined> {
  if (!child.connected) return undefined;
  const answer = new Promise<Stall>((resolve) => child.once('message', (stall) => resolve(stall as Stall)));
  child.send('longest');
  return answer;
}

/** Until the returned function is called. */
function throttled(child: ChildProcess): () => void {
  const over = new AbortController();
  async function turns(): Promise<void> {
    while (!over.signal.aborted) {
      child.kill('SIGSTOP');
      await delay(throttle.stopMs);
      child.kill('SIGCONT');
      await delay(throttle.runMs);
    }
  }
  turns().catch((error: unknown) => console.error(error));
  return () => over.abort();
}
