/**
 * Promises: whether a reading is whole by the way its files came: moved or linked into their place, all at once. A file that is
 * written where it lies shows every state that its writer leaves on the way, and looks complete in each.
 * Leaves to others: how long anything else has to rest (settle.ts).
 */
import { dirname } from 'node:path';
import type { Reading, Sighting } from './read-path.ts';

/**
 * `before` is the reading that was believed last. `wasMoved`: the last that was noticed of this place is that a file was put there,
 * and not that it was written.
 */
export function arrivedWhole(
  { sightings }: Reading,
  before: readonly Sighting[],
  wasMoved: (place: string) => boolean,
): boolean {
  const folders = foldersOf(sightings);
  const foldersBefore = foldersOf(before);
  const names = new Set(sightings.map(({ name }) => name));
  // Removing one of several files is a step of a writer too: what is unpacked anew is removed first. Not so where a link leads elsewhere.
  if (before.some(({ name, place }) => !names.has(name) && folders.has(dirname(place)))) {
    return false;
  }
  // Whoever makes a folder of files and then the link to it is a mounted ConfigMap or works like one.
  const isSwapped = (place: string): boolean => foldersBefore.size > 0 && !foldersBefore.has(dirname(place));
  return sightings.every(({ name, inode, version, bytes, place }) => {
    const old = before.find((sighting) => sighting.name === name);
    if (old?.inode === inode) {
      return old.version === version && old.place === place;
    }
    // A file that was just made is noticed like one that was moved here, until its first byte is written.
    return bytes > 0 && (isSwapped(place) || wasMoved(place));
  });
}

/**
 * For the first look, at which no change could be noticed: every file was left alone for `restMs` before. A time in the future comes
 * from another clock and says nothing.
 */
export function hasRested({ sightings }: Reading, nowMs: number, restMs: number): boolean {
  return sightings.every(({ modifiedMs }) => nowMs - modifiedMs >= restMs);
}

function foldersOf(sightings: readonly Sighting[]): ReadonlySet<string> {
  return new Set(sightings.map(({ place }) => dirname(place)));
}
