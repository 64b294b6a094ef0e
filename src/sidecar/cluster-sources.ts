/**
 * Promises: the cluster that ConfigMaps of the policy come from, opened only where one is named: a sidecar that reads files loads nothing
 * of Kubernetes.
 */
import type { PolicySource } from '../config/policy-source.ts';
import type { ServeSettings } from '../config/settings.ts';
import type { Cluster, WatchObserver } from '../kubernetes/cluster-ports.ts';
import type { ConfigMapSelection } from '../kubernetes/config-map.ts';
import { ofSelection } from './origin.ts';
import type { PolicyFeed } from './policy-feed.ts';
import type { Reporting } from './reporting.ts';

/** Rejects with an error of one clear line when nothing says which cluster is meant. */
export async function openClusterOf(
  { policySources, kubeconfigFile, watchIdleTimeoutMs: idleTimeoutMs }: ServeSettings,
  { log, metrics, fault }: Reporting,
): Promise<Cluster | undefined> {
  if (policySources.every(({ kind }) => kind === 'path')) return undefined;
  const { openCluster } = await import('../kubernetes/cluster.ts');
  return openCluster(
    { kubeconfigFile, idleTimeoutMs },
    {
      requested: (verb, code) => metrics.kubernetes.requested(verb, code),
      logged: (level, message, detail) => log[level](detail, message),
      fault,
    },
  );
}

export interface SourceWatchPorts {
  readonly cluster: Cluster;
  readonly feed: Pick<PolicyFeed, 'deliver'>;
  readonly reporting: Pick<Reporting, 'metrics'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function watchConfigMaps(
  source: Exclude<PolicySource, { kind: 'path' }>,
  { cluster, feed, reporting, now }: SourceWatchPorts,
): { close(): void } {
  const { text } = source;
  const { kubernetes } = reporting.metrics;
  const selection = selectionOf(source);
  const observer: WatchObserver = {
    deliver: (state) => feed.deliver(text, ofSelection(text, selection, state)),
    connected: (isConnected) => kubernetes.watchConnected(text, isConnected),
    heard: () => kubernetes.watchHeard(text, now() / 1000),
  };
  observer.connected(false);
  return cluster.watch(selection, observer);
}

function selectionOf(source: Exclude<PolicySource, { kind: 'path' }>): ConfigMapSelection {
  const { namespace } = source;
  return source.kind === 'configMap'
    ? { kind: 'one', namespace, name: source.name }
    : { kind: 'labelled', namespace, selector: source.selector };
}
