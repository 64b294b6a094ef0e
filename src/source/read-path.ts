/**
 * Promises: what a FILE or DIR holds at this moment, or why it cannot be had; never rejects. A folder stands as a whole: one of its
 * files that cannot be read makes all of it unreadable, because the rest without it would be another policy.
 * Leaves to others: whether the moment was a good one (settle.ts, arrival.ts), and what the text means (policy/).
 */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { decodeUtf8 } from './text.ts';

/** One document file, named as the operator named it. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** Why nothing can be had; the reason is one line that names the path. */
export interface Unavailable {
  readonly kind: 'absent' | 'unreadable';
  readonly reason: string;
}

export type PathState =
  /** Sorted by name; empty for a folder without document files. */
  { readonly kind: 'content'; readonly files: readonly SourceFile[] } | Unavailable;

/** What tells a file that was replaced from one that was written. */
export interface Sighting {
  readonly name: string;
  /** Where its text really is, behind all links. */
  readonly place: string;
  /** Device and inode: stays the same when it is written in place. */
  readonly inode: string;
  /** Changes with every write. */
  readonly version: string;
  readonly bytes: number;
  /** By the clock of the file system. */
  readonly modifiedMs: number;
}

export interface Reading {
  readonly state: PathState;
  /** Of the files of the content, in the same order. */
  readonly sightings: readonly Sighting[];
  /** Changes when a file is written or replaced, even with the same text. */
  readonly stamp: string;
}

/** Of all files of one source together; a ConfigMap holds 1 MiB at most, and more is a mistake rather than a policy. */
const maxSourceBytes = 8 * 1024 * 1024;

/** Files of a folder that are documents; a leading dot marks an editor's own files and the `..data` of a mounted ConfigMap. */
export function isDocumentName(name: string): boolean {
  return /^[^.].*\.(?:yaml|yml|json)$/.test(name);
}

export async function readPath(path: string): Promise<Reading> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    return await readFiles(isFolder ? await documentsIn(path) : [path], isFolder);
  } catch (error) {
    return without(failure(path, error));
  }
}

async function documentsIn(folder: string): Promise<string[]> {
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => isDocumentName(entry.name) && !entry.isDirectory())
    .map((entry) => entry.name);
  return names.toSorted().map((name) => prefix + name);
}

function without(state: Unavailable): Reading {
  return { state, sightings: [], stamp: '' };
}

async function readFiles(paths: readonly string[], inFolder: boolean): Promise<Reading> {
  const files: SourceFile[] = [];
  const sightings: Sighting[] = [];
  let bytesLeft = maxSourceBytes;
  for (const name of paths) {
    const read = await readText(name, bytesLeft).catch((error: unknown) => failure(name, error));
    if ('kind' in read) {
      // A name without a file behind it: the folder itself is there.
      return without(inFolder ? { kind: 'unreadable', reason: read.reason } : read);
    }
    bytesLeft -= read.sighting.bytes;
    files.push({ name, text: read.text });
    sightings.push(read.sighting);
  }
  const stamps = sightings.map(({ place, inode, version }) => `${place}:${inode}:${version}`);
  return { state: { kind: 'content', files }, sightings, stamp: stamps.join(' ') };
}

interface ReadText {
  readonly text: string;
  readonly sighting: Sighting;
}

async function readText(path: string, maxBytes: number): Promise<ReadText | Unavailable> {
  // Before opening: to open a pipe waits for a writer.
  if (!(await stat(path)).isFile()) {
    return unreadable(path, 'is no regular file');
  }
  const place = await realpath(path);
  const handle = await open(path);
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
    if (size > maxBytes) {
      return unreadable(path, `is too large (a source may hold ${maxSourceBytes / 1024 / 1024} MiB)`);
    }
    const bytes = await handle.readFile();
    const text = decodeUtf8(bytes);
    if (text === undefined) {
      return unreadable(path, 'is not valid UTF-8');
    }
    const [inode, version] = [`${dev}:${ino}`, `${size}:${mtimeNs}:${ctimeNs}`];
    const modifiedMs = Number(mtimeNs / 1_000_000n);
    return { text, sighting: { name: path, place, inode, version, bytes: bytes.length, modifiedMs } };
  } finally {
    await handle.close();
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist (a part of its path is no folder)'],
  ['EACCES', 'may not be read (permission denied)'],
  ['EPERM', 'may not be read (not permitted)'],
  ['ELOOP', 'is a symbolic link that leads to itself'],
]);

function failure(path: string, error: unknown): Unavailable {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const reason = `${path} ${reasons.get(code) ?? `cannot be read (${code})`}`;
  return { kind: code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unreadable', reason };
}

function unreadable(path: string, what: string): Unavailable {
  return { kind: 'unreadable', reason: `${path} ${what}` };
}
