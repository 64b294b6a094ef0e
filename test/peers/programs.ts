/**
 * The other sides of HTTP/2 that are written in Go: built from the module beside this file into a folder of the run. Go keeps what it has
 * compiled, so that this takes seconds after the first time.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Programs {
  readonly folder: string;
  readonly h2spec: string;
  readonly grpcClient: string;
}

export async function buildPrograms(): Promise<Programs> {
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-peers-'));
  const args = ['build', '-trimpath', '-o', folder, './cmd/...', 'github.com/summerwind/h2spec/cmd/h2spec'];
  const { code, stderr } = await run('go', args, { cwd: import.meta.dirname });
  if (code !== 0) throw new Error(`Go is needed to build the peers: ${stderr.trim().split('\n').at(-1)}`);
  return { folder, h2spec: join(folder, 'h2spec'), grpcClient: join(folder, 'grpc-client') };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(program: string, args: readonly string[], { cwd }: { cwd?: string } = {}): Promise<Ran> {
  return new Promise((done) => {
    const options = { cwd, maxBuffer: 64 * 1024 * 1024, timeout: 110_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code ?? 255), stdout, stderr: stderr || (error?.message ?? '') });
    });
  });
}

/** What the client of grpc-go says at its end. */
export interface GoResult {
  readonly codes: Readonly<Record<string, number>>;
  readonly wrong: number;
  readonly notes: readonly string[];
}

/** Runs a scenario; `onNote` is told each note when it is made. */
export function goClient(
  program: string,
  args: readonly string[],
  onNote: (note: string) => void = () => undefined,
): Promise<GoResult> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 110_000 });
  let stdout = '';
  const said: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  createInterface(child.stderr).on('line', (line) => {
    said.push(line);
    onNote(line);
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(JSON.parse(stdout) as GoResult);
      else fail(new Error(`the client ended with ${code}: ${said.join(' ')}`));
    });
  });
}
