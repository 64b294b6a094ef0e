import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readPath } from '../../../src/source/read-path.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-source-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(files: Record<string, string | Uint8Array>): Promise<void> {
  await Promise.all(Object.entries(files).map(async ([name, data]) => writeFile(join(folder, name), data)));
}

async function read(path: string): Promise<unknown> {
  const { state } = await readPath(path);
  const shorten = (text: string): string => text.replaceAll(folder, 'DIR');
  return state.kind === 'content'
    ? state.files.map(({ name, text }) => [shorten(name), text])
    : `${state.kind}: ${shorten(state.reason)}`;
}

it('a file: its text under the name as typed, whatever its ending', async () => {
  await write({ policy: 'a: 1' });
  expect(await read(`${folder}//policy`)).toStrictEqual([['DIR//policy', 'a: 1']]);
});

it('a folder: its documents by name, without dot-files, other endings and inner folders', async () => {
  await write({
    'b.yml': 'b',
    'a.yaml': 'a',
    'c.json': 'c',
    'c.json~': '',
    '.a.yaml': '',
    '.yaml': '',
    'README.md': '',
    'd.YAML': '',
  });
  await mkdir(join(folder, 'inner.yaml'));
  const documents = [
    ['DIR/a.yaml', 'a'],
    ['DIR/b.yml', 'b'],
    ['DIR/c.json', 'c'],
  ];
  expect(await read(folder)).toStrictEqual(documents);
  expect(await read(`${folder}/`)).toStrictEqual(documents);
});

it('a folder without documents: content without files', async () => {
  await write({ 'README.md': '' });
  expect(await read(folder)).toStrictEqual([]);
});

it('a mounted ConfigMap: each document once, through its links', async () => {
  await mkdir(join(folder, '..2026'));
  await write({ '..2026/a.yaml': 'a' });
  await symlink('..2026', join(folder, '..data'));
  await symlink('..data/a.yaml', join(folder, 'a.yaml'));
  expect(await read(folder)).toStrictEqual([['DIR/a.yaml', 'a']]);
  expect(await read(join(folder, 'a.yaml'))).toStrictEqual([['DIR/a.yaml', 'a']]);
});

it('a path that does not exist: absent', async () => {
  expect(await read(join(folder, 'none', 'policy.yaml'))).toBe('absent: DIR/none/policy.yaml does not exist');
});

it('a path through a file: absent', async () => {
  await write({ file: '' });
  expect(await read(join(folder, 'file', 'policy.yaml'))).toMatch(/^absent: /);
});

it('a byte order mark: not part of the text', async () => {
  await write({ 'a.yaml': '\ufeffa: 1' });
  expect(await read(join(folder, 'a.yaml'))).toStrictEqual([['DIR/a.yaml', 'a: 1']]);
});

it('BCP-07 bytes that are no UTF-8: unreadable, never replaced', async () => {
  await write({ 'a.yaml': 'a: 1', 'b.yaml': Uint8Array.of(0x61, 0xc3, 0x28) });
  expect(await read(folder)).toBe('unreadable: DIR/b.yaml is not valid UTF-8');
});

it('a file over the limit: unreadable; one at the limit is read', async () => {
  await write({ 'a.yaml': Buffer.alloc(8 * 1024 * 1024 + 1, '#'), 'b.yaml': Buffer.alloc(8 * 1024 * 1024, '#') });
  expect(await read(join(folder, 'a.yaml'))).toBe('unreadable: DIR/a.yaml is too large (a source may hold 8 MiB)');
  expect((await readPath(join(folder, 'b.yaml'))).state.kind).toBe('content');
});

it('files of a folder that are over the limit together: unreadable', async () => {
  await write({ 'a.yaml': Buffer.alloc(8 * 1024 * 1024 - 1, '#'), 'b.yaml': '#\n' });
  expect(await read(folder)).toBe('unreadable: DIR/b.yaml is too large (a source may hold 8 MiB)');
});

it('a link to nothing in a folder: unreadable, not a folder with one file less', async () => {
  await write({ 'a.yaml': 'a' });
  await symlink('nothing', join(folder, 'b.yaml'));
  expect(await read(folder)).toBe('unreadable: DIR/b.yaml does not exist');
});

it('a link that leads to itself: unreadable', async () => {
  await symlink('a.yaml', join(folder, 'a.yaml'));
  expect(await read(join(folder, 'a.yaml'))).toBe('unreadable: DIR/a.yaml is a symbolic link that leads to itself');
});

it('a pipe: unreadable, and nobody waits for its writer', async () => {
  execFileSync('mkfifo', [join(folder, 'a.yaml')]);
  expect(await read(folder)).toBe('unreadable: DIR/a.yaml is no regular file');
});

// Root may read everything.
it.skipIf(process.getuid?.() === 0)('a file without read permission: unreadable', async () => {
  await write({ 'a.yaml': 'a' });
  await chmod(join(folder, 'a.yaml'), 0);
  expect(await read(join(folder, 'a.yaml'))).toBe('unreadable: DIR/a.yaml may not be read (permission denied)');
});

it('the same text written again: another stamp', async () => {
  await write({ 'a.yaml': 'a' });
  const first = await readPath(folder);
  await rm(join(folder, 'a.yaml'));
  await write({ other: '', 'a.yaml': 'a' });
  const second = await readPath(folder);
  expect(second.state).toStrictEqual(first.state);
  expect(second.stamp).not.toBe(first.stamp);
});
