/**
 * Promises: all ConfigMaps of a selection as of now, out of a list and the events after it. An event that is older than what is held, or
 * about an object that another one of this name has replaced, changes nothing.
 */
import type { ConfigMap } from './config-map.ts';
import type { WatchMessage } from './read-config-map.ts';

export interface Selected {
  replaceAll(configMaps: readonly ConfigMap[]): void;
  apply(message: WatchMessage): void;
  /** Sorted by creation time, then name. */
  all(): readonly ConfigMap[];
}

export function createSelected(): Selected {
  const held = new Map<string, ConfigMap>();

  function replaceAll(configMaps: readonly ConfigMap[]): void {
    held.clear();
    for (const configMap of configMaps) held.set(configMap.name, configMap);
  }

  function apply(message: WatchMessage): void {
    if (message.kind !== 'changed' && message.kind !== 'deleted') return;
    const { configMap } = message;
    const before = held.get(configMap.name);
    if (before !== undefined && isOlder(configMap, before)) return;
    if (message.kind === 'changed') held.set(configMap.name, configMap);
    else if (before?.uid === configMap.uid) held.delete(configMap.name);
  }

  return { replaceAll, apply, all: () => [...held.values()].toSorted(byAge) };
}

function byAge(a: ConfigMap, b: ConfigMap): number {
  if (a.createdMs !== b.createdMs) return a.createdMs - b.createdMs;
  return a.name < b.name ? -1 : 1;
}

/** By resource version, which grows; one that is not a number says nothing about its age. */
function isOlder(a: ConfigMap, b: ConfigMap): boolean {
  return (
    isNumber(a.resourceVersion) && isNumber(b.resourceVersion) && BigInt(a.resourceVersion) < BigInt(b.resourceVersion)
  );
}

function isNumber(text: string): boolean {
  return /^\d{1,40}$/.test(text);
}

/** Nothing that matters to a reader differs; the resource version also grows when only metadata changed. */
export function areSame(a: readonly ConfigMap[], b: readonly ConfigMap[]): boolean {
  return a.length === b.length && a.every((one, index) => isSame(one, b[index]));
}

function isSame(a: ConfigMap, b: ConfigMap | undefined): boolean {
  return (
    b !== undefined &&
    a.name === b.name &&
    a.uid === b.uid &&
    a.data.size === b.data.size &&
    [...a.data].every(([key, text]) => b.data.get(key) === text) &&
    a.binaryKeys.join('\n') === b.binaryKeys.join('\n')
  );
}
