/**
 * Promises: what watching a path needs from the system: notices about folders, and patience.
 */
import { watch } from 'node:fs';

export interface WatchPorts {
  /** Calls back with the entry of the folder that changed, null when it is not known. Throws when it cannot watch. */
  readonly watch: (folder: string, changed: (entry: string | null) => void) => { close(): void };
  /** How long a reading has to last before it is believed. */
  readonly settleMs: number;
  /** Time between readings without notice. */
  readonly rereadMs: number;
  /** Told what `deliver` threw; watching goes on. */
  readonly fault: (error: unknown) => void;
}

export function systemWatchPorts(fault: (error: unknown) => void): WatchPorts {
  return { watch: kernelWatch, settleMs: 50, rereadMs: 3000, fault };
}

function kernelWatch(folder: string, changed: (entry: string | null) => void): { close(): void } {
  const watcher = watch(folder, { persistent: false }, (_event, entry) => changed(entry));
  return watcher.on('error', () => watcher.close());
}
