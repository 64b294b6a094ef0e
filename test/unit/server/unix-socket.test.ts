import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as files from 'node:fs/promises';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { freeSocketPath } from '../../../src/server/unix-socket.ts';

vi.mock('node:fs/promises', { spy: true });

let folder: string;
let path: string;
let other: Server;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unix-socket-'));
  path = join(folder, 'authz.sock');
  other = createServer((socket) => socket.destroy());
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code]), 'exit');
});
afterEach(async () => {
  vi.mocked(files.unlink).mockReset();
  vi.mocked(files.rename).mockReset();
  other.close();
  await rm(folder, { recursive: true });
});

async function removeAndBind(): Promise<void> {
  await rm(path);
  other.listen(path);
  await once(other, 'listening');
}

/** Runs `meanwhile` after the path was found stale and before its first change. */
async function beforeFirstChange(meanwhile: () => Promise<void>): Promise<void> {
  const actual = await vi.importActual<typeof files>('node:fs/promises');
  let isFirst = true;
  async function atFirst(): Promise<void> {
    if (isFirst) {
      isFirst = false;
      await meanwhile();
    }
  }
  vi.mocked(files.unlink).mockImplementation(async (file) => {
    await atFirst();
    await actual.unlink(file);
  });
  vi.mocked(files.rename).mockImplementation(async (from, to) => {
    await atFirst();
    await actual.rename(from, to);
  });
}

it('stale socket: removed, with nothing left beside it', async () => {
  expect(await freeSocketPath(path)).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});

it('stale socket that another process takes over at the same moment: left to it, and it is reached', async () => {
  await beforeFirstChange(removeAndBind);
  expect(await freeSocketPath(path)).toBe('another process listens on this socket');
  const reached = once(other, 'connection');
  const socket = connect({ path });
  await Promise.all([reached, once(socket, 'close')]);
  expect(await readdir(folder)).toEqual(['authz.sock']);
});

it('stale socket that another process removes at the same moment: free', async () => {
  await beforeFirstChange(() => rm(path));
  expect(await freeSocketPath(path)).toBeUndefined();
  await expect(stat(path)).rejects.toThrow('ENOENT');
});
