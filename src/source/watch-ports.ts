/**
 * Promises: what watching a path needs from the system: notices about folders, and patience.
 */
import { watch } from 'node:fs';

/** `moved`: put there, made or removed; `written`: its text or its permissions. Undefined: not known which. */
export type NoticeKind = 'moved' | 'written' | undefined;

/** Told of one entry of a folder; null when it is not known which. */
export type Noticed = (entry: string | null, kind?: NoticeKind) => void;

export interface WatchPorts {
  /** Calls back with the entry of the folder that changed, in the order of the changes. Throws when it cannot watch. */
  readonly watch: (folder: string, changed: Noticed) => { close(): void };
  /** How long a reading has to last before it is believed, when it is whole by the way it came. */
  readonly settleMs: number;
  /** How long any other reading has to last. */
  readonly restMs: number;
  /** Time between readings without notice. */
  readonly rereadMs: number;
  /** Wall-clock time in ms, to compare with the times of files. */
  readonly now: () => number;
  /** Told what `deliver` threw; watching goes on. */
  readonly fault: (error: unknown) => void;
}

/**
 * A writer that works in place, such as a copy over a network, an upload or a shell script, pauses between two pieces; half a second is
 * more than such a pause usually is, and little for whoever waits for a change.
 */
const restMs = 500;

export function systemWatchPorts(fault: (error: unknown) => void): WatchPorts {
  return { watch: kernelWatch, settleMs: 50, restMs, rereadMs: 3000, now: Date.now, fault };
}

function kernelWatch(folder: string, changed: Noticed): { close(): void } {
  const watcher = watch(folder, { persistent: false }, (event, entry) => changed(entry, kindOf(event)));
  return watcher.on('error', () => watcher.close());
}

/** Only inotify tells of each change by itself; elsewhere making a file and writing it may be one notice. */
function kindOf(event: 'rename' | 'change'): NoticeKind {
  if (process.platform !== 'linux') {
    return undefined;
  }
  return event === 'rename' ? 'moved' : 'written';
}
