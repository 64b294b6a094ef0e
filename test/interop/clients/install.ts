/**
 * Promises: what the clients need, kept in the cache folder: packages of npm and Python, a program of Spring built once, and Chromium: the
 * one in `CHROMIUM_BIN`, one that is installed, else Debian's packages with what of their libraries the machine lacks, without root.
 * Leaves to others: running them (client-programs.ts).
 */
import { execFile } from 'node:child_process';
import { access, constants, copyFile, cp, mkdir, readdir, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SetupError } from '../../../deploy/envoy/setup-error.ts';
import { digestOf, keep, npmPackages, type Report, requireJava, succeed } from '../install.ts';
import { pythonPackages } from '../minters/install.ts';

export interface ClientParts {
  /** The folder whose `node_modules` has the packages of npm. */
  readonly npm: string;
  /** For `PYTHONPATH`. */
  readonly python: string;
  readonly springJar: string;
  readonly chromium: Chromium;
}

export interface Chromium {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const folder = fileURLToPath(new URL('.', import.meta.url));

export async function clientParts(report: Report): Promise<ClientParts> {
  return {
    npm: await npmPackages(folder, 'interop-clients', '22 MB', report),
    python: await pythonPackages(join(folder, 'requirements.txt'), 'interop-clients-python', report),
    springJar: await springJar(report),
    chromium: await chromium(report),
  };
}

async function springJar(report: Report): Promise<string> {
  await requireJava();
  const spring = join(folder, 'spring');
  const sources = ['pom.xml', 'src/main/java/dev/scopegate/interop/Client.java'].map((name) => join(spring, name));
  const built = await keep(`interop-clients-spring-${await digestOf(sources)}`, async (work) => {
    report('building the client of Spring with Maven, once (half a minute to two minutes)');
    await cp(spring, join(work, 'source'), { recursive: true });
    await succeed('mvn', ['-q', '-B', 'package', '-f', join(work, 'source', 'pom.xml')], report);
    const made = join(work, 'made');
    await mkdir(made);
    await copyFile(join(work, 'source', 'target', 'client-1.jar'), join(made, 'client.jar'));
    return made;
  });
  return join(built, 'client.jar');
}

async function chromium(report: Report): Promise<Chromium> {
  const own = process.env['CHROMIUM_BIN'];
  if (own !== undefined && own !== '') return { command: own, env: {} };
  for (const place of (process.env['PATH'] ?? '').split(delimiter)) {
    const command = join(place, 'chromium');
    if (place !== '' && (await isExecutable(command))) return { command, env: {} };
  }
  const root = await keep(`chromium-debian-${process.arch}`, (work) => unpack(work, report));
  const libraries = await libraryFolders(root);
  return { command: join(root, 'usr/lib/chromium/chromium'), env: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
}

async function unpack(work: string, report: Report): Promise<string> {
  report('fetching Chromium from the packages of Debian, once (125 MB)');
  try {
    await download(work);
    const root = join(work, 'root');
    for (const file of await readdir(work)) {
      if (!file.endsWith('.deb')) continue;
      await run('dpkg', ['-x', join(work, file), root]);
      await rm(join(work, file));
    }
    await access(join(root, 'usr/lib/chromium/chromium'), constants.X_OK);
    return root;
  } catch (error) {
    throw new SetupError(`no Chromium for the tests (${complaint(error)}): install chromium, or set CHROMIUM_BIN`);
  }
}

/** What apt says is wrong, else why it could not be asked. */
function complaint(error: unknown): string {
  const lines = error instanceof Error ? error.message.split('\n') : [String(error)];
  return lines.find((line) => line.startsWith('E: ')) ?? lines[0] ?? '';
}

/** With the lists of packages that are there, else with lists of its own: the system's are root's to write. */
async function download(work: string): Promise<void> {
  try {
    await downloadMissing(work, []);
  } catch {
    const lists = join(work, 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(work, 'cache')}`];
    await run('apt-get', [...own, 'update'], { timeout: downloadMs });
    await downloadMissing(work, own);
  }
}

const downloadMs = 300_000;

async function downloadMissing(work: string, options: readonly string[]): Promise<void> {
  const simulated = ['install', '--simulate', '--no-install-recommends', 'chromium'];
  const { stdout } = await run('apt-get', [...options, ...simulated], { env: { ...process.env, LC_ALL: 'C' } });
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  await run('apt-get', [...options, 'download', ...missing], { cwd: work, timeout: downloadMs });
}

/** Where its libraries are, PulseAudio's in a folder of their own. */
async function libraryFolders(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const base of [join(root, 'usr/lib'), join(root, 'lib')]) {
    const names = await readdir(base).catch(() => []);
    for (const name of names.filter((one) => one.includes('-linux-'))) {
      found.push(join(base, name), join(base, name, 'pulseaudio'));
    }
  }
  return found;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
