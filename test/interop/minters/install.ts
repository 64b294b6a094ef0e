/**
 * Promises: the libraries that sign tokens, each as a command that reads an order (minter.ts); what they need is kept in the cache folder.
 * Leaves to others: running them (minter.ts).
 */
import { execFile } from 'node:child_process';
import { copyFile, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { digest, digestOf, keep, npmPackages, type Report, requireJava, succeed } from '../install.ts';
import type { JsonProgram } from '../json-program.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('.', import.meta.url));

export async function minterPrograms(report: Report): Promise<readonly JsonProgram[]> {
  await requireJava();
  const packages = await npmPackages(folder, 'interop-minters', '1 MB', report);
  const node = { command: process.execPath, env: {} };
  return [
    { ...node, name: 'jsonwebtoken', args: [join(folder, 'jsonwebtoken.ts'), packages] },
    { ...node, name: 'jose', args: [join(folder, 'jose.ts')] },
    await pyjwt(report),
    await nimbus(report),
    await golangJwt(report),
  ];
}

async function pyjwt(report: Report): Promise<JsonProgram> {
  const PYTHONPATH = await pythonPackages(join(folder, 'requirements.txt'), 'interop-minters-python', report);
  const args = [join(folder, 'pyjwt.py')];
  return { name: 'PyJWT', command: 'python3', args, env: { PYTHONPATH } };
}

/** A folder for `PYTHONPATH` with what a requirements file names. */
export async function pythonPackages(requirements: string, name: string, report: Report): Promise<string> {
  // What is compiled in them is for one Python.
  const { stdout } = await run('python3', ['--version']).catch(() => ({ stdout: 'none' }));
  return keep(`${name}-${digest(stdout + (await digestOf([requirements])))}`, async (work) => {
    report(`installing the Python packages of ${name}, once`);
    const options = ['--no-deps', '--only-binary', ':all:', '--quiet', '--no-input', '--disable-pip-version-check'];
    await succeed('python3', ['-m', 'pip', 'install', ...options, '--target', work, '-r', requirements], report);
    return work;
  });
}

async function nimbus(report: Report): Promise<JsonProgram> {
  const pom = join(folder, 'nimbus', 'pom.xml');
  const jars = await keep(`interop-minters-java-${await digestOf([pom])}`, async (work) => {
    report('fetching Nimbus JOSE+JWT with Maven, once (6 MB)');
    await succeed('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-f', pom, `-DoutputDirectory=${work}`], report);
    return work;
  });
  const classPath = (await readdir(jars)).map((name) => join(jars, name)).join(delimiter);
  // Java compiles one file on the spot.
  const args = ['-XX:TieredStopAtLevel=1', '-cp', classPath, join(folder, 'nimbus', 'Minter.java')];
  return { name: 'Nimbus JOSE+JWT', command: 'java', args, env: {} };
}

async function golangJwt(report: Report): Promise<JsonProgram> {
  const names = ['go.mod', 'go.sum', 'main.go'];
  const sources = names.map((name) => join(folder, 'golang-jwt', name));
  const machine = digest(`${process.platform} ${process.arch} ${await digestOf(sources)}`);
  const built = await keep(`interop-minters-go-${machine}`, async (work) => {
    report('building golang-jwt, once (half a minute)');
    for (const [index, name] of names.entries()) await copyFile(sources[index] ?? '', join(work, name));
    await succeed('go', ['build', '-buildvcs=false', '-o', 'minter', '.'], report, work);
    return work;
  });
  return { name: 'golang-jwt', command: join(built, 'minter'), args: [], env: {} };
}
