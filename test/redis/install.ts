/**
 * Promises: the command line of a Redis or Valkey server: the one in `REDIS_BIN`, one that is installed, else Debian's packages unpacked
 * into the cache folder, without root. Every failure is one clear line.
 * Leaves to others: starting it (redis-server.ts).
 */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../deploy/envoy/install.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';

const run = promisify(execFile);

export interface RedisProgram {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The server (a link to a program of its tools), and what of its libraries a minimal Debian lacks. */
const packages = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'];
const downloadMs = 120_000;

export async function redisProgram(report: (line: string) => void): Promise<RedisProgram> {
  const own = process.env['REDIS_BIN'];
  if (own !== undefined && own !== '') return { command: own, env: process.env };
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['valkey-server', 'redis-server']) {
      const command = join(folder, name);
      if (folder !== '' && (await isExecutable(command))) return { command, env: process.env };
    }
  }
  const goal = join(cacheFolder(process.env), `redis-debian-${process.arch}`);
  if (!(await isExecutable(join(goal, 'usr/bin/redis-server')))) await unpack(goal, report);
  return {
    command: join(goal, 'usr/bin/redis-server'),
    env: { ...process.env, LD_LIBRARY_PATH: await libraries(goal) },
  };
}

async function unpack(goal: string, report: (line: string) => void): Promise<void> {
  report('fetching redis-server from the packages of Debian, once (2 MB)');
  await mkdir(cacheFolder(process.env), { recursive: true });
  const work = await mkdtemp(`${goal}.`);
  try {
    await download(work);
    const files = (await readdir(work)).filter((name) => name.endsWith('.deb'));
    for (const file of files) await run('dpkg', ['-x', join(work, file), join(work, 'root')]);
    // Another process may have been faster.
    await rename(join(work, 'root'), goal).catch(async (error: unknown) => {
      if (!(await isExecutable(join(goal, 'usr/bin/redis-server')))) throw error;
    });
  } catch (error) {
    const said = error instanceof Error ? error.message.split('\n').find((line) => line.trim() !== '') : '';
    throw new SetupError(`no Redis for the tests (${said}): install redis-server or valkey-server, or set REDIS_BIN`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** With the lists of packages that are there, else with lists of its own: the system's are root's to write. */
async function download(work: string): Promise<void> {
  const options = { cwd: work, timeout: downloadMs };
  try {
    await run('apt-get', ['download', ...packages], options);
  } catch {
    const lists = join(work, 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(work, 'cache')}`];
    await run('apt-get', [...own, 'update'], options);
    await run('apt-get', [...own, 'download', ...packages], options);
  }
}

async function libraries(root: string): Promise<string> {
  const base = join(root, 'usr/lib');
  const folders = (await readdir(base)).filter((name) => name.includes('-linux-'));
  return folders.map((name) => join(base, name)).join(delimiter);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
