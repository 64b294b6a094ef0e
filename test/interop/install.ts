/**
 * Promises: what only the interop suite needs, kept in the cache folder under a name that changes with its version: Keycloak from Maven
 * Central, built once, and the npm packages of package.json beside this file. Several processes may ask at the same time: the first to be
 * done wins. Every failure is one clear line.
 * Leaves to others: what minters and clients need beside that (minters/install.ts, clients/install.ts), starting any of it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../deploy/envoy/install.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';

export type Report = (line: string) => void;

export const keycloakVersion = '26.7.4';
/** What Keycloak fixes when it is built: no file of a database, and client certificates that are asked for and not required. */
const buildOptions = ['--db=dev-mem', '--https-client-auth=request'];
const artifact = `org.keycloak:keycloak-quarkus-dist:${keycloakVersion}:tar.gz`;
const leftoverAgeMs = 3600_000;
const suiteFolder = fileURLToPath(new URL('.', import.meta.url));

/** The folder of a built Keycloak. */
export async function keycloakHome(report: Report): Promise<string> {
  await requireJava();
  const key = digest(buildOptions.join(' '));
  return keep(`keycloak-${keycloakVersion}-${key}`, async (work) => {
    report(`fetching Keycloak ${keycloakVersion} with Maven, once (170 MB)`);
    const options = [`-Dartifact=${artifact}`, `-DoutputDirectory=${work}`, '-Dmdep.useBaseVersion=true'];
    await succeed('mvn', ['-q', '-B', 'dependency:copy', ...options], report);
    const archive = join(work, `keycloak-quarkus-dist-${keycloakVersion}.tar.gz`);
    await succeed('tar', ['xzf', archive, '-C', work], report);
    await rm(archive);
    const home = join(work, `keycloak-${keycloakVersion}`);
    report('building Keycloak, once (half a minute to three minutes)');
    await succeed(join(home, 'bin', 'kc.sh'), ['build', ...buildOptions], report);
    return home;
  });
}

/** The folder whose `node_modules` holds the packages of the suite. */
export function interopPackages(report: Report): Promise<string> {
  return npmPackages(suiteFolder, 'interop-packages', '160 MB', report);
}

/** The folder whose `node_modules` holds what package.json and its lock in `folder` name. */
export async function npmPackages(folder: string, name: string, size: string, report: Report): Promise<string> {
  const files = [join(folder, 'package.json'), join(folder, 'package-lock.json'), join(suiteFolder, '.npmrc')];
  return keep(`${name}-${await digestOf(files)}`, async (work) => {
    report(`installing the npm packages of ${name}, once (${size})`);
    for (const file of files) await copyFile(file, join(work, basename(file)));
    // Scripts of packages are not wanted; `npm run` tells its children where its own package is, and this is another one.
    await succeed('npm', ['ci', '--ignore-scripts', '--prefix', work], report, work);
    return work;
  });
}

/** The folder `name` of the cache; `make` fills a work folder and returns what of it is to be kept. */
export async function keep(name: string, make: (work: string) => Promise<string>): Promise<string> {
  const cache = cacheFolder(process.env);
  const goal = join(cache, name);
  if (await isThere(goal)) return goal;
  await mkdir(cache, { recursive: true });
  await removeLeftovers(cache);
  const work = await mkdtemp(join(cache, '.interop-'));
  try {
    const made = await make(work);
    await rename(made, goal).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await isThere(goal))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return goal;
}

/** Work folders of installations that were killed; a younger one may be at work. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('.interop-')) continue;
    const path = join(cache, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < Date.now() - leftoverAgeMs) await rm(path, { recursive: true, force: true });
  }
}

const needed: Readonly<Record<string, string>> = {
  java: 'Java 17 or later is needed for Keycloak: install a JDK',
  mvn: 'Maven is needed to fetch Keycloak: install it',
  npm: 'npm is needed for the issuers that the interop suite starts',
  go: 'Go 1.24 or later is needed for tokens of golang-jwt: install it',
  python3: 'Python 3.10 or later is needed for tokens of PyJWT and for requests-oauthlib: install it, with pip',
};

export async function requireJava(): Promise<void> {
  const { code, said } = await run('java', ['-version'], process.cwd(), () => {});
  if (code !== 0) throw new SetupError(needed['java'] ?? '');
  const [, version = '0'] = /version "(\d+)/.exec(said) ?? [];
  if (Number(version) < 17) throw new SetupError(`${needed['java']} (this one is Java ${version})`);
}

export async function succeed(
  command: string,
  args: readonly string[],
  report: Report,
  folder = suiteFolder,
): Promise<void> {
  const { code, said } = await run(command, args, folder, report);
  if (code === 0) return;
  if (code === 'ENOENT') throw new SetupError(needed[command] ?? `${command} is not installed`);
  const lines = said.trim().split('\n');
  const complaint = lines.find((line) => /\[ERROR\]|^npm error|^ERROR/i.test(line)) ?? lines.at(-1);
  throw new SetupError(`${phrase(command, args)} failed: ${complaint?.trim() || `it ended with ${code}`}`);
}

const progressMs = 15_000;

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  report: Report,
): Promise<{ readonly code: number | string; readonly said: string }> {
  return new Promise((done) => {
    const startedMs = performance.now();
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => lines.push(line));
    }
    const timer = setInterval(() => {
      report(`${phrase(command, args)}: ${Math.round((performance.now() - startedMs) / 1000)} s`);
    }, progressMs);
    const end = (code: number | string): void => {
      clearInterval(timer);
      done({ code, said: lines.join('\n') });
    };
    child.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    child.on('close', (code) => end(code ?? 'a signal'));
  });
}

/** What is being done, such as `npm ci`. */
function phrase(command: string, args: readonly string[]): string {
  return [command.split('/').at(-1), args.find((arg) => !arg.startsWith('-'))].join(' ');
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Of the contents of files. */
export async function digestOf(files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return digest(texts.join('\0'));
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
