/**
 * Promises: a helm that runs: the one that `HELM_BIN` names, else `helm` of PATH if it is version 3 or 4, else 3.22.0 built with Go and
 * kept in the cache folder. Two processes that build at once both get a whole one. Every failure is one clear line.
 */
import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../deploy/envoy/install.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';

const version = '3.22.0';
const module = 'helm.sh/helm/v3';
const progressMs = 15_000;
const ownHelm = 'or set HELM_BIN to a helm 3 or 4 of your own';

export interface HelmRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Helm {
  /** `kubeconfig`: of the cluster that is meant; without one no cluster is ever found. */
  run(args: readonly string[], kubeconfig?: string): Promise<HelmRun>;
}

/** `report` gets a line for each step that takes time. */
export async function findHelm(report: (line: string) => void): Promise<Helm> {
  const program = await helmProgram(report);
  return { run: (args, kubeconfig = '/nonexistent') => runHelm(program, args, kubeconfig) };
}

async function helmProgram(report: (line: string) => void): Promise<string> {
  const own = process.env['HELM_BIN'];
  if (own !== undefined && own !== '') {
    if (await isKnownHelm(own)) return resolve(own);
    throw new SetupError(`HELM_BIN=${own} is no helm of version 3 or 4`);
  }
  if (await isKnownHelm('helm')) return 'helm';
  const built = join(cacheFolder(process.env), `helm-${version}-${process.arch}`);
  if (!(await isExecutable(built))) await build(built, report);
  return built;
}

async function isKnownHelm(program: string): Promise<boolean> {
  const { code, stdout } = await runHelm(program, ['version', '--short'], '/nonexistent');
  return code === 0 && /^v[34]\./.test(stdout);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Builds beside the goal, then renames one file: others see no binary or a whole one. */
async function build(goal: string, report: (line: string) => void): Promise<void> {
  const cache = resolve(goal, '..');
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.helm-'));
  const startedMs = performance.now();
  const elapsed = (): string => `${Math.round((performance.now() - startedMs) / 1000)} s`;
  const timer = setInterval(() => report(`building helm: ${elapsed()}`), progressMs);
  try {
    report(`building helm ${version} with Go, once (1 to 4 minutes on two cores; kept as ${goal})`);
    await goInstall(work);
    await rename(join(work, 'helm'), goal);
    report(`built in ${elapsed()}`);
  } finally {
    clearInterval(timer);
    await rm(work, { recursive: true, force: true });
  }
}

function goInstall(folder: string): Promise<void> {
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' };
  const stamp = `-s -w -X ${module}/internal/version.version=v${version}`;
  const args = ['install', '-trimpath', '-ldflags', stamp, `${module}/cmd/helm@v${version}`];
  return new Promise((done, fail) => {
    const child = spawn('go', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-4000);
    });
    child.on('error', () => fail(new SetupError(`Go is not installed; it builds helm once: install Go, ${ownHelm}`)));
    child.on('close', (code) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      if (code === 0) done();
      else fail(new SetupError(`helm could not be built: ${last}. Try again, ${ownHelm}`));
    });
  });
}

function runHelm(program: string, args: readonly string[], kubeconfig: string): Promise<HelmRun> {
  // Neither plugins nor settings of the person who runs the tests.
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: kubeconfig, HELM_PLUGINS: '/nonexistent' };
  return new Promise((done) => {
    execFile(program, args, { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 255;
      done({ code: error === null ? 0 : code, stdout, stderr: stderr || (error?.message ?? '') });
    });
  });
}
