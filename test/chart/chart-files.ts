/** The files of the Helm chart, and what it renders, as objects. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

export const chartFolder = fileURLToPath(new URL('../../deploy/chart', import.meta.url));

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface Rendered extends JsonObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [key: string]: Json };
}

export function chartText(file: string): string {
  return readFileSync(`${chartFolder}/${file}`, 'utf8');
}

export function chartYaml(file: string): JsonObject {
  return parse(chartText(file)) as JsonObject;
}

/** One values file for each feature; names without `-values.yaml`. */
export const features: readonly string[] = globSync('ci/*-values.yaml', { cwd: chartFolder })
  .map((file) => basename(file, '-values.yaml'))
  .toSorted();

export function valuesOf(feature: string): readonly string[] {
  return ['--values', `${chartFolder}/ci/${feature}-values.yaml`];
}

export function objectsIn(yaml: string): readonly Rendered[] {
  // As Kubernetes reads it: 0440 is octal.
  return parseAllDocuments(yaml, { version: '1.1' })
    .map((document) => {
      if (document.errors.length > 0) throw new Error(`${document.errors[0]?.message}\n${yaml}`);
      return document.toJS() as Rendered | null;
    })
    .filter((object) => object !== null);
}

export interface EnvEntry {
  readonly name: string;
  readonly value?: string;
}

export interface Container {
  readonly name: string;
  readonly env: readonly EnvEntry[];
  readonly securityContext: JsonObject;
  readonly resources: { readonly limits: JsonObject };
  readonly [key: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
  readonly terminationGracePeriodSeconds: number;
  readonly [key: string]: unknown;
}

export function deploymentPod(objects: readonly Rendered[]): PodSpec {
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('no Deployment');
  return (deployment as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
}

export function scopegateContainer(objects: readonly Rendered[]): Container {
  const [container] = deploymentPod(objects).containers;
  if (container === undefined) throw new Error('no container');
  return container;
}

/** The variables with a value of their own. */
export function environmentOf({ env }: Container): Record<string, string> {
  return Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}
