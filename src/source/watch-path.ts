/**
 * Promises: the current content of a FILE or DIR, whole, whenever it has changed, whatever was done to the path: written in place,
 * replaced by an editor, swapped under a ConfigMap, deleted, made again, not there yet. Notices of the kernel wake it up and may
 * shorten its doubts; what it says comes from reading, so a notice that is lost or cannot be had costs seconds and nothing else.
 * Leaves to others: what a change means, and keeping the last good content (policy/).
 */
import { join } from 'node:path';
import { arrivedWhole, hasRested } from './arrival.ts';
import { type PathState, type Reading, readPath, type Sighting } from './read-path.ts';
import { settle } from './settle.ts';
import type { NoticeKind, WatchPorts } from './watch-ports.ts';
import { watchedFolders } from './watched-folders.ts';

export interface PathWatch {
  /** Nothing is delivered afterwards. */
  close(): void;
}

/** Delivers the state at once and then each time it has changed. */
export function watchPath(path: string, deliver: (state: PathState) => void, ports: WatchPorts): PathWatch {
  return new Watch(path, deliver, ports);
}

class Watch implements PathWatch {
  readonly #path: string;
  readonly #deliver: (state: PathState) => void;
  readonly #ports: WatchPorts;
  readonly #restless: PathState;
  #known: PathState | undefined;
  /** Of the content that was believed last. */
  #believed: readonly Sighting[] = [];
  /** What was noticed last of each place since then. */
  readonly #noticed = new Map<string, NoticeKind>();
  #watchers: readonly { close(): void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Counts what may have changed the path; a run ends when it has seen the last one. */
  #notices = 0;
  #isRunning = false;
  #isClosed = false;

  constructor(path: string, deliver: (state: PathState) => void, ports: WatchPorts) {
    this.#path = path;
    this.#deliver = deliver;
    this.#ports = ports;
    this.#restless = { kind: 'unreadable', reason: `${path} keeps changing while it is read` };
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    closeAll(this.#watchers);
    this.#watchers = [];
  }

  #wake(): void {
    this.#notices += 1;
    if (!this.#isRunning && !this.#isClosed) {
      this.#isRunning = true;
      clearTimeout(this.#timer);
      this.#run()
        .catch(this.#ports.fault)
        .finally(() => this.#rest());
    }
  }

  #rest(): void {
    this.#isRunning = false;
    if (!this.#isClosed) {
      this.#timer = setTimeout(() => this.#wake(), this.#ports.rereadMs).unref();
    }
  }

  async #run(): Promise<void> {
    for (let seen = -1; seen !== this.#notices && !this.#isClosed; ) {
      // A storm of notices about nothing costs a reading each moment, not all the time there is.
      await (seen === -1 ? undefined : this.#pause());
      seen = this.#notices;
      // Before reading: what changes after the reading began is then noticed. Anew each time: a folder that was replaced is another one.
      await this.#watchFolders();
      const reading = await settle(this.#known, {
        read: () => readPath(this.#path),
        pause: () => this.#pause(),
        restPauses: Math.ceil(this.#ports.restMs / this.#ports.settleMs),
        isWhole: (found, hasChanged) => this.#isWhole(found, hasChanged),
      });
      this.#believe(reading);
      this.#tell(reading?.state ?? this.#restless);
    }
  }

  #isWhole(reading: Reading, hasChanged: boolean): boolean {
    if (reading.state.kind !== 'content') {
      // Takes nothing out of force.
      return true;
    }
    const { now, restMs } = this.#ports;
    // Once a change was seen, when it was seen says more than any time that a file bears.
    const isFirstLook = this.#known === undefined && !hasChanged;
    return (
      (isFirstLook && hasRested(reading, now(), restMs)) ||
      arrivedWhole(reading, this.#believed, (place) => this.#noticed.get(place) === 'moved')
    );
  }

  #believe(reading: Reading | undefined): void {
    if (reading?.state.kind === 'content') {
      this.#believed = reading.sightings;
      // What is known already may be older than the notices: they belong to what is read next.
      if (reading.state !== this.#known) {
        this.#noticed.clear();
      }
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, this.#ports.settleMs);
    await promise;
  }

  #tell(state: PathState): void {
    if (!this.#isClosed && state !== this.#known) {
      this.#known = state;
      this.#deliver(state);
    }
  }

  async #watchFolders(): Promise<void> {
    const folders = await watchedFolders(this.#path);
    const watchers = [...folders].flatMap(([folder, concerns]) => {
      try {
        const changed = (entry: string | null, kind?: NoticeKind): void => {
          if (entry === null || concerns(entry)) {
            this.#noticed.set(join(folder, entry ?? ''), kind);
            this.#wake();
          }
        };
        return [this.#ports.watch(folder, changed)];
      } catch {
        // No permission, or no watches left (ENOSPC, EMFILE): the path is read again every `rereadMs`.
        return [];
      }
    });
    closeAll(this.#watchers);
    this.#watchers = watchers;
    if (this.#isClosed) {
      this.close();
    }
  }
}

function closeAll(watchers: readonly { close(): void }[]): void {
  for (const watcher of watchers) {
    watcher.close();
  }
}
