/**
 * Promises: what `serve` needs of whatever answers its checks: the gRPC server of this process, or of others that it started.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { ClientTokens } from '../egress/client-tokens.ts';
import type { Introspections } from '../introspection/introspections.ts';
import type { KeySets } from '../keyset/key-sets.ts';
import type { PolicyStore } from '../policy/store.ts';
import type { GrpcServer } from '../server/grpc.ts';
import { createCheckServer } from './check-server.ts';
import type { Member } from './origin.ts';
import type { Reporting } from './reporting.ts';
import type { SystemSender } from './sender.ts';

/** Processes that answer, as far as readiness asks. */
export interface WorkerCounts {
  readonly wanted: number;
  /** They answer. */
  readonly running: number;
  /** They answer by the policy and the keys that are in force. */
  readonly current: number;
}

/** What other processes answer by; told to them each time it may have changed. */
export interface Followers {
  policyChanged(active: readonly Member[]): void;
  keysChanged(): void;
  counts(): WorkerCounts;
  /** Calls back each time that `counts` may have changed. */
  onCounts(listener: () => void): void;
}

export interface Serving extends Pick<GrpcServer, 'start' | 'setServing' | 'drain' | 'stop'> {
  /** Undefined: this process answers by itself. */
  readonly followers?: Followers;
}

export interface ServingParts {
  readonly store: PolicyStore;
  readonly keySets: KeySets;
  readonly clientTokens: ClientTokens;
  readonly introspections: Introspections;
  readonly sender: SystemSender;
}

export type CreateServing = (settings: ServeSettings, reporting: Reporting, parts: ServingParts) => Serving;

export const serveHere: CreateServing = (settings, reporting, parts) => {
  const { store, keySets, clientTokens, introspections, sender } = parts;
  return createCheckServer(settings, reporting, {
    policy: () => store.current(),
    resolveKeys: keySets.resolve,
    clientToken: clientTokens.resolve,
    introspect: introspections.introspect,
    checkSender: sender.check,
  });
};
