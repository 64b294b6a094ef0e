/**
 * Promises: the image of this repository's Dockerfile, built from its sources, as a folder and its configuration; and its process, run as
 * a container runtime would: the user, the environment and the command that the image says, a root that cannot be written to.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildCertificates, makeBase, makeBuildBase, npmProgram } from './bases.ts';
import { type Buildah, openBuildah } from './buildah.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');

export interface BuiltImage {
  /** All of its files. */
  readonly root: string;
  /** Those of the base that it was built on. */
  readonly base: string;
  readonly config: ImageConfig;
  remove(): Promise<void>;
}

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export async function buildImage(env: NodeJS.ProcessEnv): Promise<BuiltImage> {
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-image-'));
  try {
    const buildah = await openBuildah(folder, env);
    const npm = await npmSettings();
    await baseImage(buildah, folder, 'base', makeBase);
    await baseImage(buildah, folder, 'build', (tree) => makeBuildBase(tree, npm));
    await writeFile(join(folder, 'npmrc'), npm.text);
    const secret = `id=npmrc,src=${join(folder, 'npmrc')}`;
    const bases = ['--build-arg', 'BUILD=localhost/build', '--build-arg', 'BASE=localhost/base', '--pull-never'];
    const command = ['bud', '--layers=false', '--network', 'host', '--secret', secret, ...bases];
    await buildah.run(...command, '--tag', 'localhost/scopegate', repository);
    const inspected = JSON.parse(await buildah.run('inspect', '--type', 'image', 'localhost/scopegate')) as {
      OCIv1: { config: ImageConfig };
    };
    const root = await mounted(buildah, 'localhost/scopegate');
    const base = await mounted(buildah, 'localhost/base');
    return { root, base, config: inspected.OCIv1.config, remove: () => remove(folder) };
  } catch (error) {
    await remove(folder);
    throw error;
  }
}

async function baseImage(
  buildah: Buildah,
  folder: string,
  name: string,
  make: (tree: string) => Promise<void>,
): Promise<void> {
  const tree = join(folder, name);
  await mkdir(tree);
  await make(tree);
  await writeFile(
    join(folder, `${name}.Dockerfile`),
    'FROM scratch\nENV PATH=/usr/local/bin:/usr/bin:/bin\nCOPY . /\n',
  );
  await buildah.run('bud', '--file', join(folder, `${name}.Dockerfile`), '--tag', `localhost/${name}`, tree);
  await rm(tree, { recursive: true });
}

async function mounted(buildah: Buildah, image: string): Promise<string> {
  const container = await buildah.run('from', '--pull-never', image);
  return buildah.run('mount', container);
}

/** With vfs a mount is a plain folder. */
async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** How this machine's npm reaches its registry, for the time of the build only. */
async function npmSettings(): Promise<{ readonly text: string; readonly certificates: string | undefined }> {
  const npm = await npmProgram();
  const ask = async (name: string): Promise<string> => {
    const { stdout } = await run(process.execPath, [npm, 'config', 'get', name], { cwd: repository });
    return stdout.trim();
  };
  const [registry, cafile, userconfig] = [await ask('registry'), await ask('cafile'), await ask('userconfig')];
  const own = await readFile(userconfig, 'utf8').catch(() => '');
  const certificates = [cafile, process.env['NODE_EXTRA_CA_CERTS']].find((path) => path?.startsWith('/'));
  const lines = [own, `registry=${registry}`, ...(certificates === undefined ? [] : [`cafile=${buildCertificates}`])];
  return { text: `${lines.join('\n')}\n`, certificates };
}

export interface ImageCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The command of the image with `args` in place of its own, on its files. `policy` is there to be read at `/etc/scopegate/policy.yaml`. The
 * process takes the place and the pid of the command.
 */
export async function imageCommand(
  { root, config }: BuiltImage,
  policy: string,
  args: readonly string[],
): Promise<ImageCommand> {
  await Promise.all(['etc/scopegate', 'proc', 'dev'].map((place) => mkdir(join(root, place), { recursive: true })));
  await copyFile(policy, join(root, 'etc/scopegate/policy.yaml'));
  const script = [
    'set -e',
    'mount --bind "$1" "$1"',
    'mount --rbind /proc "$1/proc"',
    'mount --rbind /dev "$1/dev"',
    'mount -o remount,bind,ro "$1"',
    'shift',
    'exec env --ignore-environment "$@"',
  ].join('\n');
  const entered = ['/usr/sbin/chroot', `--userspec=${config.User}`, root, ...config.Entrypoint, ...args];
  return {
    command: 'unshare',
    args: ['--mount', '/bin/sh', '-c', script, 'sh', root, ...config.Env, ...entered],
  };
}
