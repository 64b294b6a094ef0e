/** What the chart and kustomize have to render alike, and what of it counts. */
import type { Json, JsonObject, Rendered } from './chart-files.ts';

export interface Comparison {
  /** Folders of deploy/. */
  readonly resources: readonly string[];
  readonly components: readonly string[];
  /** The same choices for helm. */
  readonly args: readonly string[];
  /** Only these; otherwise all, but for the namespace, which a release does not own. */
  readonly kinds?: readonly string[];
}

const set = (...assignments: readonly string[]): readonly string[] => assignments.flatMap((one) => ['--set', one]);

export const comparisons: Readonly<Record<string, Comparison>> = {
  'the defaults': { resources: ['base'], components: [], args: [] },
  'labelled sources': {
    resources: ['base'],
    components: ['components/labelled-sources'],
    args: set('policy.mode=selector'),
  },
  'a mounted policy': { resources: ['base'], components: ['components/mounted-policy'], args: set('policy.mode=file') },
  autoscaling: { resources: ['base'], components: ['components/autoscaling'], args: set('autoscaling.enabled=true') },
  'a network policy': {
    resources: ['base'],
    components: ['components/network-policy'],
    args: set('networkPolicy.enabled=true', 'tests.enabled=false'),
  },
  'mutual TLS': {
    resources: ['base'],
    components: ['components/tls-cert-manager'],
    args: set('tls.mode=mutual', 'tls.certManager.enabled=true'),
  },
  monitoring: {
    resources: ['base'],
    components: ['components/monitoring'],
    args: set(
      'monitoring.serviceMonitor.enabled=true',
      'monitoring.podMonitor.enabled=true',
      'monitoring.prometheusRule.enabled=true',
      'monitoring.dashboard.enabled=true',
    ),
  },
  'the admission policy': {
    resources: ['base'],
    components: ['components/admission/policy'],
    args: set('admission.validatingAdmissionPolicy.enabled=true'),
  },
  'the admission webhook': {
    resources: ['base'],
    components: ['components/admission/webhook'],
    args: set('admission.webhook.enabled=true'),
  },
};

/** Lists that kustomize merges by name, and whose order means nothing. */
const unordered = new Set(['env', 'ports', 'volumes', 'volumeMounts']);

/** Objects of the cluster bear the namespace of the release in their names, so that two releases have two. */
const clusterName = /\bscopegate\.scopegate\.(policy-deletion|policy|injection)$/;

function normalized(value: Json, key = ''): Json {
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => normalized(item));
    return unordered.has(key) ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value === 'string') return value.replace(clusterName, 'scopegate-$1');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as JsonObject)
    // The chart selects by its release too, since two may share a namespace.
    .filter(([name]) => !(key === 'matchLabels' && name === 'app.kubernetes.io/instance'))
    // Labels and annotations are Helm's business too; the labels of the defaults are compared apart.
    .filter(([name]) => !(key === 'metadata' && name === 'labels'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, normalized(inner, name)]));
}

/** Sorted, and without what may differ. */
export function comparable(objects: readonly Rendered[]): readonly Rendered[] {
  return objects
    .map((object) => {
      const { metadata, ...rest } = object;
      const { name, namespace = '', annotations = {} } = metadata;
      return normalized({ ...rest, metadata: { name, namespace, annotations } }) as Rendered;
    })
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ kind, metadata }: Rendered): string {
  return `${kind} ${metadata.name}`;
}
