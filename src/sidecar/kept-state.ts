/**
 * Promises: the last good policy and keys kept in `--state`, and given back at the next start. Without the option nothing is read or written.
 */
import { setTimeout } from 'node:timers/promises';
import type { ServeSettings } from '../config/settings.ts';
import type { SavedJwks } from '../keyset/saved-jwks.ts';
import { openStateFolder, type StateFolder } from '../state/state-folder.ts';
import type { Member } from './origin.ts';
import type { Reporting } from './reporting.ts';

export interface KeptState {
  /** What was in force before the start. */
  readonly sources: readonly Member[];
  saveSources(active: readonly Member[]): void;
  /** By where they came from. */
  readonly keys: (source: string) => SavedJwks | undefined;
  saveKeys(keys: ReadonlyMap<string, SavedJwks>): void;
  close(): Promise<void>;
}

const nothingKept: KeptState = {
  sources: [],
  saveSources: () => undefined,
  keys: () => undefined,
  saveKeys: () => undefined,
  close: async () => undefined,
};

/** What is being written at the end may take so long; a state that is older is worth more than an end that never comes. */
const closeMs = 1000;

export async function openKeptState(settings: ServeSettings, { log }: Reporting): Promise<KeptState> {
  const { stateDir, jwksMaxStaleMs } = settings;
  if (stateDir === undefined) return nothingKept;
  const folder = await openStateFolder(stateDir, {
    refused: (file, reason) => log.error({ file, reason }, 'saved state refused, it is not used'),
    notWritten: (file, reason) => log.error({ file, reason }, 'state cannot be saved'),
  });
  log.info({ state: stateDir, sources: folder.sources.length, issuers: folder.keys.length }, 'saved state read');
  return keep(folder, { now: Date.now, maxStaleMs: jwksMaxStaleMs });
}

export interface KeepOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Keys that are older are not kept any longer. */
  readonly maxStaleMs: number;
}

export function keep(folder: StateFolder, { now, maxStaleMs }: KeepOptions): KeptState {
  const before = new Map(
    folder.keys.map(({ source, fetchedMs, keys }) => [source, { fetchedAt: fetchedMs, keys }] as const),
  );
  /** When each version was first in force. */
  const appliedMs = new WeakMap<Member, number>();

  function sinceOf(member: Member): number {
    const since = member.savedMs ?? appliedMs.get(member) ?? now();
    appliedMs.set(member, since);
    return since;
  }

  function saveSources(active: readonly Member[]): void {
    // Never emptied: without a policy in force there is none that is better than the saved one.
    if (active.length === 0) return;
    const list = active.map((member) => {
      const { origin, source, order, files } = member;
      return {
        origin,
        source,
        order,
        appliedMs: sinceOf(member),
        files: files.map(({ name, text }) => ({ name, text })),
      };
    });
    folder.saveSources(list.toSorted((a, b) => (a.source < b.source ? -1 : 1)));
  }

  /** Those of issuers whose policy is not there yet go on being kept. */
  function saveKeys(fetched: ReadonlyMap<string, SavedJwks>): void {
    const kept = [...before].filter(([, { fetchedAt }]) => now() - fetchedAt <= maxStaleMs);
    const all = new Map([...kept, ...fetched]);
    folder.saveKeys([...all].map(([source, { fetchedAt, keys }]) => ({ source, fetchedMs: fetchedAt, keys })));
  }

  async function close(): Promise<void> {
    await Promise.race([folder.close(), setTimeout(closeMs, undefined, { ref: false })]);
  }

  return {
    sources: folder.sources.map(({ appliedMs: savedMs, ...source }) => ({ ...source, configMap: undefined, savedMs })),
    saveSources,
    keys: (source) => before.get(source),
    saveKeys,
    close,
  };
}
