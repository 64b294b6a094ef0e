/**
 * Promises: what the rest of the process sees of a cluster: watches that deliver states, events that may be lost, and who is told.
 * Leaves to others: the client behind it (cluster.ts).
 */
import type { ConfigMap, ConfigMapSelection, SelectionState } from './config-map.ts';

export interface Cluster {
  /** Delivers the state soon and then each time it has changed; never gives up. */
  watch(selection: ConfigMapSelection, observer: WatchObserver): { close(): void };
  /** Tells operators; never waited for, never needed, dropped where it may not be written or comes too often. */
  recordEvent(event: PolicyEvent): void;
  close(): void;
}

export interface WatchObserver {
  /** All that is selected, or why that is not known; equal states are not delivered twice. */
  deliver(state: SelectionState): void;
  /** A watch is open, or no longer. */
  connected(isConnected: boolean): void;
  /** The API server said something: an event or a bookmark. */
  heard(): void;
}

export interface ClusterObserver {
  /** One request was answered; `code` is the HTTP status, or `error` where there was no answer. */
  requested(verb: 'list' | 'watch' | 'create', code: string): void;
  /** One line for the log; `level` as in pino. */
  logged(level: 'debug' | 'info' | 'warn', message: string, detail: Readonly<Record<string, string | number>>): void;
  /** A bug of ours; watching goes on. */
  fault(fault: unknown): void;
}

/** What becomes an `events.k8s.io/v1` Event regarding the ConfigMap (interface section 9). */
export interface PolicyEvent {
  readonly configMap: Pick<ConfigMap, 'namespace' | 'name' | 'uid' | 'resourceVersion'>;
  readonly reason: 'PolicyApplied' | 'PolicyRejected' | 'PolicyDeleted';
  /** One or a few lines; cut at 1 KiB. */
  readonly note: string;
}
