/**
 * Promises: the syntax of `--policy`: a path, one ConfigMap, or the ConfigMaps of a namespace that a label selector fits. Other kinds are
 * refused, so that nobody takes them for a file that is merely absent yet.
 * Leaves to others: whether there is such a file, folder or ConfigMap (source/, kubernetes/).
 */
import { isLabelSelector } from './label-selector.ts';
import { filePath, type Parsed, unexpected } from './parse.ts';

/** What one `--policy` names; `text` is how it was typed, and names it in logs and metrics. */
export type PolicySource =
  /** A file, or a folder of documents. */
  | { readonly kind: 'path'; readonly text: string; readonly path: string }
  | { readonly kind: 'configMap'; readonly text: string; readonly namespace: string; readonly name: string }
  | { readonly kind: 'configMaps'; readonly text: string; readonly namespace: string; readonly selector: string };

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const configMap = new RegExp(`^configmap:(?<namespace>${label})/(?<name>(?=.{1,253}$)${label}(?:\\.${label})*)$`);
const configMaps = new RegExp(`^configmaps:(?<namespace>${label})\\?(?<selector>.+)$`);

export function policySource(text: string): Parsed<PolicySource> {
  if (text.startsWith('configmap:')) return oneConfigMap(text);
  if (text.startsWith('configmaps:')) return labelledConfigMaps(text);
  if (/^[a-z][a-z0-9+.-]*:/.test(text)) {
    return unexpected("a FILE or a DIR (write ./NAME where the path's first part holds a colon)", text);
  }
  if (text === '') return unexpected('a FILE or a DIR', text);
  const path = filePath(text);
  return 'problem' in path ? path : { value: Object.freeze({ kind: 'path', text, path: path.value }) };
}

function oneConfigMap(text: string): Parsed<PolicySource> {
  const { namespace, name } = configMap.exec(text)?.groups ?? {};
  if (namespace === undefined || name === undefined) return unexpected('configmap:NAMESPACE/NAME', text);
  return { value: Object.freeze({ kind: 'configMap', text, namespace, name }) };
}

function labelledConfigMaps(text: string): Parsed<PolicySource> {
  const { namespace, selector } = configMaps.exec(text)?.groups ?? {};
  if (namespace === undefined || selector === undefined) return unexpected('configmaps:NAMESPACE?SELECTOR', text);
  if (!isLabelSelector(selector)) {
    return unexpected('a label selector behind the ?, such as app=shop,tier!=test or scopegate.dev/policy', text);
  }
  return { value: Object.freeze({ kind: 'configMaps', text, namespace, selector }) };
}
