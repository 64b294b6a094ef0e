/**
 * Promises: the requests that ask for a selection. One ConfigMap is asked for by a field selector on its name, which is what a Role with
 * `resourceNames` allows; the same question without it would be refused.
 */
import type { ApiRequest } from './api-client.ts';
import type { ConfigMapSelection } from './config-map.ts';

/** As it is written in `--policy`. */
export function nameOf(selection: ConfigMapSelection): string {
  return selection.kind === 'one'
    ? `configmap:${selection.namespace}/${selection.name}`
    : `configmaps:${selection.namespace}?${selection.selector}`;
}

export function listRequest(selection: ConfigMapSelection): ApiRequest {
  return { verb: 'list', path: pathOf(selection, {}), needs: needsOf('list', selection) };
}

export function watchRequest(selection: ConfigMapSelection, resourceVersion: string, lifeSeconds: number): ApiRequest {
  const query = {
    watch: 'true',
    // Without them a watch on something that never changes cannot be told from a dead one.
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(lifeSeconds),
  };
  return { verb: 'watch', path: pathOf(selection, query), needs: needsOf('watch', selection) };
}

function pathOf(selection: ConfigMapSelection, query: Readonly<Record<string, string>>): string {
  const selector =
    selection.kind === 'one'
      ? { fieldSelector: `metadata.name=${selection.name}` }
      : { labelSelector: selection.selector };
  const parameters = new URLSearchParams({ ...selector, ...query });
  return `/api/v1/namespaces/${encodeURIComponent(selection.namespace)}/configmaps?${parameters.toString()}`;
}

function needsOf(verb: string, selection: ConfigMapSelection): string {
  const which =
    selection.kind === 'one'
      ? `configmaps "${selection.name}"`
      : 'configmaps (all of them: labels cannot limit a Role)';
  return `${verb} on ${which} in namespace "${selection.namespace}"`;
}
