/**
 * Promises: a file that nobody else can have written is read, and a file is written whole or not at all, whatever dies meanwhile and
 * whoever else writes it.
 * Leaves to others: what is in it (saved-sources.ts, saved-keys.ts).
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeUtf8 } from '../source/text.ts';

export type StateText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  /** There is one, and it is not to be trusted; the reason goes behind the file's name. */
  | { readonly kind: 'refused'; readonly reason: string };

/** A policy is some ConfigMaps of 1 MiB at most; more is none of ours. */
const maxBytes = 128 * 1024 * 1024;

/** Never rejects. */
export async function readStateFile(path: string): Promise<StateText> {
  let handle: FileHandle | undefined;
  try {
    // No link to elsewhere, and no waiting for the writer of a pipe.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const reason = await distrust(handle);
    if (reason !== undefined) return { kind: 'refused', reason };
    const text = decodeUtf8(await handle.readFile());
    return text === undefined ? { kind: 'refused', reason: 'is not valid UTF-8' } : { kind: 'text', text };
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? { kind: 'absent' } : { kind: 'refused', reason: `cannot be read (${code})` };
  } finally {
    await handle?.close();
  }
}

/** Whoever can write this file says who may do what: a policy and the keys that sign tokens are in it. */
async function distrust(handle: FileHandle): Promise<string | undefined> {
  const found = await handle.stat();
  const { mode, uid, size } = found;
  if (!found.isFile()) return 'is no regular file';
  if (uid !== 0 && uid !== process.getuid?.()) return `belongs to another user (${uid})`;
  if ((mode & 0o022) !== 0) return `may be written by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
  return size > maxBytes ? 'is too large' : undefined;
}

/** Mode 0600. Rejects with an error of the system. */
export async function writeStateFile(path: string, text: string): Promise<void> {
  // Of two writers each has a file of its own; the last one to rename counts.
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      // Before the rename: a name must not point to what is not on the disk yet.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Older than any write takes: the draft of a process that died, and not of one that shares the folder. */
const abandonedMs = 10 * 60_000;

/** Removes drafts that a crash left behind, so that they do not fill a small volume. Never rejects; what cannot be removed stays. */
export async function removeAbandonedDrafts(folder: string, nowMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => draftName.test(one))) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && nowMs - found.mtimeMs > abandonedMs) await rm(path).catch(() => undefined);
  }
}

const draftName = /^(?:sources|keys)\.json\.[0-9a-f-]{36}\.tmp$/;

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
