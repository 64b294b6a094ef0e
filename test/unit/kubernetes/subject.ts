/**
 * A cluster under test: time is the test's own, so no pause is waited for, and everything that is told is kept and can be waited for.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster } from '../../../src/kubernetes/cluster.ts';
import type { Cluster, ClusterObserver, WatchObserver } from '../../../src/kubernetes/cluster-ports.ts';
import type { ConfigMapSelection, SelectionState } from '../../../src/kubernetes/config-map.ts';
import type { CredentialPlace } from '../../../src/kubernetes/kubeconfig.ts';
import type { ClusterPorts } from '../../../src/kubernetes/ports.ts';

export interface TestClock {
  readonly ports: ClusterPorts;
  /** All pauses so far. */
  readonly pauses: readonly number[];
  /** Delays of all timers that are running. */
  delays(): readonly number[];
  /** Lets time pass: timers that are due ring. */
  advance(ms: number): void;
  /** Pauses last until then. */
  hold(): () => void;
}

export function createTestClock(random: () => number = () => 0.5): TestClock {
  const timers = new Set<{ readonly atMs: number; readonly delayMs: number; readonly ring: () => void }>();
  const pauses: number[] = [];
  let nowMs = 0;
  let held: Promise<void> = Promise.resolve();

  function advance(ms: number): void {
    nowMs += ms;
    for (const timer of timers) {
      if (timer.atMs > nowMs) continue;
      timers.delete(timer);
      timer.ring();
    }
  }

  return {
    pauses,
    advance,
    delays: () => [...timers].map(({ delayMs }) => delayMs),
    hold: () => {
      let release = (): void => undefined;
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    ports: {
      nowMs: () => Date.UTC(2026, 10, 25) + nowMs,
      elapsedMs: () => nowMs,
      random,
      schedule: (callback, delayMs) => {
        const timer = { atMs: nowMs + delayMs, delayMs, ring: callback };
        timers.add(timer);
        return () => timers.delete(timer);
      },
      pause: async (delayMs, signal) => {
        pauses.push(delayMs);
        const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await Promise.race([held, ended]);
        // Time passes in pauses, so that loops come to an end.
        nowMs += delayMs;
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
  };
}

/** Everything that was told, and a way to wait for it. */
export interface Recorder {
  readonly states: SelectionState[];
  readonly connected: boolean[];
  readonly requested: string[];
  readonly logged: {
    readonly level: string;
    readonly message: string;
    readonly detail: Readonly<Record<string, string | number>>;
  }[];
  readonly faults: unknown[];
  heard: number;
  readonly watchObserver: WatchObserver;
  readonly clusterObserver: ClusterObserver;
  until(check: () => boolean): Promise<void>;
}

export function createRecorder(): Recorder {
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const look of waiting) look();
  };
  const recorder: Recorder = {
    states: [],
    connected: [],
    requested: [],
    logged: [],
    faults: [],
    heard: 0,
    watchObserver: {
      deliver: (state) => {
        recorder.states.push(state);
        changed();
      },
      connected: (is) => {
        recorder.connected.push(is);
        changed();
      },
      heard: () => {
        recorder.heard += 1;
        changed();
      },
    },
    clusterObserver: {
      requested: (verb, code) => {
        recorder.requested.push(`${verb} ${code}`);
        changed();
      },
      logged: (level, message, detail) => {
        recorder.logged.push({ level, message, detail });
        changed();
      },
      fault: (fault) => {
        recorder.faults.push(fault);
        changed();
      },
    },
    until: (check) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!check()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
  return recorder;
}

export interface Subject {
  readonly cluster: Cluster;
  readonly clock: TestClock;
  readonly told: Recorder;
  /** The data of what was delivered last, or the reason. */
  now(): unknown;
  readonly close: () => void;
}

export const one: ConfigMapSelection = { kind: 'one', namespace: 'shop', name: 'policy' };

export function watchCluster(
  place: CredentialPlace,
  selection: ConfigMapSelection = one,
  random?: () => number,
  idleTimeoutMs = 75_000,
): Subject {
  const clock = createTestClock(random);
  const told = createRecorder();
  const cluster = createCluster(
    place,
    { kubeconfigFile: undefined, idleTimeoutMs, instance: 'pod-1' },
    told.clusterObserver,
    clock.ports,
  );
  cluster.watch(selection, told.watchObserver);
  return { cluster, clock, told, now: () => plain(told.states.at(-1)), close: () => cluster.close() };
}

/** A state as a test writes it. */
export function plain(state: SelectionState | undefined): unknown {
  if (state?.kind !== 'content') return state?.reason;
  return Object.fromEntries(state.configMaps.map(({ name, data }) => [name, Object.fromEntries(data)]));
}

export interface Folder {
  readonly path: string;
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

export async function createFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'scopegate-kubernetes-'));
  return {
    path,
    write: async (name, text) => {
      await writeFile(join(path, name), text, { mode: 0o700 });
      return join(path, name);
    },
    remove: () => rm(path, { recursive: true }),
  };
}

/** JSON is YAML. `insecure-skip-tls-verify` is what plain HTTP needs. */
export function kubeconfig(
  server: string,
  user: unknown = {},
  cluster: object = { 'insecure-skip-tls-verify': true },
): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}
