import { expect, it } from 'vitest';
import type { PathState, Reading } from '../../../src/source/read-path.ts';
import { type SettlePorts, settle } from '../../../src/source/settle.ts';

const content = (text: string): PathState => ({ kind: 'content', files: [{ name: 'a.yaml', text }] });

const absent: PathState = { kind: 'absent', reason: 'gone' };

interface Case {
  known?: string;
  /** Text and stamp of each reading; the last one repeats. */
  readings: [text: string, stamp: string][];
  expected: string | undefined;
  pauses: number;
  /** By the way it came. */
  isWhole?: boolean;
}

const restPauses = 10;
const halfThenWhole = Array.from({ length: 13 }, (_, index): [string, string] =>
  index < 3 ? ['half', '1'] : ['ab', '2'],
);

const cases: Record<string, Case> = {
  'twice the same: that': { readings: [['a', '1']], expected: 'a', pauses: 1 },
  'half-written first: the whole': {
    readings: [
      ['', '1'],
      ['a', '2'],
    ],
    expected: 'a',
    pauses: 2,
  },
  'same text, but written meanwhile: looked at again': {
    readings: [
      ['a', '1'],
      ['a', '2'],
    ],
    expected: 'a',
    pauses: 2,
  },
  'what is known already: no second look': { known: 'a', readings: [['a', '9']], expected: 'a', pauses: 0 },
  'back to what is known: that': {
    known: 'a',
    readings: [
      ['b', '1'],
      ['a', '2'],
    ],
    expected: 'a',
    pauses: 1,
  },
  'written where it lies: after a whole rest': { isWhole: false, readings: [['a', '1']], expected: 'a', pauses: 10 },
  'written on before the rest was over: the rest begins again': {
    isWhole: false,
    readings: halfThenWhole,
    expected: 'ab',
    pauses: 13,
  },
  'same text written again during the rest: it begins again': {
    isWhole: false,
    readings: [
      ['a', '1'],
      ['a', '1'],
      ['a', '2'],
    ],
    expected: 'a',
    pauses: 12,
  },
  'two versions in turn: neither': {
    readings: Array.from({ length: 100 }, (_, index) => [index % 2 === 0 ? 'a' : 'b', 'x']),
    expected: undefined,
    pauses: 40,
  },
};

it.each(Object.entries(cases))('%s', async (_name, { known, readings, expected, pauses, isWhole = true }) => {
  let [reads, paused] = [0, 0];
  const reading = await settle(known === undefined ? undefined : content(known), {
    read: async (): Promise<Reading> => {
      const [text, stamp] = readings[Math.min(reads, readings.length - 1)] ?? ['', ''];
      reads += 1;
      return { state: content(text), sightings: [], stamp };
    },
    restPauses,
    isWhole: () => isWhole,
    pause: async () => {
      paused += 1;
    },
  });
  expect(reading?.state).toStrictEqual(expected === undefined ? undefined : content(expected));
  expect(paused).toBe(pauses);
});

/** A path that stays as it is. */
const still = (state: PathState): SettlePorts => ({
  read: async () => ({ state, sightings: [], stamp: '' }),
  pause: async () => undefined,
  restPauses,
  isWhole: () => true,
});

const changes: Record<string, [known: PathState, now: PathState]> = {
  'a file more': [
    content('a'),
    {
      kind: 'content',
      files: [
        { name: 'a.yaml', text: 'a' },
        { name: 'b.yaml', text: 'b' },
      ],
    },
  ],
  'a file less': [
    {
      kind: 'content',
      files: [
        { name: 'a.yaml', text: 'a' },
        { name: 'b.yaml', text: 'b' },
      ],
    },
    content('a'),
  ],
  'another name': [content('a'), { kind: 'content', files: [{ name: 'b.yaml', text: 'a' }] }],
  'absent after content': [content('a'), absent],
  'content after absent': [absent, content('a')],
  'an empty folder after absent': [absent, { kind: 'content', files: [] }],
  'another reason': [absent, { kind: 'absent', reason: 'never there' }],
  'unreadable after absent': [absent, { kind: 'unreadable', reason: 'gone' }],
};

it.each(Object.entries(changes))('%s: a change', async (_name, [known, now]) => {
  expect((await settle(known, still(now)))?.state).toBe(now);
});

it('absent as it was known: no change', async () => {
  expect((await settle(absent, still({ ...absent })))?.state).toBe(absent);
});

it('isWhole: is told whether something else was seen on the way', async () => {
  const told: boolean[] = [];
  const texts = ['half', 'ab', 'ab'];
  const reading = await settle(undefined, {
    ...still(content('ab')),
    read: async () => ({ state: content(texts.shift() ?? 'ab'), sightings: [], stamp: '' }),
    isWhole: (_reading, hasChanged) => {
      told.push(hasChanged);
      return true;
    },
  });
  expect([reading?.state, told]).toStrictEqual([content('ab'), [true]]);
});
