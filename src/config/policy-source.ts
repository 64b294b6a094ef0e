/**
 * Promises: the syntax of `--policy`: a path, or a kind of source with a colon. Kinds that this version cannot watch are refused,
 * so that nobody takes them for a file that is merely absent yet.
 * Leaves to others: whether the path exists, and whether it is a file or a folder (source/).
 */
import { filePath, type Parsed, unexpected } from './parse.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const configMap = new RegExp(`^configmap:${label}/${label}(?:\\.${label})*$`);
const configMaps = new RegExp(`^configmaps:${label}\\?[^\\s]{1,1024}$`);

/** The path of a file or folder that holds policy documents. */
export function policySource(text: string): Parsed<string> {
  if (text.startsWith('configmap:')) {
    return configMap.test(text) ? unsupported(text) : unexpected('configmap:NAMESPACE/NAME', text);
  }
  if (text.startsWith('configmaps:')) {
    return configMaps.test(text) ? unsupported(text) : unexpected('configmaps:NAMESPACE?SELECTOR', text);
  }
  if (/^[a-z][a-z0-9+.-]*:/.test(text)) {
    return unexpected("a FILE or a DIR (write ./NAME where the path's first part holds a colon)", text);
  }
  return text === '' ? unexpected('a FILE or a DIR', text) : filePath(text);
}

function unsupported(text: string): { readonly problem: string } {
  return {
    problem: `${JSON.stringify(text)} is not supported by this version yet; mount the ConfigMap and name its folder`,
  };
}
