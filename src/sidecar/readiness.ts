/**
 * Promises: whether we are ready, decided from state and time alone, and what `/readyz` says about it (interface sections 1 and 9).
 * Ready: a good policy is active, and every issuer that it names has keys or the time allowed for that is over. Once ready it stays
 * ready until it drains: a later policy with an issuer whose keys cannot be had must not take the whole mesh down.
 */
import type { ClientTokenStatus } from '../egress/client-token.ts';
import { explainRequestFailure } from '../egress/failure.ts';
import { explainFailure } from '../keyset/failure.ts';
import type { KeySetStatus } from '../keyset/issuer-keys.ts';
import type { Problem } from '../policy/problem.ts';
import type { RejectedVersion } from '../policy/store.ts';
import type { WorkerCounts } from './serving.ts';

/** The state as it is at the moment. */
export interface ReadinessFacts {
  /** Hash of the active policy; undefined before the first good one. */
  readonly policy: string | undefined;
  readonly rejected: readonly RejectedVersion[];
  /** Sources that cannot be read, each with the reason. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** Sources whose version in force comes from `--state`, with when it was applied, in ms since 1970. */
  readonly fromState: ReadonlyMap<string, number>;
  readonly issuers: ReadonlyMap<string, KeySetStatus>;
  /** Readiness does not wait for their tokens: what needs none is decided without. */
  readonly clients: ReadonlyMap<string, ClientTokenStatus>;
  /** Undefined: this process answers by itself. */
  readonly workers?: WorkerCounts | undefined;
}

export interface Readiness {
  /** Looks at the facts; true from the first time that they suffice until `drain`. */
  update(): boolean;
  drain(): void;
  /** The body of `/readyz`. */
  report(): ReadinessReport;
}

export interface ReadinessReport {
  readonly status: 'ready' | 'not_ready' | 'draining';
  /** What readiness waits for, or what is missing although we are ready; one sentence each. */
  readonly missing: readonly string[];
  readonly policy: string | null;
  readonly rejected: readonly { readonly source: string; readonly problems: readonly Problem[] }[];
  readonly unreadable: Readonly<Record<string, string>>;
  readonly fromState: Readonly<Record<string, string>>;
  readonly issuers: Readonly<Record<string, KeySetStatus>>;
  readonly clients: Readonly<Record<string, ClientTokenStatus>>;
  readonly workers: WorkerCounts | undefined;
}

export interface ReadinessPorts {
  readonly facts: () => ReadinessFacts;
  /** True once `--ready-timeout` is over. */
  readonly isTimeOver: () => boolean;
}

/** Problems of one source in the body; the log has them all. */
const maxProblems = 10;

export function createReadiness(ports: ReadinessPorts): Readiness {
  let isReady = false;
  let isDraining = false;

  function update(): boolean {
    const facts = ports.facts();
    const isComplete = facts.policy !== undefined && (keyless(facts).length === 0 || ports.isTimeOver());
    if (!isDraining && isComplete && missingWorkers(facts).length === 0) isReady = true;
    return isReady;
  }

  function drain(): void {
    isDraining = true;
    isReady = false;
  }

  function report(): ReadinessReport {
    const facts = ports.facts();
    return {
      status: isDraining ? 'draining' : isReady && isAnswered(facts) ? 'ready' : 'not_ready',
      missing: missing(facts),
      policy: facts.policy ?? null,
      rejected: facts.rejected.map(({ source, problems }) => ({ source, problems: problems.slice(0, maxProblems) })),
      unreadable: Object.fromEntries(facts.unreadable),
      fromState: Object.fromEntries([...facts.fromState].map(([source, ms]) => [source, new Date(ms).toISOString()])),
      issuers: Object.fromEntries(facts.issuers),
      clients: Object.fromEntries(facts.clients),
      workers: facts.workers,
    };
  }

  return { update, drain, report };
}

/** Names of the issuers that have no keys to serve with. */
export function keyless({ issuers }: Pick<ReadinessFacts, 'issuers'>): readonly string[] {
  return [...issuers].filter(([, { hasKeys }]) => !hasKeys).map(([name]) => name);
}

function missing(facts: ReadinessFacts): readonly string[] {
  return [
    ...(facts.policy === undefined ? ['no good policy has been loaded yet'] : []),
    ...[...facts.unreadable].map(([source, reason]) => `policy source ${source} cannot be read: ${reason}`),
    ...[...facts.fromState.keys()].map((source) => `policy source ${source} is served from the saved state`),
    ...facts.rejected.map(whyRejected),
    ...keyless(facts).map((name) => `issuer ${name} has no keys: ${whyNoKeys(facts.issuers.get(name))}`),
    ...[...facts.clients].flatMap(whyNoToken),
    ...missingWorkers(facts),
  ];
}

/** One that has ended is started again while the others answer; where none is left nobody does. */
function isAnswered({ workers }: ReadinessFacts): boolean {
  return workers === undefined || workers.running > 0;
}

function missingWorkers({ workers }: ReadinessFacts): readonly string[] {
  if (workers === undefined || workers.current === workers.wanted) return [];
  return [`of ${workers.wanted} workers ${workers.running} run, ${workers.current} of them by what is in force`];
}

function whyRejected({ source, isLeaving }: RejectedVersion): string {
  return isLeaving
    ? `policy source ${source} is gone, but its rules stay: the rest would be bad without them`
    : `the newest version of policy source ${source} was refused`;
}

function whyNoKeys(status: KeySetStatus | undefined): string {
  return status?.lastError === undefined ? 'not fetched yet' : explainFailure(status.lastError);
}

function whyNoToken([name, { hasToken, lastError }]: readonly [string, ClientTokenStatus]): readonly string[] {
  if (hasToken) return [];
  return [
    `client ${name} has no token: ${lastError === undefined ? 'not given yet' : explainRequestFailure(lastError)}`,
  ];
}
