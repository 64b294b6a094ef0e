/**
 * Promises: ConfigMaps and a cluster that says what a test tells it to, for the tests of this room.
 */
import type { Cluster, PolicyEvent, WatchObserver } from '../../../src/kubernetes/cluster-ports.ts';
import type { ConfigMap, ConfigMapSelection } from '../../../src/kubernetes/config-map.ts';

/** A policy that opens one path for each rule. */
export function textOf(...rules: readonly string[]): string {
  const list = rules.map((name) => ({ name, paths: [`/${name}`], access: 'public' }));
  return JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', rules: list });
}

/** `shop/NAME` with one document of these rules. */
export function configMap(name: string, rules: readonly string[], more: Partial<ConfigMap> = {}): ConfigMap {
  return {
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    createdMs: 1000,
    data: new Map([['p.json', textOf(...rules)]]),
    binaryKeys: [],
    ...more,
  };
}

/** Remembers its watches by what they select, and the Events. */
export class FakeCluster implements Cluster {
  readonly watches = new Map<string, WatchObserver>();
  readonly events: PolicyEvent[] = [];
  readonly closed: string[] = [];

  watch(selection: ConfigMapSelection, observer: WatchObserver): { close(): void } {
    const name = selection.kind === 'one' ? selection.name : selection.selector;
    this.watches.set(name, observer);
    return { close: () => void this.closed.push(name) };
  }

  recordEvent(event: PolicyEvent): void {
    this.events.push(event);
  }

  close(): void {
    this.closed.push('cluster');
  }

  holds(name: string, ...configMaps: readonly ConfigMap[]): void {
    this.watches.get(name)?.deliver({ kind: 'content', configMaps });
  }

  isAway(name: string, reason = 'connection refused'): void {
    this.watches.get(name)?.deliver({ kind: 'unavailable', reason });
  }
}
