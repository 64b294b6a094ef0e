/**
 * Promises: the folder of `--state`: what was last known to be good, read once at start and kept up to date. It is a help and never a need:
 * what is wrong with it is told, and everything goes on without.
 * Leaves to others: when what was kept is used (sidecar/).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type StateKind, seal, unseal } from './envelope.ts';
import { readKeys, type SavedKeys } from './saved-keys.ts';
import { readSources, type SavedSource } from './saved-sources.ts';
import { codeOf, readStateFile, removeAbandonedDrafts, writeStateFile } from './state-file.ts';
import { createStateWriter, type StateWriter } from './state-writer.ts';

export interface StateObserver {
  /** What is in the file is not used. */
  refused(file: string, reason: string): void;
  /** The state on the disk is older than what we know. */
  notWritten(file: string, reason: string): void;
}

export interface StateFolder {
  /** As they were at the start; empty where there is nothing that can be used. */
  readonly sources: readonly SavedSource[];
  readonly keys: readonly SavedKeys[];
  saveSources(sources: readonly SavedSource[]): void;
  saveKeys(keys: readonly SavedKeys[]): void;
  /** What is being written is written to its end. */
  close(): Promise<void>;
}

/** Makes the folder where there is none, for us alone. Never rejects. */
export async function openStateFolder(folder: string, observer: StateObserver): Promise<StateFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) =>
    observer.notWritten(folder, codeOf(error)),
  );
  await removeAbandonedDrafts(folder, Date.now());
  const files = { sources: join(folder, 'sources.json'), keys: join(folder, 'keys.json') };
  const [sources, keys] = [writerOf(files.sources, observer), writerOf(files.keys, observer)];
  return {
    sources: await load(files.sources, 'sources', readSources, observer),
    keys: await load(files.keys, 'keys', readKeys, observer),
    saveSources: (list) => sources.save(seal('sources', list)),
    saveKeys: (list) => keys.save(seal('keys', list)),
    close: async () => {
      await Promise.all([sources.close(), keys.close()]);
    },
  };
}

async function load<Item>(
  file: string,
  kind: StateKind,
  read: (content: unknown) => readonly Item[] | undefined,
  observer: StateObserver,
): Promise<readonly Item[]> {
  const found = await readStateFile(file);
  if (found.kind === 'absent') return [];
  const reason = found.kind === 'refused' ? found.reason : undefined;
  const opened = found.kind === 'text' ? unseal(kind, found.text) : { problem: reason ?? '' };
  const items = 'content' in opened ? read(opened.content) : undefined;
  if (items === undefined)
    observer.refused(file, 'problem' in opened ? opened.problem : 'does not have the right form');
  return items ?? [];
}

function writerOf(file: string, observer: StateObserver): StateWriter {
  return createStateWriter({
    write: (text) => writeStateFile(file, text),
    failed: (error) => observer.notWritten(file, codeOf(error)),
    schedule: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs).unref();
      return () => clearTimeout(timer);
    },
  });
}
