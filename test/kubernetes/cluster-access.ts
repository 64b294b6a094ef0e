/**
 * What a namespace holds when Scopegate runs in it by the shipped manifests: their ServiceAccount and Role, and credentials that can do
 * what these allow and nothing else.
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { ApiServer } from './api-server.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));

export interface NewNamespace {
  /** Default one that no other test has. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A namespace with what controllers would put into it, so that pods are admitted there. */
export async function createNamespace(
  api: ApiServer,
  { name = `t-${randomBytes(4).toString('hex')}`, labels = {} }: NewNamespace = {},
): Promise<string> {
  await api.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  await api.request('POST', `/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } });
  const root = { metadata: { name: 'kube-root-ca.crt' }, data: { 'ca.crt': api.ca } };
  await api.request('POST', `/api/v1/namespaces/${name}/configmaps`, root);
  return name;
}

/** The ServiceAccount, Role and RoleBinding of `deploy/base` in `namespace`; `components` are names in `deploy/components`. */
export async function applyShippedRole(
  api: ApiServer,
  namespace: string,
  components: readonly string[] = [],
): Promise<void> {
  const folder = await mkdtemp(join(api.folder, 'overlay-'));
  const overlay = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace,
    // Kustomize takes no absolute paths.
    resources: [relative(folder, join(deploy, 'base'))],
    components: components.map((name) => relative(folder, join(deploy, 'components', name))),
  };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
  const rendered = await succeed(api, ['kustomize', folder]);
  const kinds = new Set(['ServiceAccount', 'Role', 'RoleBinding']);
  const wanted = parseAllDocuments(rendered).filter((document) => kinds.has(String(document.get('kind'))));
  await succeed(api, ['apply', '-f', '-'], wanted.map(String).join('---\n'));
  await rm(folder, { recursive: true });
}

/** A token of the ServiceAccount `scopegate`, as a pod gets one. */
export async function createToken(api: ApiServer, namespace: string): Promise<string> {
  return (await succeed(api, ['-n', namespace, 'create', 'token', 'scopegate', '--duration=1h'])).trim();
}

/** Runs kubectl, which has to end well; what it printed. */
export async function succeed(api: ApiServer, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await api.kubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}
