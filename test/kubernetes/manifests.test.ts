/**
 * Every manifest of deploy/ against a real API server with the real definitions of the meshes: known fields only, no warning, under the
 * restricted Pod Security Standard. What no API server can know of them is in test/mesh.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { features, valuesOf } from '../chart/chart-files.ts';
import { findHelm, type Helm } from '../chart/helm.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { kubernetesAssets } from './assets.ts';
import { createNamespace } from './cluster-access.ts';
import { installCustomResources, notChecked } from './custom-resources.ts';
import {
  classOf,
  type FileClass,
  imagesWithoutVersion,
  type KubernetesObject,
  kustomize,
  objectsIn,
  textOf,
  yamlFiles,
} from './deploy-tree.ts';
import { deployPath } from './manifests.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const filesOf = (wanted: FileClass): readonly string[] => yamlFiles.filter((file) => classOf(file) === wanted);
const standalone = filesOf('manifest');
const kustomizations = filesOf('kustomization').map(dirname);
const components = filesOf('component').map(dirname);

let kubectl: string;
let api: ApiServer;
let helm: Helm;
const namespaces = new Set<string>();

beforeAll(async () => {
  kubectl = join(await kubernetesAssets({ env: process.env, report: () => {} }), 'kubectl');
  helm = await findHelm((line) => process.stderr.write(`${line}\n`));
  api = await startApiServer();
  await installCustomResources(api);
}, 1_200_000);

afterAll(() => api?.stop());

/** A component is nothing by itself: it is shown on the base. */
async function onBase(component: string): Promise<string> {
  const folder = join(api.folder, component.replaceAll('/', '-'));
  await mkdir(folder, { recursive: true });
  const to = (path: string): string => relative(folder, deployPath(path));
  const overlay = { resources: [to('base')], components: [to(component)] };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
  const { code, stdout, stderr } = await api.kubectl(['kustomize', folder]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const groupOf = ({ apiVersion }: KubernetesObject): string => apiVersion.slice(0, apiVersion.lastIndexOf('/'));
const isChecked = (object: KubernetesObject): boolean => !Object.hasOwn(notChecked, groupOf(object));

/** The namespaces that objects are put into have to be there before a trial; they refuse and warn as that of deploy/base. */
async function prepareNamespaces(objects: readonly KubernetesObject[]): Promise<void> {
  const wanted = objects.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace));
  for (const name of new Set(wanted)) {
    if (name === undefined || name === 'default' || namespaces.has(name)) continue;
    namespaces.add(name);
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    await createNamespace(api, { name, labels });
  }
}

/** What the API server says against the objects, and against the pods that would be made of them. */
async function complaints(objects: readonly KubernetesObject[]): Promise<readonly string[]> {
  if (objects.length === 0) throw new Error('nothing to try');
  const items = objects.filter(isChecked);
  const { code, stderr } = await tried(items);
  const refused = await Promise.all(items.map(podRefused));
  return [code === 0 && stderr === '' ? [] : [`exit code ${code}: ${stderr}`], refused].flat(2);
}

/** How the API server takes the objects, without keeping them. */
async function tried(items: readonly KubernetesObject[]): Promise<{ code: number; stderr: string }> {
  await prepareNamespaces(items);
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
  const { code, stderr } = items.length === 0 ? { code: 0, stderr: '' } : await api.kubectl(args, list);
  return { code, stderr };
}

interface Workload {
  readonly spec?: { readonly template?: { readonly metadata?: object; readonly spec: PodSpec } };
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly containers: readonly unknown[];
}

/** Of a workload the API server only warns; its pods it would refuse. */
async function podRefused(object: KubernetesObject): Promise<readonly string[]> {
  const template = (object as unknown as Workload).spec?.template;
  if (!Array.isArray(template?.spec?.containers)) return [];
  const { serviceAccountName: _, ...spec } = template.spec;
  const namespace = object.metadata.namespace ?? 'default';
  const pod = { metadata: { ...template.metadata, generateName: 'trial-' }, spec };
  const made = api.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
  return made.then(
    () => [],
    (error: unknown) => [String(error)],
  );
}

describe('a real API server takes', () => {
  it.each(standalone)('%s', async (file) => {
    expect(await complaints(objectsIn(textOf(file)))).toEqual([]);
  });

  it.each(kustomizations)('%s, rendered, with a version of every image', async (folder) => {
    const objects = objectsIn(kustomize(kubectl, folder));
    expect(await complaints(objects)).toEqual([]);
    expect(imagesWithoutVersion(objects)).toEqual([]);
  });

  it.each(components)('%s, on the base', async (component) => {
    expect(await complaints(objectsIn(await onBase(component)))).toEqual([]);
  });

  it.each(features)('the chart with ci/%s-values.yaml', async (feature) => {
    const args = ['template', 'scopegate', deployPath('chart'), '--namespace', 'scopegate', '--kube-version', '1.37.2'];
    const { code, stdout } = await helm.run([...args, ...valuesOf(feature)]);
    expect(code).toBe(0);
    expect(await complaints(objectsIn(stdout))).toEqual([]);
  });

  it('and refuses an unknown field of a mesh, and warns of a pod that is not restricted', async () => {
    const changed = (file: string, from: string, to: string): readonly KubernetesObject[] =>
      objectsIn(textOf(file)).map((object) => JSON.parse(JSON.stringify(object).replace(from, to)) as KubernetesObject);
    const misspelt = await tried(changed('istio/istio.yaml', '"provider"', '"providers"'));
    expect(misspelt).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('unknown field "providers"') as unknown,
    });
    const asRoot = await complaints(changed('mesh-demo/app/app.yaml', '"runAsNonRoot":true,', ''));
    expect(asRoot).toEqual([
      expect.stringMatching(/^exit code 0: Warning: .*runAsNonRoot/),
      expect.stringMatching(/403 .*violates PodSecurity/),
    ]);
  });
});

describe('what cannot be checked', () => {
  const objects = [...standalone, ...filesOf('part')].flatMap((file) => objectsIn(textOf(file)));

  it.each(Object.entries(notChecked))('%s: there, and its page says so', (group, { page }) => {
    expect(objects.map(groupOf)).toContain(group);
    const text = existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : '';
    expect(text).toContain('**Not checked.**');
  });
});
