import { expect, it } from 'vitest';
import type { PathState, Reading } from '../../../src/source/read-path.ts';
import { settle } from '../../../src/source/settle.ts';

const content = (text: string): PathState => ({ kind: 'content', files: [{ name: 'a.yaml', text }] });

const absent: PathState = { kind: 'absent', reason: 'gone' };

interface Case {
  known?: string;
  /** Text and stamp of each reading; the last one repeats. */
  readings: [text: string, stamp: string][];
  expected: string | undefined;
  pauses: number;
}

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
  'two versions in turn: neither': {
    readings: Array.from({ length: 100 }, (_, index) => [index % 2 === 0 ? 'a' : 'b', 'x']),
    expected: undefined,
    pauses: 40,
  },
};

it.each(Object.entries(cases))('%s', async (_name, { known, readings, expected, pauses }) => {
  let [reads, paused] = [0, 0];
  const state = await settle(known === undefined ? undefined : content(known), {
    read: async (): Promise<Reading> => {
      const [text, stamp] = readings[Math.min(reads, readings.length - 1)] ?? ['', ''];
      reads += 1;
      return { state: content(text), stamp };
    },
    pause: async () => {
      paused += 1;
    },
  });
  expect(state).toStrictEqual(expected === undefined ? undefined : content(expected));
  expect(paused).toBe(pauses);
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
  const state = await settle(known, { read: async () => ({ state: now, stamp: '' }), pause: async () => undefined });
  expect(state).toBe(now);
});

it('absent as it was known: no change', async () => {
  const state = await settle(absent, {
    read: async () => ({ state: { ...absent }, stamp: '' }),
    pause: async () => undefined,
  });
  expect(state).toBe(absent);
});
