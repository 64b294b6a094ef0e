/**
 * Promises: command lines run in this process, on files of a folder of their own, at one instant.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProgramPorts, runProgram } from '../../src/commands/program.ts';

export const nowMs = Date.parse('2026-11-24T12:00:00Z');

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
}

export class CommandLine {
  readonly folder = mkdtempSync(join(tmpdir(), 'scopegate-'));

  /** The path of a new file. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** The folder is `…` in what is printed. */
  async run(args: readonly string[], ports: Partial<ProgramPorts> & { readonly input?: string } = {}): Promise<Ran> {
    const { input = '', ...others } = ports;
    const [out, error]: [string[], string[]] = [[], []];
    const exitCode = await runProgram(args, {
      version: '1.2.3',
      environment: {},
      columns: undefined,
      flush: async () => undefined,
      stdin: chunksOf(input),
      isColored: false,
      now: () => nowMs,
      writeOut: (text) => void out.push(text),
      writeError: (text) => void error.push(text),
      signals: { on: () => undefined, off: () => undefined },
      start: () => Promise.reject(new Error('nothing is to be started')),
      ...others,
    });
    return { exitCode, out: this.#shown(out), error: this.#shown(error) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #shown(texts: readonly string[]): string {
    return texts.join('').replaceAll(this.folder, '…');
  }
}

/** In two pieces, cut in the middle of a character where there is one. */
async function* chunksOf(text: string): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  const cut = Math.max(0, bytes.indexOf(0xc3) + 1);
  yield bytes.subarray(0, cut);
  yield bytes.subarray(cut);
}
