/**
 * Promises: a real kube-apiserver with its etcd, back when it is ready, gone when `stop()` settles or this process ends. It can be killed,
 * frozen and started again on the same data and the same address. What the programs said is in the error when they do not start.
 * Leaves to others: where the programs are from (assets.ts), and what is in the cluster (cluster-access.ts). There is no controller
 * manager: a namespace that was deleted stays, so each test takes one of its own.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../../deploy/envoy/child.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';
import { kubernetesAssets } from './assets.ts';
import { kubeconfigText } from './kubeconfig.ts';

/** How a run of kubectl ended. */
export interface Kubectl {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ApiServer {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** PEM of the certificate authority of `url`. */
  readonly ca: string;
  /** Of a user who may do anything. */
  readonly adminToken: string;
  /** Path of a kubeconfig of that user. */
  readonly kubeconfig: string;
  /** For files of the test; removed by `stop()`. */
  readonly folder: string;
  /** Runs kubectl as that user; `input` is what it reads from `-f -`. */
  kubectl(args: readonly string[], input?: string): Promise<Kubectl>;
  /** One request of that user without kubectl, which takes a quarter of a second. Rejects unless the answer is of the 200s. */
  request(method: string, path: string, body?: object): Promise<unknown>;
  /** SIGKILL of the API server; etcd goes on. */
  kill(): Promise<void>;
  /** From here to `thaw()` connections are accepted by the kernel and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Starts the API server again where it was, after `kill()` or instead of it; back when it is ready. */
  restart(): Promise<void>;
  /** Thawed, and started if it does not run. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

export interface ApiServerOptions {
  /** More flags for kube-apiserver. */
  readonly flags?: readonly string[];
}

/** Three seconds are usual; two busy cores may take their time. */
const startTimeoutMs = 90_000;
const pollMs = 25;
const keptLines = 60;
/** Below the range that the kernel takes ports for clients from: nobody sits on it while the server is away. */
const ports = [20_000, 32_000] as const;
const portTries = 5;

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const assets = await kubernetesAssets({ env: process.env, report: (line) => process.stderr.write(`${line}\n`) });
  // A unix socket has a path of 107 bytes at most.
  const folder = await mkdtemp(join(tmpdir().length > 60 ? '/tmp' : tmpdir(), 'scopegate-api-'));
  const place: Place = { assets, folder, adminToken: randomBytes(16).toString('hex'), flags: options.flags ?? [] };
  await prepare(place);
  const etcd = startProgram(join(assets, 'etcd'), etcdFlags(folder));
  try {
    const { server, port } = await startOnFreePort(place, etcd);
    return await createApiServer(place, { etcd, server, port });
  } catch (error) {
    await etcd.child.stop(0);
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Place {
  readonly assets: string;
  readonly folder: string;
  readonly adminToken: string;
  readonly flags: readonly string[];
}

interface Program {
  readonly child: Child;
  /** Its last lines. */
  readonly log: readonly string[];
}

interface Running {
  readonly etcd: Program;
  readonly server: Program;
  readonly port: number;
}

async function createApiServer(place: Place, running: Running): Promise<ApiServer> {
  const { assets, folder, adminToken } = place;
  const { etcd, port } = running;
  let { server } = running;
  const url = `https://127.0.0.1:${port}`;
  const ca = await readFile(certificateIn(folder), 'utf8');
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText({ server: url, ca, token: adminToken }), { mode: 0o600 });

  function signal(name: NodeJS.Signals): void {
    const { pid } = server.child;
    if (pid !== undefined) process.kill(pid, name);
  }
  let isUp = true;
  async function kill(): Promise<void> {
    isUp = false;
    await server.child.stop(0);
  }
  async function restart(): Promise<void> {
    await kill();
    server = startProgram(join(assets, 'kube-apiserver'), apiServerFlags(place, port));
    await untilReady(server, { etcd, place, port });
    isUp = true;
  }
  return {
    url,
    ca,
    adminToken,
    kubeconfig,
    folder,
    kubectl: (args, input) => runKubectl(join(assets, 'kubectl'), { kubeconfig, folder, args, input }),
    request: (method, path, body) => sendRequest(`${url}${path}`, { ca, token: adminToken, method, body }),
    kill,
    freeze: () => {
      if (!isUp) return;
      signal('SIGSTOP');
      // Each of its threads stops by itself, a moment after the signal; until then it may still answer.
      while (!isStopped(server.child.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    },
    thaw: () => signal('SIGCONT'),
    restart,
    revive: async () => {
      if (isUp) signal('SIGCONT');
      else await restart();
    },
    stop: async () => {
      // Nothing here is worth a graceful end.
      await Promise.all([server.child.stop(0), etcd.child.stop(0)]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isStopped(pid: number | undefined): boolean {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads).every((thread) => /\) T /.test(readFileSync(join(threads, thread, 'stat'), 'utf8')));
}

async function prepare({ folder, adminToken }: Place): Promise<void> {
  await mkdir(join(folder, 'certs'));
  await mkdir(join(folder, 'etcd'), { mode: 0o700 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(folder, 'certs/sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(folder, 'tokens.csv'), `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
}

function etcdFlags(folder: string): readonly string[] {
  const client = `unix://${folder}/etcd.sock`;
  const peer = `unix://${folder}/peer.sock`;
  return flagsOf({
    name: 't',
    'data-dir': `${folder}/etcd`,
    'unsafe-no-fsync': 'true',
    logger: 'zap',
    'log-level': 'warn',
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `t=${peer}`,
  });
}

function apiServerFlags({ folder, flags }: Place, port: number): readonly string[] {
  const key = `${folder}/certs/sa.key`;
  const own = flagsOf({
    'etcd-servers': `unix://${folder}/etcd.sock`,
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    'cert-dir': `${folder}/certs`,
    // Otherwise it looks for the machine's own address, and complains for ever that a loopback address is no endpoint.
    'advertise-address': '127.0.0.1',
    'endpoint-reconciler-type': 'none',
    'token-auth-file': `${folder}/tokens.csv`,
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-signing-key-file': key,
    'service-account-key-file': key,
    'service-cluster-ip-range': '10.0.0.0/24',
  });
  return [...own, ...flags];
}

function flagsOf(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

function startProgram(path: string, args: readonly string[]): Program {
  const log: string[] = [];
  const child = startChild(path, args, {
    onStderr: (line) => {
      log.push(line);
      if (log.length > keptLines) log.shift();
    },
  });
  return { child, log };
}

async function startOnFreePort(place: Place, etcd: Program): Promise<{ server: Program; port: number }> {
  for (let left = portTries; ; left -= 1) {
    const port = randomInt(...ports);
    const server = startProgram(join(place.assets, 'kube-apiserver'), apiServerFlags(place, port));
    try {
      await untilReady(server, { etcd, place, port });
      return { server, port };
    } catch (error) {
      await server.child.stop(0);
      if (left === 0 || !server.log.some((line) => line.includes('address already in use'))) throw error;
    }
  }
}

interface Awaited {
  readonly etcd: Program;
  readonly place: Place;
  readonly port: number;
}

async function untilReady(server: Program, { etcd, place, port }: Awaited): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  const ends = [
    server.child.ended.then((phrase) => `kube-apiserver ${phrase}: ${server.log.slice(-8).join('\n')}`),
    etcd.child.ended.then((phrase) => `etcd ${phrase}: ${etcd.log.slice(-8).join('\n')}`),
  ];
  for (;;) {
    if (await isReady(place, port)) return;
    const early = await Promise.race([...ends, delay(pollMs, undefined)]);
    if (early !== undefined) throw new SetupError(early);
    if (performance.now() > deadline) {
      throw new SetupError(`kube-apiserver was not ready within ${startTimeoutMs / 1000} s: ${server.log.join('\n')}`);
    }
  }
}

async function isReady({ folder, adminToken }: Place, port: number): Promise<boolean> {
  try {
    // The server makes its certificate as it starts.
    const ca = await readFile(certificateIn(folder), 'utf8');
    await sendRequest(`https://127.0.0.1:${port}/readyz`, { ca, token: adminToken, method: 'GET', body: undefined });
    return true;
  } catch {
    return false;
  }
}

/** The server's certificate with the one of its authority behind it. */
function certificateIn(folder: string): string {
  return join(folder, 'certs/apiserver.crt');
}

interface Request {
  readonly ca: string;
  readonly token: string;
  readonly method: string;
  readonly body: object | undefined;
}

function sendRequest(url: string, { ca, token, method, body }: Request): Promise<unknown> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ca,
        method,
        agent: false,
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        timeout: 15_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) reject(new Error(`${method} ${url}: ${status} ${text}`));
          else resolve(text.startsWith('{') ? (JSON.parse(text) as unknown) : text);
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${url}: no answer`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

interface KubectlRun {
  readonly kubeconfig: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly input: string | undefined;
}

function runKubectl(program: string, { kubeconfig, folder, args, input }: KubectlRun): Promise<Kubectl> {
  // A home of its own: neither settings nor caches of the person who runs the tests.
  const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: kubeconfig };
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 255;
        resolve({ code: error === null ? 0 : code, stdout, stderr: stderr || (error?.message ?? '') });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}
