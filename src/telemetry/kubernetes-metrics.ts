/**
 * Promises: how watching the ConfigMaps of a policy goes. There are no such series where no ConfigMap is watched.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface KubernetesMetrics {
  /** `source` as `--policy` was typed. */
  readonly watchConnected: (source: string, isConnected: boolean) => void;
  readonly watchHeard: (source: string, nowSeconds: number) => void;
  readonly requested: (verb: string, code: string) => void;
}

export function createKubernetesMetrics(registry: Registry): KubernetesMetrics {
  const registers = [registry];
  const connected = new Gauge({
    name: 'scopegate_policy_watch_connected',
    help: 'Whether a watch of the source is open: 1, or 0.',
    labelNames: ['source'],
    registers,
  });
  const heard = new Gauge({
    name: 'scopegate_policy_watch_last_event_timestamp_seconds',
    help: 'When the API server last said something about the source; it does so about once a minute. 0 before the first time.',
    labelNames: ['source'],
    registers,
  });
  const requests = new Counter({
    name: 'scopegate_kubernetes_requests_total',
    help: 'Requests to the API server, by HTTP status, or error where there was no answer.',
    labelNames: ['verb', 'code'],
    registers,
  });
  return {
    watchConnected: (source, isConnected) => {
      connected.set({ source }, isConnected ? 1 : 0);
      // A series that begins with the first event could not be alerted on before.
      heard.inc({ source }, 0);
    },
    watchHeard: (source, nowSeconds) => heard.set({ source }, nowSeconds),
    requested: (verb, code) => requests.inc({ verb, code }),
  };
}
