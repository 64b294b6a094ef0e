import { expect, it } from 'vitest';
import { arrivedWhole, hasRested } from '../../../src/source/arrival.ts';
import type { Reading, Sighting } from '../../../src/source/read-path.ts';

function seen(given: Partial<Sighting> = {}): Sighting {
  return { name: 'a.yaml', place: '/p/a.yaml', inode: '1:1', version: 'v', bytes: 5, modifiedMs: 0, ...given };
}

function reading(sightings: readonly Sighting[]): Reading {
  return { state: { kind: 'content', files: [] }, sightings, stamp: '' };
}

const b = seen({ name: 'b.yaml', place: '/p/b.yaml', inode: '1:2' });

interface Case {
  before: Sighting[];
  now: Sighting[];
  moved?: string[];
  whole: boolean;
}

const cases: Record<string, Case> = {
  'written in place: no': { before: [seen()], now: [seen({ version: 'w' })], whole: false },
  'written in place after it was moved there: no': {
    before: [seen()],
    now: [seen({ version: 'w' })],
    moved: ['/p/a.yaml'],
    whole: false,
  },
  'another file was moved there: yes': {
    before: [seen()],
    now: [seen({ inode: '1:9' })],
    moved: ['/p/a.yaml'],
    whole: true,
  },
  'another file was made there and written: no': { before: [seen()], now: [seen({ inode: '1:9' })], whole: false },
  'another file was made there and not written yet: no': {
    before: [seen()],
    now: [seen({ inode: '1:9', bytes: 0 })],
    moved: ['/p/a.yaml'],
    whole: false,
  },
  'first file, moved there: yes': { before: [], now: [seen()], moved: ['/p/a.yaml'], whole: true },
  'first file, made there: no': { before: [], now: [seen()], whole: false },
  'folder of one more file, moved there: yes': {
    before: [seen()],
    now: [seen(), b],
    moved: ['/p/b.yaml'],
    whole: true,
  },
  'folder of one more file, made there: no': { before: [seen()], now: [seen(), b], whole: false },
  'folder in which one file was moved and another is written: no': {
    before: [seen(), b],
    now: [seen({ version: 'w' }), seen({ ...b, inode: '1:9' })],
    moved: ['/p/b.yaml'],
    whole: false,
  },
  'folder of one file less: no': { before: [seen(), b], now: [seen()], whole: false },
  'links that lead to another folder: yes': {
    before: [seen({ place: '/p/..1/a.yaml' }), seen({ ...b, place: '/p/..1/b.yaml' })],
    now: [seen({ place: '/p/..2/a.yaml', inode: '1:9' }), seen({ ...b, place: '/p/..2/b.yaml', inode: '1:8' })],
    whole: true,
  },
  'links that lead to another folder of other files: yes': {
    before: [seen({ place: '/p/..1/a.yaml' })],
    now: [seen({ ...b, place: '/p/..2/b.yaml', inode: '1:8' })],
    whole: true,
  },
  'link that leads to another file of the same folder: no': {
    before: [seen({ place: '/p/v1' })],
    now: [seen({ place: '/p/v2', inode: '1:9' })],
    whole: false,
  },
};

it.each(Object.entries(cases))('whole, %s', (_name, { before, now, moved = [], whole }) => {
  expect(arrivedWhole(reading(now), before, (place) => moved.includes(place))).toBe(whole);
});

const rests: Record<string, { modifiedMs: number[]; rested: boolean }> = {
  'all old: yes': { modifiedMs: [9000, 9500], rested: true },
  'one young: no': { modifiedMs: [9000, 9501], rested: false },
  'one of a clock that is ahead: no': { modifiedMs: [9000, 3_600_000], rested: false },
};

it.each(Object.entries(rests))('rested at the first look, %s', (_name, { modifiedMs, rested }) => {
  expect(hasRested(reading(modifiedMs.map((ms) => seen({ modifiedMs: ms }))), 10_000, 500)).toBe(rested);
});
