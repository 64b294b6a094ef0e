/**
 * Promises: a real Keycloak on 127.0.0.1 with nothing but its own `master` realm, back when it answers and gone when `stop()` settles or this
 * process ends. Its database is in memory: every start is a new one. It asks for client certificates of test/support/tls on its https port.
 * Leaves to others: what its realms hold (keycloak-realm.ts).
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../deploy/envoy/child.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';
import { keycloakHome } from './install.ts';

export interface Keycloak {
  /** `http://127.0.0.1:PORT`, also the beginning of every `iss`. */
  readonly url: string;
  /** The same server over TLS, `https://localhost:PORT`. */
  readonly tlsUrl: string;
  /** A call of the admin API: `path` comes after `/admin/realms`. */
  admin(method: string, path: string, body?: unknown): Promise<AdminAnswer>;
  /** An access token of the administrator, of the realm `master`. */
  adminToken(): Promise<string>;
  stop(): Promise<void>;
}

export interface AdminAnswer {
  /** JSON, or undefined where there was none. */
  readonly body: unknown;
  /** Where what was made is found. */
  readonly location: string | undefined;
}

const startTimeoutMs = 240_000;
const pollMs = 100;
const keptLines = 60;
const administrator = { name: 'admin', password: 'interop' };

/** What `bin/kc.sh` gives Java, without the shell: that would live on between us and the server. Less compiling makes it start sooner. */
const javaOptions = [
  '-Xms64m',
  '-Xmx640m',
  '-XX:MaxMetaspaceSize=256m',
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Djava.security.egd=file:/dev/urandom',
  '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
  '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
  ...['java.util', 'java.util.concurrent', 'java.security', 'java.lang'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
];

export async function startKeycloak(): Promise<Keycloak> {
  const home = await keycloakHome(() => {});
  const [httpPort, tlsPort] = await freePorts();
  const url = `http://127.0.0.1:${httpPort}`;
  const log: string[] = [];
  const keep = (line: string): void => {
    log.push(line);
    if (log.length > keptLines) log.shift();
  };
  const folders = [`-Dkc.home.dir=${home}`, `-Djboss.server.config.dir=${join(home, 'conf')}`];
  const program = ['-cp', join(home, 'lib', 'quarkus-run.jar'), 'io.quarkus.bootstrap.runner.QuarkusEntryPoint'];
  const child = startChild('java', [...javaOptions, ...folders, ...program, ...serverOptions(url, httpPort, tlsPort)], {
    env: {
      ...process.env,
      KC_BOOTSTRAP_ADMIN_USERNAME: administrator.name,
      KC_BOOTSTRAP_ADMIN_PASSWORD: administrator.password,
    },
    onStdout: keep,
    onStderr: keep,
  });
  // Nothing in it outlives it, so it need not be asked twice.
  const stop = (): Promise<void> => child.stop(3000);
  try {
    await untilReady(url, child.ended, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, tlsUrl: `https://localhost:${tlsPort}`, stop, ...adminOf(url) };
}

function serverOptions(url: string, httpPort: number, tlsPort: number): readonly string[] {
  const tls = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
  return [
    'start',
    '--optimized',
    '--cache=local',
    '--http-enabled=true',
    '--http-host=127.0.0.1',
    `--http-port=${httpPort}`,
    `--https-port=${tlsPort}`,
    `--https-certificate-file=${tls('server.pem')}`,
    `--https-certificate-key-file=${tls('server-key.pem')}`,
    `--truststore-paths=${tls('client-ca.pem')},${tls('other-ca.pem')}`,
    // Else the issuer is whatever Host the client sends.
    `--hostname=${url}`,
    '--log-level=warn',
  ];
}

async function untilReady(url: string, ended: Promise<string>, log: readonly string[]): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  const end = ended.then((phrase) => ({ phrase }));
  for (;;) {
    const answer = await fetch(`${url}/realms/master`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (answer?.ok === true) return;
    const early = await Promise.race([end, delay(pollMs, undefined)]);
    if (early !== undefined) throw new SetupError(`Keycloak ${early.phrase}:\n${log.join('\n')}`);
    if (performance.now() > deadline) {
      throw new SetupError(`Keycloak was not ready within ${startTimeoutMs / 1000} s:\n${log.join('\n')}`);
    }
  }
}

function adminOf(url: string): Pick<Keycloak, 'admin' | 'adminToken'> {
  async function adminToken(): Promise<string> {
    const { name, password } = administrator;
    const form = { grant_type: 'password', client_id: 'admin-cli', username: name, password };
    const target = `${url}/realms/master/protocol/openid-connect/token`;
    const response = await fetch(target, { method: 'POST', body: new URLSearchParams(form) });
    return ((await response.json()) as { access_token: string }).access_token;
  }
  let known: { readonly token: string; readonly atMs: number } | undefined;
  async function freshToken(): Promise<string> {
    // A minute is all that it lasts.
    if (known === undefined || performance.now() - known.atMs > 30_000) {
      known = { token: await adminToken(), atMs: performance.now() };
    }
    return known.token;
  }
  async function admin(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    const headers = { authorization: `Bearer ${await freshToken()}`, 'content-type': 'application/json' };
    const payload = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${url}/admin/realms${path}`, { method, headers, ...payload });
    const text = await response.text();
    if (!response.ok) throw new Error(`Keycloak answered ${response.status} to ${method} ${path}: ${text}`);
    return {
      body: text === '' ? undefined : JSON.parse(text),
      location: response.headers.get('location') ?? undefined,
    };
  }
  return { admin, adminToken };
}

/** Two ports that were free a moment ago. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return [ports[0] ?? 0, ports[1] ?? 0];
}
