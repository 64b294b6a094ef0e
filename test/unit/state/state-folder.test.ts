import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seal } from '../../../src/state/envelope.ts';
import type { SavedKeys } from '../../../src/state/saved-keys.ts';
import type { SavedSource } from '../../../src/state/saved-sources.ts';
import { openStateFolder, type StateFolder } from '../../../src/state/state-folder.ts';

const source: SavedSource = {
  origin: 'configmap:shop/main',
  source: 'configmap/shop/main',
  order: 1000,
  appliedMs: 77,
  files: [{ name: 'configmap/shop/main/p.yaml', text: 'kind: Policy # ü\n' }],
};
const keys: SavedKeys = { source: '["https://idp.test"]', fetchedMs: 5, keys: [{ kty: 'OKP', x: 'AA' }] };

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'scopegate-state-'));
  folder = join(parent, 'deep', 'state');
});
afterEach(() => rmSync(parent, { recursive: true }));

/** What was told, with the folder's own name left out. */
let told: string[];
beforeEach(() => {
  told = [];
});

function open(): Promise<StateFolder> {
  return openStateFolder(folder, {
    refused: (file, reason) => void told.push(`refused ${file.replace(`${folder}/`, '')} ${reason}`),
    notWritten: (file, reason) => void told.push(`not written ${file.replace(`${parent}/`, '')} ${reason}`),
  });
}

/** As a process leaves it. */
async function kept(): Promise<void> {
  const state = await open();
  state.saveSources([source]);
  state.saveKeys([keys]);
  await state.close();
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

describe('what was saved', () => {
  it('is there after a restart, for us alone, and nothing else is', async () => {
    expect(await open()).toMatchObject({ sources: [], keys: [] });
    await kept();
    const { sources, keys: restored } = await open();
    expect([sources, restored, told]).toEqual([[source], [keys], []]);
    expect(readdirSync(folder).toSorted()).toEqual(['keys.json', 'sources.json']);
    expect([folder, join(folder, 'keys.json'), join(folder, 'sources.json')].map(modeOf)).toEqual([
      '700',
      '600',
      '600',
    ]);
  });

  it('is replaced by what is saved later; the last of many counts', async () => {
    await kept();
    const state = await open();
    for (let order = 0; order < 50; order += 1) state.saveSources([{ ...source, order }]);
    await state.close();
    expect((await open()).sources).toEqual([{ ...source, order: 49 }]);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('of a file that was replaced the old text stays whole for whoever has it open', async () => {
    await kept();
    const file = join(folder, 'sources.json');
    const inode = statSync(file).ino;
    const state = await open();
    state.saveSources([]);
    await state.close();
    expect(statSync(file).ino).not.toBe(inode);
  });

  it('two processes with one folder: what one of them wrote last, whole', async () => {
    const [one, other] = [await open(), await open()];
    const big = (name: string): SavedSource => ({
      ...source,
      source: name,
      files: [{ name, text: name.repeat(300_000) }],
    });
    for (let round = 0; round < 10; round += 1) {
      one.saveSources([big('a')]);
      other.saveSources([big('b')]);
      await new Promise(setImmediate);
    }
    await Promise.all([one.close(), other.close()]);
    const { sources } = await open();
    expect(sources).toHaveLength(1);
    expect([big('a'), big('b')]).toContainEqual(sources[0]);
    expect([readdirSync(folder), told]).toEqual([['sources.json'], []]);
  });

  it('drafts that a crash left: removed at the next start, and nothing else is', async () => {
    await kept();
    const draft = (kind: string, digit: string): string =>
      `${kind}.json.${digit.repeat(8)}-1111-4111-8111-111111111111.tmp`;
    const [old, another, young] = [draft('sources', 'a'), draft('keys', 'b'), draft('keys', 'c')];
    for (const name of [old, another, young, 'notes.tmp']) writeFileSync(join(folder, name), '{');
    for (const name of [old, another, 'notes.tmp']) utimesSync(join(folder, name), 0, 0);
    await open();
    expect(readdirSync(folder).toSorted()).toEqual(['keys.json', young, 'notes.tmp', 'sources.json']);
    expect(told).toEqual([]);
  });

  it('after the end nothing is written', async () => {
    const state = await open();
    await state.close();
    state.saveSources([source]);
    await new Promise(setImmediate);
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** Changes the file of sources. */
function change(edit: (text: string) => string): void {
  const file = join(folder, 'sources.json');
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
}

const asIs = (text: string) => () => text;

describe('a file that cannot be trusted: refused, and the other one is used', () => {
  const cases: Record<string, [spoil: () => void, reason: string]> = {
    'half of it': [() => change((text) => text.slice(0, text.length / 2)), 'is no state of Scopegate'],
    empty: [() => change(asIs('')), 'is no state of Scopegate'],
    'no JSON object': [() => change(asIs('[]')), 'is no state of Scopegate'],
    'another file that is JSON': [() => change(asIs('{"keys":[]}')), 'is no state of Scopegate'],
    'one letter changed': [() => change((text) => text.replace('Policy', 'policy')), 'is damaged'],
    'of another version': [
      () => change((text) => text.replace('"version":1', '"version":2')),
      'is of another version of Scopegate',
    ],
    'the file of the keys': [() => change(asIs(seal('keys', [keys]))), 'does not hold sources'],
    'no UTF-8': [
      () => writeFileSync(join(folder, 'sources.json'), Buffer.from([0x7b, 0xff, 0x7d])),
      'is not valid UTF-8',
    ],
    'writable by the group': [
      () => chmodSync(join(folder, 'sources.json'), 0o620),
      'may be written by others (mode 0620)',
    ],
    'writable by everyone': [
      () => chmodSync(join(folder, 'sources.json'), 0o602),
      'may be written by others (mode 0602)',
    ],
    'a folder': [
      () => {
        rmSync(join(folder, 'sources.json'));
        mkdirSync(join(folder, 'sources.json'));
      },
      'is no regular file',
    ],
    'a link to a file that is good': [
      () => {
        const elsewhere = join(parent, 'elsewhere.json');
        writeFileSync(elsewhere, readFileSync(join(folder, 'sources.json')), { mode: 0o600 });
        rmSync(join(folder, 'sources.json'));
        symlinkSync(elsewhere, join(folder, 'sources.json'));
      },
      'cannot be read (ELOOP)',
    ],
  };

  it.each(Object.entries(cases))('%s', async (_name, [spoil, reason]) => {
    await kept();
    spoil();
    const state = await open();
    expect([state.sources, state.keys, told]).toEqual([[], [keys], [`refused sources.json ${reason}`]]);
  });

  const misshapen: Record<string, unknown> = {
    'no list': {},
    'an item that is none': [null],
    'no origin': [{ ...source, origin: undefined }],
    'an order that is none': [{ ...source, order: null }],
    'no time': [{ ...source, appliedMs: 'today' }],
    'a time that no date can name': [{ ...source, appliedMs: 9e15 }],
    'a file without text': [{ ...source, files: [{ name: 'a' }] }],
    'files that are no list': [{ ...source, files: { a: 'b' } }],
    'one good, one bad': [source, 1],
  };

  it.each(Object.entries(misshapen))('well sealed, but %s', async (_name, content) => {
    await kept();
    change(asIs(seal('sources', content)));
    expect([(await open()).sources, told]).toEqual([[], ['refused sources.json does not have the right form']]);
  });

  it.each<[string, unknown]>([
    ['no time', [{ ...keys, fetchedMs: null }]],
    ['keys that are no objects', [{ ...keys, keys: ['a'] }]],
    ['no source', [{ ...keys, source: 1 }]],
  ])('keys: well sealed, but %s', async (_name, content) => {
    await kept();
    writeFileSync(join(folder, 'keys.json'), seal('keys', content));
    expect([(await open()).keys, told]).toEqual([[], ['refused keys.json does not have the right form']]);
  });

  it('and is replaced by what is saved next', async () => {
    await kept();
    chmodSync(join(folder, 'sources.json'), 0o666);
    await kept();
    expect([(await open()).sources, modeOf(join(folder, 'sources.json'))]).toEqual([[source], '600']);
  });
});

describe('a folder that cannot be used: told, and everything goes on', () => {
  it('a file is in its place', async () => {
    writeFileSync(join(parent, 'deep'), '');
    const state = await open();
    state.saveSources([source]);
    await state.close();
    expect([state.sources, state.keys]).toEqual([[], []]);
    expect(told).toContain('not written deep/state ENOTDIR');
    expect(told).toContain('not written deep/state/sources.json ENOTDIR');
  });

  it('a write that fails leaves no draft and not the old text spoilt', async () => {
    await kept();
    const state = await open();
    rmSync(join(folder, 'keys.json'));
    mkdirSync(join(folder, 'keys.json'));
    state.saveKeys([]);
    await state.close();
    expect(told.map((line) => line.replace(/ E\w+$/, ''))).toEqual(['not written deep/state/keys.json']);
    expect(readdirSync(folder).toSorted()).toEqual(['keys.json', 'sources.json']);
  });
});
