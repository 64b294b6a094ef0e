/**
 * Promises: a folder with kube-apiserver, etcd and kubectl: the one that `KUBEBUILDER_ASSETS` names, else one built from the Go module
 * beside this file and kept in the cache folder under a name that changes with all that goes into it. Several processes may ask at the
 * same time; one builds. Every failure is one clear line.
 * Leaves to others: running them (api-server.ts). A build that was broken off goes on where Go's own build cache has it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../deploy/envoy/install.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';

export interface AssetsOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Gets a line for each step that takes time, and one each `progressMs` while Go compiles. */
  readonly report: (line: string) => void;
  readonly progressMs?: number;
  /** The Go module; a test may have a smaller one. */
  readonly module?: string;
}

const programs = ['kube-apiserver', 'etcd', 'kubectl'] as const;
const leftoverAgeMs = 6 * 3600_000;
const ownAssets = 'or set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl';

/** The path of the folder. */
export async function kubernetesAssets(options: AssetsOptions): Promise<string> {
  const own = options.env['KUBEBUILDER_ASSETS'];
  if (own !== undefined && own !== '') {
    const missing = await missingIn(own);
    if (missing.length === 0) return resolve(own);
    throw new SetupError(`KUBEBUILDER_ASSETS=${own} lacks ${missing.join(', ')}, or they are not executable files`);
  }
  const build = await planBuild(options);
  if ((await missingIn(build.folder)).length === 0) return build.folder;
  const unlock = await lock(build.folder, options.report);
  try {
    // Another process may have built it while this one waited.
    if ((await missingIn(build.folder)).length > 0) await make(build, options);
  } finally {
    await unlock();
  }
  return build.folder;
}

interface Build {
  /** Where the programs will be. */
  readonly folder: string;
  readonly module: string;
  readonly version: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const moduleFolder = fileURLToPath(new URL('.', import.meta.url));

async function planBuild({ env, module = moduleFolder }: AssetsOptions): Promise<Build> {
  const buildEnv = {
    ...env,
    CGO_ENABLED: '0',
    // What go.mod asks for is here or it is not: a toolchain is not fetched in passing.
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOFLAGS: `${env['GOFLAGS'] ?? ''} -buildvcs=false`.trim(),
  };
  const version = kubernetesVersion(await readFile(join(module, 'go.mod'), 'utf8'));
  const args = ['build', '-v', '-trimpath', '-ldflags', linkFlags(version)];
  const hash = createHash('sha256').update(JSON.stringify([args, await goVersion(buildEnv)]));
  const found = await readdir(join(module, 'cmd'), { recursive: true });
  const commands = found.filter((path) => path.endsWith('.go')).map((path) => join('cmd', path));
  for (const name of ['go.mod', 'go.sum', ...commands.toSorted()]) {
    hash.update(`\0${name}\0`).update(await readFile(join(module, name)));
  }
  const key = hash.digest('hex').slice(0, 16);
  const folder = join(cacheFolder(env), `kubernetes-${version}-${key}`);
  return { folder, module, version, args, env: buildEnv };
}

function kubernetesVersion(goMod: string): string {
  const version = /^\s*k8s\.io\/kubernetes v(\d+\.\d+\.\d+)$/m.exec(goMod)?.[1];
  if (version === undefined) throw new SetupError('go.mod names no version of k8s.io/kubernetes');
  return version;
}

/** Without the stamp the server calls itself by a version that is none, and kubectl cannot read it. */
function linkFlags(version: string): string {
  const [major, minor] = version.split('.');
  const stamp = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const flags = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...flags].join(' ');
}

async function goVersion(env: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await run('go', ['version'], { env });
  if (code === 'ENOENT') {
    throw new SetupError(
      `Go is not installed; the tests with a real API server build it once: install Go, ${ownAssets}`,
    );
  }
  if (code !== 0) throw new SetupError(`go version failed: ${lastLine(stderr)}`);
  return stdout.trim();
}

/** Builds beside the goal, then renames the folder: others see none or a whole one. */
async function make(build: Build, options: AssetsOptions): Promise<void> {
  const { folder, module, args, env, version } = build;
  const cache = resolve(folder, '..');
  const work = await workFolder(cache);
  try {
    options.report(`building Kubernetes ${version} with Go, once (10 to 15 minutes on two cores; kept in ${folder})`);
    const progress = reportProgress(options);
    const ended = await run('go', [...args, '-o', `${work}/`, './cmd/...'], {
      env,
      cwd: module,
      onStderr: progress.heard,
    });
    progress.stop();
    if (ended.code !== 0) throw new SetupError(whatFailed(ended.stderr));
    await chmod(work, 0o755);
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
    options.report(`built in ${progress.elapsed()}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Progress {
  readonly heard: (line: string) => void;
  elapsed(): string;
  stop(): void;
}

function reportProgress({ report, progressMs = 15_000 }: AssetsOptions): Progress {
  const startedMs = performance.now();
  let modules = 0;
  let packages = 0;
  const elapsed = (): string => {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  };
  const timer = setInterval(
    () => report(`building Kubernetes: ${elapsed()}, ${modules} modules fetched, ${packages} packages compiled`),
    progressMs,
  );
  const heard = (line: string): void => {
    if (line.startsWith('go: downloading ')) modules += 1;
    // With -v, Go prints the import path of each package that it compiles, and nothing else without a space.
    else if (/^\S+$/.test(line)) packages += 1;
  };
  return { heard, elapsed, stop: () => clearInterval(timer) };
}

async function workFolder(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    for (const name of await readdir(cache)) {
      if (!name.startsWith('.kubernetes-')) continue;
      const path = join(cache, name);
      if ((await stat(path)).mtimeMs < Date.now() - leftoverAgeMs) await rm(path, { recursive: true, force: true });
    }
    return await mkdtemp(join(cache, '.kubernetes-'));
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SetupError(`cannot write to the cache folder ${cache} (${reason}): set SCOPEGATE_CACHE to another`);
  }
}

/**
 * Waits until this process is the only one that builds `folder`. The lock is a socket that listens: it ends with its process, however
 * that ends, and who waits for it is told by the end of a connection.
 */
async function lock(folder: string, report: AssetsOptions['report']): Promise<() => Promise<void>> {
  const name = `scopegate-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
  // An abstract address of Linux leaves no file behind. Elsewhere the rename alone keeps builds apart.
  if (process.platform !== 'linux') return async () => {};
  for (let isFirst = true; ; isFirst = false) {
    const held = await listen(`\0${name}`);
    if (held !== undefined) return held;
    if (isFirst) report('another process builds Kubernetes; waiting for it');
    await untilReleased(`\0${name}`);
  }
}

function listen(address: string): Promise<(() => Promise<void>) | undefined> {
  return new Promise((done, fail) => {
    const waiting = new Set<{ destroy(): unknown }>();
    const server: Server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => {}).on('close', () => waiting.delete(socket));
    });
    const release = (): Promise<void> =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of waiting) socket.destroy();
      });
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') done(undefined);
      else fail(error);
    });
    server.listen(address, () => done(release));
  });
}

function untilReleased(address: string): Promise<void> {
  return new Promise((done) => {
    connect(address)
      .on('error', () => {})
      .on('close', () => done())
      .resume();
  });
}

/** Signs in Go's error output; the first that is found wins. */
const failures: readonly (readonly [sign: RegExp, line: string])[] = [
  [
    /requires go >= (\S+)/,
    `this Go is older than the go.mod of test/kubernetes asks for: install a newer one, ${ownAssets}`,
  ],
  [
    /dial tcp|i\/o timeout|no such host|connection refused|TLS handshake timeout|GOPROXY=off/,
    `no network: the modules of Kubernetes could not be fetched. Try again, ${ownAssets}`,
  ],
  [
    /no space left on device/,
    'no space left on the disk: the build needs 4 GB for the caches of Go (GOCACHE, GOMODCACHE)',
  ],
  [/signal: killed/, 'the build was killed, probably for want of memory: it needs 2.5 GB'],
];

function whatFailed(stderr: string): string {
  const known = failures.find(([sign]) => sign.test(stderr));
  return known?.[1] ?? `Kubernetes could not be built: ${lastLine(stderr)}`;
}

async function missingIn(folder: string): Promise<readonly string[]> {
  const found = await Promise.all(programs.map((name) => isExecutable(join(folder, name))));
  return programs.filter((_, at) => found[at] !== true);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

interface Ended {
  /** Exit code, or the word of the operating system when it could not be started. */
  readonly code: number | string;
  readonly stdout: string;
  /** Its last lines. */
  readonly stderr: string;
}

interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly onStderr?: (line: string) => void;
}

const keptLines = 40;

function run(command: string, args: readonly string[], { env, cwd, onStderr }: RunOptions): Promise<Ended> {
  return new Promise((done) => {
    const child: ChildProcess = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    const stderr: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        onStderr?.(line);
        stderr.push(line);
        if (stderr.length > keptLines) stderr.shift();
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) =>
      done({ code: error.code ?? 'failed', stdout, stderr: error.message }),
    );
    child.on('close', (code) => done({ code: code ?? 'killed', stdout, stderr: stderr.join('\n') }));
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() || 'it said nothing';
}
