/**
 * Promises: a program in a process of its own that reads JSON and whose last line is JSON; stopped when it takes too long, and gone when this
 * process ends. What it said is in the error when it fails.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../deploy/envoy/child.ts';

export interface JsonProgram {
  /** For errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const slowMs = 180_000;
const keptLines = 30;

export async function runJsonProgram(program: JsonProgram, input: unknown): Promise<unknown> {
  const { name, command, args, env } = program;
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-interop-'));
  try {
    const file = join(folder, 'input.json');
    await writeFile(file, JSON.stringify(input));
    const lines: string[] = [];
    const complaints: string[] = [];
    const child = startChild('/bin/sh', ['-c', 'exec "$@" <"$0"', file, command, ...args], {
      env: { ...process.env, ...env },
      onStdout: (line) => lines.push(line),
      onStderr: (line) => complaints.push(line),
    });
    const timer = setTimeout(() => void child.stop(), slowMs);
    const phrase = await child.ended;
    clearTimeout(timer);
    const last = lines.at(-1) ?? '';
    if (phrase === 'exited with code 0' && last.startsWith('{')) return JSON.parse(last) as unknown;
    const said = [...lines, ...complaints].slice(-keptLines).join('\n');
    throw new Error(`${name} ${phrase}:\n${said}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
