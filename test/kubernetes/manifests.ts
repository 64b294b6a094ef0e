/** What stands in the files of deploy/, read without a cluster. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { Endpoint, Json, JsonObject } from '../../deploy/envoy/config.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
}

export function deployPath(name: string): string {
  return fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));
}

/** The objects of a file of deploy/. */
export function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(deployPath(file), 'utf8')).map((document) => document.toJS() as Manifest);
}

/** The data of the ConfigMap of this name, or of this name with the suffix that kustomize gives it. */
export function configMapIn(manifests: readonly Manifest[], name: string): Readonly<Record<string, string>> {
  const found = manifests.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.replace(/-[0-9a-z]{10}$/, '') === name,
  );
  if (found?.data === undefined) throw new Error(`no ConfigMap ${name}`);
  return found.data;
}

/** A container of a Deployment, whichever list it is in. */
export function containerIn(manifests: readonly Manifest[], deployment: string, name: string): Container {
  const found = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === deployment);
  if (found === undefined) throw new Error(`no Deployment ${deployment}`);
  const { containers, initContainers = [] } = (found.spec as { template: { spec: PodSpec } }).template.spec;
  const container = [...initContainers, ...containers].find((each) => each.name === name);
  if (container === undefined) throw new Error(`no container ${name} in ${deployment}`);
  return container;
}

/**
 * Envoy's bootstrap out of the ConfigMap `envoy`, with its clusters led to `endpoints` and with ports that are free here; nothing
 * else is touched.
 */
export function bootstrapOf(manifests: readonly Manifest[], endpoints: Readonly<Record<string, Endpoint>>): JsonObject {
  return redirected(parse(configMapIn(manifests, 'envoy')['envoy.yaml'] ?? '') as Bootstrap, endpoints);
}

export interface Bootstrap {
  readonly static_resources: {
    readonly listeners: readonly JsonObject[];
    readonly clusters: readonly (JsonObject & { readonly name: string })[];
  };
}

export function redirected(bootstrap: Bootstrap, endpoints: Readonly<Record<string, Endpoint>>): JsonObject {
  const { listeners, clusters } = bootstrap.static_resources;
  return {
    ...(bootstrap as unknown as JsonObject),
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    static_resources: {
      listeners: listeners.map((listener) => withAddress(listener, { host: '127.0.0.1', port: 0 })),
      clusters: clusters.map((cluster) => {
        const endpoint = endpoints[cluster.name];
        if (endpoint === undefined) throw new Error(`nobody said where ${cluster.name} is`);
        return withAddress(cluster, endpoint);
      }),
    },
  };
}

/** The bootstrap with more endpoints in one of its clusters. */
export function withEndpoints(bootstrap: JsonObject, name: string, endpoints: readonly Endpoint[]): JsonObject {
  const grown = structuredClone(bootstrap) as unknown as { static_resources: { clusters: Cluster[] } };
  const group = grown.static_resources.clusters.find((cluster) => cluster.name === name)?.load_assignment.endpoints[0];
  const [pattern] = group?.lb_endpoints ?? [];
  if (pattern === undefined) throw new Error(`no cluster ${name} with an endpoint`);
  group?.lb_endpoints.push(...endpoints.map((endpoint) => withAddress(pattern, endpoint)));
  return grown as unknown as JsonObject;
}

interface Cluster {
  readonly name: string;
  readonly load_assignment: { readonly endpoints: readonly { readonly lb_endpoints: JsonObject[] }[] };
}

/** Every address below `value` becomes `endpoint`. */
function withAddress(value: JsonObject, endpoint: Endpoint): JsonObject {
  const address: Json =
    'unix' in endpoint
      ? { pipe: { path: endpoint.unix } }
      : { socket_address: { address: endpoint.host, port_value: endpoint.port } };
  return JSON.parse(JSON.stringify(value), (key, inner: Json) =>
    key === 'address' && typeof inner === 'object' ? address : inner,
  ) as JsonObject;
}
