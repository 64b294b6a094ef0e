/**
 * Promises: every YAML file below deploy/ in one class, found and not listed, so that a new one is checked without being named; the
 * chart is left to its own tests.
 * Leaves to others: applying them (manifests.test.ts), running what Envoy reads (test/envoy/configurations.test.ts).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { deployPath } from './manifests.ts';

/** An object of Kubernetes as it is written. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export type FileClass = 'manifest' | 'kustomization' | 'component' | 'part' | 'envoy' | 'policy' | 'values';

/** Paths below deploy/. */
export const yamlFiles: readonly string[] = globSync('**/*.yaml', { cwd: deployPath('') })
  .filter((file) => !file.startsWith('chart/'))
  .toSorted();

export const textOf = (file: string): string => readFileSync(deployPath(file), 'utf8');

/** `undefined`: a file that nobody has thought of. */
export function classOf(file: string): FileClass | undefined {
  const [first] = documentsOf(textOf(file)) as readonly Record<string, unknown>[];
  if (basename(file) === 'kustomization.yaml') return first?.['kind'] === 'Component' ? 'component' : 'kustomization';
  if (isKubernetesObject(first)) return isPart(file) ? 'part' : 'manifest';
  if (first?.['apiVersion'] === 'scopegate.dev/v1') return 'policy';
  if (first?.['static_resources'] !== undefined || hasEnvoyResources(first)) return 'envoy';
  return first?.['meshConfig'] === undefined ? undefined : 'values';
}

/** A file that a kustomization of its folder is made of. */
function isPart(file: string): boolean {
  return existsSync(deployPath(join(dirname(file), 'kustomization.yaml')));
}

function hasEnvoyResources(document: Record<string, unknown> | undefined): boolean {
  const { resources } = (document ?? {}) as { resources?: unknown };
  return Array.isArray(resources) && resources.every((each) => Object.hasOwn(each as object, '@type'));
}

function isKubernetesObject(document: unknown): document is KubernetesObject {
  const { apiVersion, kind, metadata } = (document ?? {}) as Partial<KubernetesObject>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && metadata !== undefined;
}

/** As Kubernetes reads it: 0440 is octal. */
export function documentsOf(text: string): readonly unknown[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => {
      if (document.errors[0] !== undefined) throw document.errors[0];
      return document.toJS() as unknown;
    })
    .filter((document) => document !== null);
}

export function objectsIn(text: string): readonly KubernetesObject[] {
  return documentsOf(text).map((document) => {
    if (isKubernetesObject(document)) return document;
    throw new Error(`no object of Kubernetes: ${JSON.stringify(document)}`);
  });
}

/** What `kubectl kustomize` makes of a folder below deploy/. */
export function kustomize(kubectl: string, folder: string): string {
  return execFileSync(kubectl, ['kustomize', deployPath(folder)], { encoding: 'utf8' });
}

/** All values that stand under `key` somewhere below `value`. */
export function valuesUnder(value: unknown, key: RegExp): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const isNamed = (name: string): boolean => !Array.isArray(value) && key.test(name);
  const own = Object.entries(value).filter(([name]) => isNamed(name));
  return own
    .map(([, inner]): unknown => inner)
    .concat(Object.values(value).flatMap((inner) => valuesUnder(inner, key)));
}

/** Images whose version is left to chance. */
export function imagesWithoutVersion(value: unknown): readonly string[] {
  const images = valuesUnder(value, /^image$/).filter((image) => typeof image === 'string');
  return images.filter((image) => !/(:(?!latest$)[\w.-]+|@sha256:\w{64})$/.test(image));
}
