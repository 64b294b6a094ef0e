/**
 * Promises: a KubeConfig from where every Kubernetes client looks: the file that was named, else KUBECONFIG, else the service account of
 * the pod; nothing else, since a guess (`localhost:8080`) would hide that nothing was configured.
 * It also means what the library leaves out: `tokenFile` of a user, what a plugin is told, paths beside the kubeconfig.
 * No message quotes what is in the file: what stands beside a mistake may be a token.
 * Leaves to others: when to read (credentials.ts).
 */
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { parseDocument } from 'yaml';
import { isJsonObject, type JsonObject, objectOf, textOf } from './json.ts';

/** Where credentials come from. */
export type CredentialPlace =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  /** `root` is put before the paths of the service account. */
  | { readonly kind: 'in-cluster'; readonly root: string };

export interface KubeConfigText {
  readonly path: string;
  readonly text: string;
}

type Environment = Readonly<Record<string, string | undefined>>;
type User = KubeConfig['users'][number];

export function findPlace(kubeconfigFile: string | undefined, env: Environment): CredentialPlace | undefined {
  if (kubeconfigFile !== undefined) return { kind: 'files', paths: [kubeconfigFile] };
  const paths = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (paths.length > 0) return { kind: 'files', paths };
  const isInCluster = Boolean(env['KUBERNETES_SERVICE_HOST']) && Boolean(env['KUBERNETES_SERVICE_PORT']);
  return isInCluster ? { kind: 'in-cluster', root: '' } : undefined;
}

/** Rejects where none can be read. Of several, those that are absent are left out, as kubectl does. */
export async function readTexts(place: CredentialPlace): Promise<readonly KubeConfigText[]> {
  if (place.kind === 'in-cluster') return [];
  const texts: KubeConfigText[] = [];
  let missing: unknown;
  for (const path of place.paths) {
    try {
      texts.push({ path, text: await readFile(path, 'utf8') });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      missing ??= error;
    }
  }
  if (texts.length === 0) throw missing;
  return texts;
}

/** Throws where the texts are none that a client could work with; the message says what is missing. */
export function buildKubeConfig(place: CredentialPlace, texts: readonly KubeConfigText[]): KubeConfig {
  const config = new KubeConfig();
  if (place.kind === 'in-cluster') {
    config.loadFromCluster(place.root);
    return config;
  }
  for (const text of texts) merge(config, load(text));
  complete(config);
  return config;
}

function load({ path, text }: KubeConfigText): KubeConfig {
  const document = parseYaml(path, text);
  if (!isJsonObject(document)) throw new Error(`${path} is not a kubeconfig`);
  const config = new KubeConfig();
  // As JSON, in which the parser of the library finds no mistake of its own to quote.
  config.loadFromString(JSON.stringify(document));
  const folder = dirname(resolve(path));
  config.makePathsAbsolute(folder);
  const written = usersOf(document);
  config.users = config.users.map((user) => supplement(user, objectOf(written.get(user.name)), folder));
  return config;
}

/** The messages of the parser, its warnings on stderr too, quote the line. */
function parseYaml(path: string, text: string): unknown {
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  const [mistake] = document.errors;
  const { line = 0, col = 0 } = mistake?.linePos?.[0] ?? {};
  if (mistake !== undefined) throw new Error(`${path} is not YAML: ${mistake.code} at line ${line}, column ${col}`);
  try {
    return document.toJS();
  } catch {
    throw new Error(`${path} is not YAML: an alias in it names nothing`);
  }
}

function usersOf(document: JsonObject): ReadonlyMap<string, unknown> {
  const entries: unknown[] = Array.isArray(document['users']) ? document['users'] : [];
  return new Map(entries.map((entry) => [textOf(objectOf(entry)['name']), objectOf(entry)['user']]));
}

function supplement(user: User, written: JsonObject, folder: string): User {
  const tokenFile = textOf(written['tokenFile']);
  if (tokenFile !== '') {
    // A file comes before a token beside it, which is what it once held.
    const { token: _, ...rest } = user;
    return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } } };
  }
  const exec: unknown = written['exec'];
  return isJsonObject(exec) ? { ...user, exec: supplementExec(exec, folder) } : user;
}

/** Plugins read from this variable which version to speak, and that nobody is there to answer a question. */
function supplementExec(exec: JsonObject, folder: string): JsonObject {
  const command = textOf(exec['command']);
  const told = { kind: 'ExecCredential', apiVersion: exec['apiVersion'], spec: { interactive: false } };
  const env: unknown[] = Array.isArray(exec['env']) ? exec['env'] : [];
  return {
    ...exec,
    command: command.includes('/') ? resolve(folder, command) : command,
    env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(told) }],
  };
}

/** Of two entries of one name the first counts. */
function merge(into: KubeConfig, from: KubeConfig): void {
  into.clusters = [...into.clusters, ...newIn(into.clusters, from.clusters)];
  into.users = [...into.users, ...newIn(into.users, from.users)];
  into.contexts = [...into.contexts, ...newIn(into.contexts, from.contexts)];
  into.setCurrentContext(into.getCurrentContext() || from.getCurrentContext());
}

function newIn<T extends { readonly name: string }>(known: readonly T[], others: readonly T[]): readonly T[] {
  return others.filter(({ name }) => known.every((entry) => entry.name !== name));
}

const nobody = 'nobody';

/** What the library takes for granted. */
function complete(config: KubeConfig): void {
  const name = config.getCurrentContext();
  if (!name) throw new Error('the kubeconfig has no current-context');
  const context = config.getContextObject(name);
  if (context === null) throw new Error(`the kubeconfig has no context "${name}", which is its current-context`);
  if (config.getCluster(context.cluster) === null)
    throw new Error(`the kubeconfig has no cluster "${context.cluster}"`);
  if (context.user) {
    if (config.getUser(context.user) === null) throw new Error(`the kubeconfig has no user "${context.user}"`);
    return;
  }
  // Without a user the library would leave out the CA as well.
  config.users = [...config.users, { name: nobody }];
  config.contexts = config.contexts.map((entry) => (entry.name === name ? { ...entry, user: nobody } : entry));
}
