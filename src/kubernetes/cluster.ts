/**
 * Promises: a Cluster by the API server that the credentials name: several watches and the Events share them. The only door to the
 * Kubernetes client library, so that what imports this file pays for it and nothing else does.
 */
import { hostname } from 'node:os';
import { createApiClient, stopped } from './api-client.ts';
import type { Cluster, ClusterObserver } from './cluster-ports.ts';
import { createCredentials } from './credentials.ts';
import { createEventWriter } from './event-writer.ts';
import { type CredentialPlace, findPlace } from './kubeconfig.ts';
import { type ClusterPorts, systemPorts } from './ports.ts';
import { runWatch } from './watch-loop.ts';

export interface ClusterOptions {
  /** `--kubeconfig`; undefined: KUBECONFIG, else the service account of the pod. */
  readonly kubeconfigFile: string | undefined;
  /** A watch without a byte for so long is taken as dead. */
  readonly idleTimeoutMs: number;
  /** Who writes the Events. Default: the host name, which in a pod is its name. */
  readonly instance?: string;
}

/** Rejects only where nothing at all says which cluster is meant; everything else is tried again for as long as it takes. */
export async function openCluster(options: ClusterOptions, observer: ClusterObserver): Promise<Cluster> {
  const place = findPlace(options.kubeconfigFile, process.env);
  if (place === undefined) {
    throw new Error(
      'no cluster is configured: give --kubeconfig FILE, set KUBECONFIG, or run in a pod (KUBERNETES_SERVICE_HOST is not set)',
    );
  }
  return createCluster(place, options, observer, systemPorts);
}

export function createCluster(
  place: CredentialPlace,
  { idleTimeoutMs, instance = hostname() }: ClusterOptions,
  observer: ClusterObserver,
  ports: ClusterPorts,
): Cluster {
  const client = createApiClient(createCredentials(place, ports), observer);
  const events = createEventWriter({ client, ports, observer, instance });
  const running = new Set<AbortController>();

  const watch: Cluster['watch'] = (selection, told) => {
    const ending = new AbortController();
    running.add(ending);
    runWatch({ selection, idleTimeoutMs, signal: ending.signal }, told, { client, ports, observer })
      .catch((fault: unknown) => observer.fault(fault))
      .finally(() => running.delete(ending));
    return { close: () => ending.abort(stopped) };
  };

  function close(): void {
    events.close();
    for (const ending of running) ending.abort(stopped);
  }

  return { watch, recordEvent: (event) => events.record(event), close };
}
