/**
 * Promises: what one `--policy` names, whatever its kind, as sources of the policy store: one for a file or a folder, one for each ConfigMap.
 * Leaves to others: seeing it change (source/, kubernetes/), and what follows from that (policy-feed.ts).
 */
import type { ConfigMap, ConfigMapSelection, SelectionState } from '../kubernetes/config-map.ts';
import type { PolicyFile } from '../policy/document.ts';
import { compareText } from '../policy/problem.ts';
import type { PathState } from '../source/read-path.ts';

/** One source of the store, in one version. */
export interface Member {
  /** What names it, as `--policy` was typed. */
  readonly origin: string;
  /** The path as typed, or `configmap/NAMESPACE/NAME`. */
  readonly source: string;
  readonly files: readonly PolicyFile[];
  /** The path, or when the ConfigMap was created. */
  readonly order: string | number;
  /** Undefined: it is none, or it is not known at the moment. */
  readonly configMap: ConfigMap | undefined;
  /** Of a version that was kept in `--state`: when it was applied, in ms since 1970. */
  readonly savedMs: number | undefined;
}

export type OriginState =
  | { readonly kind: 'content'; readonly members: readonly Member[] }
  /** What it held before stays. `absent`: it was found that there is no such ConfigMap. */
  | { readonly kind: 'unreadable' | 'unavailable' | 'absent'; readonly reason: string };

export function ofPath(path: string, state: PathState): OriginState {
  if (state.kind !== 'content') return { kind: 'unreadable', reason: state.reason };
  const member = { origin: path, source: path, files: state.files, order: path };
  return { kind: 'content', members: [{ ...member, configMap: undefined, savedMs: undefined }] };
}

export function ofSelection(origin: string, selection: ConfigMapSelection, state: SelectionState): OriginState {
  if (state.kind !== 'content') return state;
  if (selection.kind === 'one' && state.configMaps.length === 0) {
    return { kind: 'absent', reason: `there is no ConfigMap ${selection.namespace}/${selection.name}` };
  }
  return { kind: 'content', members: state.configMaps.map((one) => ofConfigMap(origin, one)) };
}

function ofConfigMap(origin: string, configMap: ConfigMap): Member {
  const source = `configmap/${configMap.namespace}/${configMap.name}`;
  const files = [...configMap.data]
    .filter(([key]) => /\.(?:yaml|yml|json)$/.test(key))
    .map(([key, text]) => ({ name: `${source}/${key}`, text }))
    .toSorted((a, b) => compareText(a.name, b.name));
  return { origin, source, files, order: configMap.createdMs, configMap, savedMs: undefined };
}

/** Whether nothing that matters to a policy has changed; every delivery of a path is another version. */
export function isSameVersion(a: Member, b: Member): boolean {
  if (a === b) return true;
  const [one, other] = [a.configMap, b.configMap];
  if (one === undefined || other === undefined || one.uid !== other.uid) return false;
  const isSame = a.files.every(
    ({ name, text }, index) => b.files[index]?.name === name && b.files[index].text === text,
  );
  return isSame && a.files.length === b.files.length && one.binaryKeys.join('\n') === other.binaryKeys.join('\n');
}
