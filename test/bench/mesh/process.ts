/**
 * Promises: the programs of a measurement as processes: an authorizer that listens, and a load with its result.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadResult } from './load.ts';

export interface LoadSettings {
  readonly port: number;
  /** Tokens, one a line. */
  readonly file: string;
  readonly seconds: number;
  /** Requests a second; 0: closed loop. */
  readonly rate: number;
  readonly once?: boolean;
  readonly connections?: number;
}

const startLimitMs = 30_000;

/** Back when it listens: Scopegate says `ready`, the others `listening`. */
export async function startAuthorizer(command: readonly string[]): Promise<ChildProcess> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    if (/"msg":"ready"|^listening/.test(chunk.toString())) resolve();
  });
  child.once('exit', () => reject(new Error('it ended before it listened')));
  const late = delay(startLimitMs, undefined, { ref: false }).then(() => {
    throw new Error('it did not listen');
  });
  try {
    await Promise.race([promise, late]);
    return child;
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** Ends it at once. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

export function load(settings: LoadSettings): Promise<LoadResult> {
  const { port, file, seconds, rate, once = false, connections = rate === 0 ? 32 : 16 } = settings;
  const args = Object.entries({ port, tokens: file, seconds, rate, connections }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const program = join(import.meta.dirname, 'load.ts');
  const child = spawn(process.execPath, [program, ...args, ...(once ? ['--once'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as LoadResult);
      else reject(new Error(`the load ended with ${code}`));
    });
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
