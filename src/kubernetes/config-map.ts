/**
 * Promises: what this room tells of ConfigMaps, as plain values: which ones a source selects, and what each of them holds.
 * Leaves to others: what the texts in them mean (policy/), and what a change of them entails (sidecar/).
 */

/** What one `--policy` source selects. */
export type ConfigMapSelection =
  | { readonly kind: 'one'; readonly namespace: string; readonly name: string }
  /** All of a namespace that a label selector fits. */
  | { readonly kind: 'labelled'; readonly namespace: string; readonly selector: string };

/** One ConfigMap at one moment. */
export interface ConfigMap {
  readonly namespace: string;
  readonly name: string;
  /** Another one for an object that was deleted and made again under the same name. */
  readonly uid: string;
  readonly resourceVersion: string;
  /** `metadata.creationTimestamp` in ms since 1970. */
  readonly createdMs: number;
  /** Keys and their texts; what is in `binaryData` is no text. */
  readonly data: ReadonlyMap<string, string>;
  readonly binaryKeys: readonly string[];
}

/** All that a source selects at one moment, or why that is not known. */
export type SelectionState =
  /** Sorted by creation time, then name; empty where nothing is selected. */
  | { readonly kind: 'content'; readonly configMaps: readonly ConfigMap[] }
  /** The API server cannot be asked; the reason is one line. */
  | { readonly kind: 'unavailable'; readonly reason: string };
