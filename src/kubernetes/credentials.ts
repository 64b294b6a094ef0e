/**
 * Promises: what a request needs to be accepted, as it is now: a kubeconfig, a CA or a token that changed on disk is used by the next
 * request, and what was refused is read anew at once. Never rejects, and quotes nothing that may be secret.
 * Leaves to others: what is in it (kubeconfig.ts).
 */
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { type Failure, messageOf, oneLine, unanswered } from './failure.ts';
import { objectOf } from './json.ts';
import { buildKubeConfig, type CredentialPlace, readTexts } from './kubeconfig.ts';
import type { ClusterPorts } from './ports.ts';

export interface Access {
  /** URL that the paths of the API begin at. */
  readonly server: string;
  readonly options: RequestOptions;
  /** Also of those options, ready to be sent. */
  readonly headers: Readonly<Record<string, string>>;
  /** Equal for equal credentials. */
  readonly proof: string;
}

export interface Credentials {
  access(): Promise<Access | Failure>;
  /** What was handed out last was not accepted: forget what is remembered of it. */
  doubt(): void;
}

interface Loaded {
  readonly stamp: string;
  readonly config: KubeConfig;
  /** CA and client certificate that its agent was made with. */
  material: string | undefined;
}

/** A plugin may ask an identity provider. */
const maxWaitMs = 10_000;
/** A plugin that has not ended by then is not waited for any more. */
const maxPluginMs = 60_000;

export function createCredentials(place: CredentialPlace, ports: ClusterPorts): Credentials {
  let loaded: Loaded | undefined;
  let pending: { readonly access: Promise<Access | Failure>; readonly sinceMs: number } | undefined;

  // One at a time: two watches that start together run a plugin once.
  function access(): Promise<Access | Failure> {
    const nowMs = ports.elapsedMs();
    if (pending === undefined || nowMs - pending.sinceMs > maxPluginMs) {
      const started = {
        access: read()
          .catch((error: unknown) => unreadable(place, error))
          .finally(() => {
            if (pending === started) pending = undefined;
          }),
        sinceMs: nowMs,
      };
      pending = started;
    }
    return within(pending.access, ports);
  }

  async function read(): Promise<Access> {
    const texts = await readTexts(place);
    const stamp = JSON.stringify(texts);
    const make = (): Loaded => ({ stamp, config: buildKubeConfig(place, texts), material: undefined });
    let current = loaded?.stamp === stamp && !readsTokenFile(loaded.config) ? loaded : make();
    let options = await optionsOf(current.config);
    if (current.material !== undefined && current.material !== materialOf(options)) {
      // The library keeps its first agent, and that one keeps the first CA.
      current = make();
      options = await optionsOf(current.config);
    }
    current.material = materialOf(options);
    loaded = current;
    const server = current.config.getCurrentCluster()?.server ?? '';
    const headers = trimmed(options.headers);
    return { server, options, headers, proof: JSON.stringify([headers, options.auth, current.material]) };
  }

  function doubt(): void {
    loaded = undefined;
  }

  return { access, doubt };
}

/** The library reads the file once a minute, and a new KubeConfig at once. */
function readsTokenFile(config: KubeConfig): boolean {
  const provider: unknown = config.getCurrentUser()?.authProvider;
  return 'tokenFile' in objectOf(objectOf(provider)['config']);
}

async function optionsOf(config: KubeConfig): Promise<RequestOptions> {
  // Said here because the environment can turn it off for the whole process; `insecure-skip-tls-verify` still does for this cluster.
  const options: RequestOptions = { rejectUnauthorized: true };
  await config.applyToHTTPSOptions(options);
  return options;
}

/** A token file that an editor wrote ends in a line end, which no header may hold. */
function trimmed(headers: RequestOptions['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]));
}

function materialOf({ ca, cert, key }: RequestOptions): string {
  return JSON.stringify([ca, cert, key]);
}

async function within(access: Promise<Access | Failure>, ports: ClusterPorts): Promise<Access | Failure> {
  let cancel: (() => void) | undefined;
  const late = new Promise<Failure>((resolve) => {
    const reason = `credentials were not to be had within ${maxWaitMs / 1000} s; does the plugin of the kubeconfig hang?`;
    cancel = ports.schedule(() => resolve(unanswered(reason)), maxWaitMs);
  });
  const first = await Promise.race([access, late]);
  cancel?.();
  return first;
}

function unreadable(place: CredentialPlace, error: unknown): Failure {
  const hint = place.kind === 'in-cluster' ? '; is the token of a service account mounted?' : '';
  return unanswered(`credentials cannot be read: ${oneLine(whyUnreadable(error))}${hint}`);
}

function whyUnreadable(error: unknown): string {
  // The message would quote what a plugin answered, which begins with the token.
  if (error instanceof SyntaxError) return 'what the plugin of the kubeconfig answered is not JSON';
  if (error instanceof TypeError) return 'the kubeconfig, or what its plugin answered, does not have the right form';
  return messageOf(error) || 'the plugin of the kubeconfig failed and did not say why';
}
