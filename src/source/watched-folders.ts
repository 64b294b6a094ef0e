/**
 * Promises: the folders in which a change can change what a path holds, and which of their entries matter.
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { isDocumentName } from './read-path.ts';

/** Whether a change of this entry of a folder can change what the path holds. */
export type Concerns = (entry: string) => boolean;

/**
 * The path itself when it is a folder, and every folder above it, because each can be replaced, or be the one in which the next part
 * of the path appears; the same for the place where symbolic links lead. In each, `..data` and its like matter as well as the next
 * part: a mounted ConfigMap is swapped through them.
 */
export async function watchedFolders(path: string): Promise<ReadonlyMap<string, Concerns>> {
  const folders = new Map<string, Concerns>();
  const places = new Set([resolve(path), await realpath(path).catch(() => resolve(path))]);
  for (const place of places) {
    if (await isFolder(place)) {
      add(folders, place, (entry) => isDocumentName(entry) || entry.startsWith('..'));
    }
    await addAbove(folders, place);
  }
  return folders;
}

async function addAbove(folders: Map<string, Concerns>, place: string): Promise<void> {
  const parent = dirname(place);
  if (parent === place) {
    return;
  }
  if (await isFolder(parent)) {
    add(folders, parent, (entry) => entry === basename(place) || entry.startsWith('..'));
  }
  await addAbove(folders, parent);
}

function add(folders: Map<string, Concerns>, folder: string, concerns: Concerns): void {
  const others = folders.get(folder);
  folders.set(folder, others === undefined ? concerns : (entry) => others(entry) || concerns(entry));
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}
