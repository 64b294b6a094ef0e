/**
 * Promises: ConfigMaps out of what the API server sent, or nothing where that is not a ConfigMap of the selection: a list of other
 * objects, an event about another name, half an object.
 */
import type { ConfigMap, ConfigMapSelection } from './config-map.ts';
import { isJsonObject, type JsonObject, objectOf, parseJson, textOf } from './json.ts';

export interface ConfigMapList {
  readonly configMaps: readonly ConfigMap[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export type WatchMessage =
  | { readonly kind: 'changed' | 'deleted'; readonly configMap: ConfigMap }
  | { readonly kind: 'bookmark' }
  /** The server ends the watch; 410 where its history no longer reaches back to our start. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  /** Well-formed, but none of our business. */
  | { readonly kind: 'foreign'; readonly what: string };

export function readList(text: string, selection: ConfigMapSelection): ConfigMapList | undefined {
  const list = objectOf(parseJson(text));
  const resourceVersion = textOf(objectOf(list['metadata'])['resourceVersion']);
  // A list without items says `null`, from servers that are written in Go.
  const items: unknown = list['items'] ?? [];
  if (list['kind'] !== 'ConfigMapList' || resourceVersion === '' || !Array.isArray(items)) return undefined;
  const configMaps: ConfigMap[] = [];
  for (const item of items) {
    const configMap = isJsonObject(item) ? readConfigMap(item) : undefined;
    // Half a list would look like deletions.
    if (configMap === undefined) return undefined;
    if (isSelected(configMap, selection)) configMaps.push(configMap);
  }
  return { configMaps, resourceVersion };
}

/** One line of a watch; undefined where it is none, so that nothing after it can be believed either. */
export function readWatchLine(text: string, selection: ConfigMapSelection): WatchMessage | undefined {
  const message = parseJson(text);
  if (!isJsonObject(message) || !isJsonObject(message['object'])) return undefined;
  const { type, object } = { type: textOf(message['type']), object: message['object'] };
  if (type === 'BOOKMARK') return { kind: 'bookmark' };
  if (type === 'ERROR') return { kind: 'error', code: String(object['code']), message: textOf(object['message']) };
  const kind = changes.get(type);
  if (kind === undefined) return { kind: 'foreign', what: 'an event of an unknown type' };
  if (object['kind'] !== 'ConfigMap') return { kind: 'foreign', what: 'an event about another kind of object' };
  const configMap = readConfigMap(object);
  if (configMap === undefined) return undefined;
  return isSelected(configMap, selection)
    ? { kind, configMap }
    : { kind: 'foreign', what: 'an event about another ConfigMap' };
}

const changes: ReadonlyMap<string, 'changed' | 'deleted'> = new Map([
  ['ADDED', 'changed'],
  ['MODIFIED', 'changed'],
  ['DELETED', 'deleted'],
]);

function isSelected({ namespace, name }: ConfigMap, selection: ConfigMapSelection): boolean {
  return namespace === selection.namespace && (selection.kind === 'labelled' || name === selection.name);
}

function readConfigMap(object: JsonObject): ConfigMap | undefined {
  const metadata = objectOf(object['metadata']);
  const [namespace, name, uid] = [textOf(metadata['namespace']), textOf(metadata['name']), textOf(metadata['uid'])];
  const data = readData(object['data']);
  if (namespace === '' || name === '' || uid === '' || data === undefined) return undefined;
  return {
    namespace,
    name,
    uid,
    resourceVersion: textOf(metadata['resourceVersion']),
    createdMs: Date.parse(textOf(metadata['creationTimestamp'])) || 0,
    data,
    binaryKeys: Object.keys(objectOf(object['binaryData'])).toSorted(),
  };
}

function readData(value: unknown): ReadonlyMap<string, string> | undefined {
  const data = new Map<string, string>();
  // In one order, whatever the server's is, since those that read it report in this order.
  for (const [key, text] of Object.entries(objectOf(value)).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof text !== 'string') return undefined;
    data.set(key, text);
  }
  return data;
}
