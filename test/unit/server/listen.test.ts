import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ListenError, listen } from '../../../src/server/listen.ts';

let folder: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'listen-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) {
    server.close();
  }
  await rm(folder, { recursive: true });
});

async function open(address: string, mode = 0o660): Promise<string> {
  const server = createServer();
  servers.push(server);
  return listen(server, address, mode);
}

async function failure(address: string): Promise<ListenError> {
  return open(address).then(
    (real) => Promise.reject(new Error(`unexpectedly bound ${real}`)),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ListenError);
      return error as ListenError;
    },
  );
}

/** A socket file whose process was killed. */
async function leaveStaleSocket(path: string): Promise<void> {
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code]), 'exit');
  expect((await lstat(path)).isSocket()).toBe(true);
}

it('port 0: the real port is reported', async () => {
  expect(await open('127.0.0.1:0')).toMatch(/^127\.0\.0\.1:[1-9][0-9]+$/);
});

it('IPv6: reported in brackets', async () => {
  expect(await open('[::1]:0')).toMatch(/^\[::1\]:[1-9][0-9]+$/);
});

it('host name: the address that was bound is reported', async () => {
  expect(await open('localhost:0')).toMatch(/^(127\.0\.0\.1|\[::1\]):[1-9][0-9]+$/);
});

it('port in use: typed error with address and cause', async () => {
  const taken = await open('127.0.0.1:0');
  const error = await failure(taken);
  expect(error).toMatchObject({ address: taken, reason: 'address already in use' });
  expect(error.message).toBe(`cannot listen on ${taken}: address already in use`);
});

it('address of no interface: typed error', async () => {
  expect(await failure('192.0.2.1:0')).toMatchObject({
    address: '192.0.2.1:0',
    reason: 'this machine has no such address',
  });
});

it('bad address: typed error', async () => {
  expect(await failure(':9001')).toMatchObject({ address: ':9001', reason: expect.stringMatching(/host is missing/) });
});

it.each([0o660, 0o600, 0o666])('unix socket: has mode %o and nothing more, and is removed at the end', async (mode) => {
  const path = join(folder, 'authz.sock');
  expect(await open(`unix:${path}`, mode)).toBe(`unix:${path}`);
  expect((await stat(path)).mode & 0o777).toBe(mode);
  servers[0]!.close();
  await once(servers[0]!, 'close');
  expect(existsSync(path)).toBe(false);
});

it('unix socket: has its mode from its first moment', async () => {
  const path = join(folder, 'authz.sock');
  const server = createServer();
  servers.push(server);
  const bind: (options: ListenOptions, ready: () => void) => Server = server.listen.bind(server);
  const modes: number[] = [];
  vi.spyOn(server, 'listen').mockImplementation(((options: ListenOptions, ready: () => void) => {
    bind(options, ready);
    modes.push(statSync(path).mode & 0o777);
    return server;
  }) as typeof server.listen);
  const before = process.umask(0);
  try {
    await listen(server, `unix:${path}`, 0o600);
  } finally {
    // What other files of this process are made with is as it was.
    expect(process.umask(before)).toBe(0);
  }
  expect(modes).toEqual([0o600]);
});

it('unix socket of a process that was killed: taken over', async () => {
  const path = join(folder, 'authz.sock');
  await leaveStaleSocket(path);
  expect(await open(`unix:${path}`)).toBe(`unix:${path}`);
});

it('unix socket that is listened on: refused and left alone', async () => {
  const path = join(folder, 'authz.sock');
  await open(`unix:${path}`);
  const { ino } = await stat(path);
  expect(await failure(`unix:${path}`)).toMatchObject({ reason: 'another process listens on this socket' });
  expect((await stat(path)).ino).toBe(ino);
});

it('unix socket path is a regular file: refused and left alone', async () => {
  const path = join(folder, 'precious');
  await writeFile(path, 'text');
  expect(await failure(`unix:${path}`)).toMatchObject({ reason: 'the path exists and is not a socket' });
  expect((await stat(path)).size).toBe(4);
});

it('unix socket path is a folder: refused', async () => {
  const path = join(folder, 'folder');
  await mkdir(path);
  expect(await failure(`unix:${path}`)).toMatchObject({ reason: 'the path exists and is not a socket' });
});

it('unix socket path is a link to a stale socket: refused and left alone', async () => {
  const [path, link] = [join(folder, 'authz.sock'), join(folder, 'link.sock')];
  await leaveStaleSocket(path);
  await symlink(path, link);
  expect(await failure(`unix:${link}`)).toMatchObject({ reason: 'the path exists and is not a socket' });
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
});

it('folder of the unix socket is missing: refused with its name', async () => {
  const path = join(folder, 'missing', 'authz.sock');
  expect(await failure(`unix:${path}`)).toMatchObject({
    reason: `the folder ${join(folder, 'missing')} does not exist`,
  });
});

it('folder of the unix socket is a file: refused with its name', async () => {
  await writeFile(join(folder, 'file'), '');
  const path = join(folder, 'file', 'authz.sock');
  expect(await failure(`unix:${path}`)).toMatchObject({ reason: `${join(folder, 'file')} is not a folder` });
});
