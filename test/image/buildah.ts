/**
 * Promises: `buildah`, which builds images without a daemon: the one of the machine, else Debian's, unpacked into the cache folder and not
 * installed. Images and whatever else it writes are in a folder of the caller's. Every failure is one clear line.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../deploy/envoy/install.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';

const run = promisify(execFile);

export interface Buildah {
  /** What it printed on stdout, without the last line end. */
  run(...args: readonly string[]): Promise<string>;
}

/** A command line to which arguments can be added. */
type Program = readonly [string, ...string[]];

/** `folder` holds the images; it is the caller's to delete. */
export async function openBuildah(folder: string, env: NodeJS.ProcessEnv): Promise<Buildah> {
  if (process.getuid?.() !== 0) {
    throw new SetupError('building an image here takes root (mounts, chroot); SCOPEGATE_IMAGE_TESTS=off leaves it out');
  }
  const [path, ...before] = (await installed()) ?? (await unpacked(env, folder));
  const files = {
    '.config/containers/policy.json': '{"default":[{"type":"insecureAcceptAnything"}]}\n',
    'registries.conf': '',
    'storage.conf': `[storage]\ndriver = "vfs"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/storage"\n`,
    'containers.conf': '',
  };
  await mkdir(join(folder, '.config/containers'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await mkdir(join(folder, 'tmp'));
  const own = {
    ...env,
    HOME: folder,
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    BUILDAH_ISOLATION: 'chroot',
    TMPDIR: join(folder, 'tmp'),
  };
  return {
    run: async (...args) => {
      const { stdout } = await run(path, [...before, ...args], { env: own, maxBuffer: 1 << 26 }).catch(
        (cause: unknown) => {
          const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause);
          throw new Error(`buildah ${args[0] ?? ''} failed:\n${said.slice(-3000)}`, { cause });
        },
      );
      return stdout.trimEnd();
    },
  };
}

async function installed(): Promise<Program | undefined> {
  try {
    const { stdout } = await run('/bin/sh', ['-c', 'command -v buildah']);
    return [stdout.trim()];
  } catch {
    return undefined;
  }
}

/**
 * Its libraries are where nothing looks for them, and it starts itself anew with an environment in which LD_LIBRARY_PATH is gone: it gets
 * a mount namespace in which the list of libraries has them.
 */
async function unpacked(env: NodeJS.ProcessEnv, work: string): Promise<Program> {
  const folder = join(cacheFolder(env), 'buildah');
  if (!existsSync(join(folder, 'usr'))) await unpack(folder);
  const libraries = join(folder, 'usr/lib');
  const folders = [libraries, ...(await readdir(libraries)).map((name) => join(libraries, name))];
  const [conf, cache] = [join(work, 'ld.so.conf'), join(work, 'ld.so.cache')];
  await writeFile(conf, [...folders, 'include /etc/ld.so.conf', ''].join('\n'));
  await run('/sbin/ldconfig', ['-X', '-f', conf, '-C', cache]);
  const script = 'mount --bind "$1" /etc/ld.so.cache && shift && exec "$@"';
  return ['unshare', '--mount', '/bin/sh', '-c', script, 'sh', cache, join(folder, 'usr/bin/buildah')];
}

async function unpack(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    const tree = join(work, 'tree');
    await mkdir(tree);
    // apt's own user writes here.
    await chmod(work, 0o755);
    await run('apt-get', ['download', ...(await packages())], { cwd: work });
    for (const file of await readdir(work))
      if (file.endsWith('.deb')) await run('dpkg', ['-x', join(work, file), tree]);
    await rename(tree, folder).catch(async (error: unknown) => {
      // Another run was first.
      if (!existsSync(join(folder, 'usr'))) throw error;
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new SetupError(`buildah is neither installed nor to be had by apt-get download: ${reason}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** It and the libraries that it needs, under the names that this release of Debian gives them. */
async function packages(): Promise<readonly string[]> {
  let direct = await dependenciesOf('buildah');
  if (direct.length === 0) {
    await run('apt-get', ['update']);
    direct = await dependenciesOf('buildah');
  }
  const further = await Promise.all(direct.map(dependenciesOf));
  return [...new Set(['buildah', ...direct, ...further.flat()])];
}

async function dependenciesOf(name: string): Promise<readonly string[]> {
  const { stdout } = await run('apt-cache', ['depends', '--important', name]).catch(() => ({ stdout: '' }));
  const names = [...stdout.matchAll(/^ +\|?(?:Pre)?Depends: (lib[^\s<>]+)$/gm)].map(([, found = '']) => found);
  return names.filter((found) => !/^libc6|^libgcc/.test(found));
}
