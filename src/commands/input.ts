/**
 * Promises: the files that are named on a command line, and stdin for `-`, as text; or a line for each that cannot be had. What is read
 * may be a pipe, such as `<(kubectl get configmap …)`.
 * Leaves to others: what the text means.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { printable } from '../report/printable.ts';
import { decodeUtf8 } from '../source/text.ts';

export interface InputPorts {
  /** The process's stdin. */
  readonly stdin: AsyncIterable<Uint8Array>;
}

export interface InputFile {
  /** As it was named; `<stdin>` for `-`. */
  readonly name: string;
  readonly text: string;
}

export interface InputErrors {
  /** One line each, which names what cannot be had. */
  readonly errors: readonly string[];
}

/** Of one file, as for a source of `serve`. */
const maxFileBytes = 8 * 1024 * 1024;

/** In the order of the names. */
export async function readInputs(
  names: readonly string[],
  { stdin }: InputPorts,
): Promise<readonly InputFile[] | InputErrors> {
  if (names.filter((name) => name === '-').length > 1) return { errors: ['- (stdin) can be read only once'] };
  const files: InputFile[] = [];
  const errors: string[] = [];
  for (const name of names) {
    const read = name === '-' ? await readText('<stdin>', stdin) : await readFile(name);
    if (typeof read === 'string') errors.push(printable(read));
    else files.push(read);
  }
  return errors.length === 0 ? files : { errors };
}

async function readFile(name: string): Promise<InputFile | string> {
  try {
    if ((await stat(name)).isDirectory())
      return `${name} is a folder; name its files, such as ${withSlash(name)}*.yaml`;
    return await readText(name, createReadStream(name));
  } catch (error) {
    return `${name} ${failureWords(error)}`;
  }
}

function withSlash(folder: string): string {
  return folder.endsWith('/') ? folder : `${folder}/`;
}

async function readText(name: string, chunks: AsyncIterable<unknown>): Promise<InputFile | string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const part = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > maxFileBytes) return `${name} is too large (at most ${maxFileBytes / 1024 / 1024} MiB)`;
    parts.push(part);
  }
  const text = decodeUtf8(Buffer.concat(parts));
  return text === undefined ? `${name} is not valid UTF-8` : { name, text };
}

const words: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist (a part of its path is no folder)'],
  ['EACCES', 'may not be read (permission denied)'],
]);

/** What follows the name of a file; `error` is one of node:fs. */
export function failureWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return words.get(code) ?? `cannot be read (${code})`;
}
