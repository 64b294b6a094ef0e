/**
 * Promises: the two bases that the Dockerfile starts from, as far as it needs them, made of what is on this machine: Node and its
 * libraries at the places where the real ones have them, and for the build a shell and npm. No registry of images is asked.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from '../../deploy/envoy/setup-error.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');

/** Like `gcr.io/distroless/nodejs24-debian13:nonroot`: Node, what it links to, CAs, a user; no shell. */
export async function makeBase(folder: string): Promise<void> {
  await addProgram(folder, process.execPath, '/nodejs/bin/node');
  await addText(
    folder,
    '/etc/passwd',
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  );
  await addText(folder, '/etc/group', 'root:x:0:\nnonroot:x:65532:\n');
  await mkdir(join(folder, 'tmp'));
  await chmod(join(folder, 'tmp'), 0o1777);
}

/** Like `node:24-trixie-slim`. */
export async function makeBuildBase(
  folder: string,
  { certificates }: { certificates: string | undefined },
): Promise<void> {
  await addProgram(folder, process.execPath, '/usr/local/bin/node');
  // Every Linux with glibc has what it links to.
  for (const native of globSync('node_modules/@rolldown/binding-*/*.node', { cwd: repository })) {
    await addLibraries(folder, join(repository, native));
  }
  await addProgram(folder, '/bin/sh', '/bin/sh');
  await addProgram(folder, '/usr/bin/env', '/usr/bin/env');
  const npm = '/usr/local/lib/node_modules/npm';
  await cp(dirname(dirname(await npmProgram())), join(folder, npm), { recursive: true, dereference: true });
  await symlink(`${npm}/bin/npm-cli.js`, join(folder, '/usr/local/bin/npm'));
  await mkdir(join(folder, 'tmp'));
  if (certificates !== undefined) {
    await addText(folder, buildCertificates, await readFile(certificates, 'utf8'));
  }
}

/** Where the base of the build has the CAs of this machine. */
export const buildCertificates = '/etc/ssl/certs/ca-certificates.crt';

/** The npm that runs this, else the one of the path. */
export async function npmProgram(): Promise<string> {
  const running = process.env['npm_execpath'];
  if (running?.endsWith('npm-cli.js') === true) return realpath(running);
  const { stdout } = await run('/bin/sh', ['-c', 'command -v npm']).catch(() => {
    throw new SetupError('no npm on the path');
  });
  return realpath(stdout.trim());
}

async function addProgram(folder: string, program: string, place: string): Promise<void> {
  await addFile(folder, await realpath(program), place);
  await addLibraries(folder, program);
}

async function addLibraries(folder: string, program: string): Promise<void> {
  const { stdout } = await run('ldd', [program]);
  for (const [, library = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) await addFile(folder, library, library);
}

async function addFile(folder: string, from: string, place: string): Promise<void> {
  await mkdir(dirname(join(folder, place)), { recursive: true });
  await copyFile(from, join(folder, place));
}

async function addText(folder: string, place: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, place)), { recursive: true });
  await writeFile(join(folder, place), text);
}
