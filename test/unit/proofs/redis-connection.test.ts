/** The client against a socket that says what the test says; a real server is in test/redis. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { reasonOf } from '../../../src/proofs/ports.ts';
import { type RedisSettings, redisStore } from '../../../src/proofs/redis-connection.ts';

let server: Server;
let folder: string;
/** Commands as words, as they came. */
let commands: string[][];
let answer: (command: readonly string[]) => string | undefined;
const sockets = new Set<Socket>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-store-'));
  commands = [];
  answer = ([name]) => (name === 'INFO' ? '$-1\r\n' : name === 'SET' ? '$-1\r\n' : '+OK\r\n');
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      for (const command of parse(bytes.toString())) {
        commands.push(command);
        const reply = answer(command);
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  await rm(folder, { recursive: true });
});

/** Arrays of bulk strings, whole in one piece. */
function parse(text: string): string[][] {
  const words = text.split('\r\n');
  const found: string[][] = [];
  for (let at = 0; at < words.length; at++) {
    const count = /^\*(\d+)$/.exec(words[at] ?? '')?.[1];
    if (count === undefined) continue;
    found.push(Array.from({ length: Number(count) }, (_, index) => words[at + 2 + 2 * index] ?? ''));
    at += 2 * Number(count);
  }
  return found;
}

function settings(changes: Partial<RedisSettings> = {}): RedisSettings {
  const { port } = server.address() as AddressInfo;
  const plain = { hasTls: false, host: '127.0.0.1', port, database: 0 };
  return { ...plain, username: undefined, passwordFile: undefined, caFile: undefined, ...changes };
}

const open = (changes?: Partial<RedisSettings>, signal = new AbortController().signal) =>
  redisStore(settings(changes))(signal);

it('a proof: one command, and nothing but what the documented rights allow', async () => {
  await writeFile(join(folder, 'password'), 'secret\n');
  const { connection } = await open({ username: 'scopegate', passwordFile: join(folder, 'password'), database: 2 });
  expect(await connection.setIfAbsent('k', 'v', 1234)).toBeNull();
  connection.close();
  expect(commands.map((words) => words.join(' '))).toEqual([
    'AUTH scopegate secret',
    'SELECT 2',
    'INFO memory',
    'SET k v PX 1234 NX GET',
  ]);
});

it('a password without a user: the default user', async () => {
  await writeFile(join(folder, 'password'), 'secret');
  const { connection } = await open({ passwordFile: join(folder, 'password') });
  connection.close();
  expect(commands[0]).toEqual(['AUTH', 'secret']);
});

it('what was there before: told', async () => {
  const { connection } = await open();
  answer = () => '$3\r\nold\r\n';
  expect(await connection.setIfAbsent('k', 'v', 1)).toBe('old');
  connection.close();
});

const replies: Record<string, readonly [reply: string, reason: string]> = {
  'no room: its code': ['-OOM command not allowed when used memory > maxmemory\r\n', 'OOM'],
  'no right: its code, and nothing of what was sent': ['-NOPERM no access to key scopegate:dpop:k\r\n', 'NOPERM'],
  'a copy that cannot be written: its code': [
    '-READONLY You cannot write against a read only replica.\r\n',
    'READONLY',
  ],
  'a cluster that has it elsewhere: its code': ['-MOVED 1 10.0.0.1:6379\r\n', 'MOVED'],
  'a server that is too old: its code': ['-ERR syntax error\r\n', 'ERR'],
  'no code at all: a word of ours': ['-what is this, hunter2?\r\n', 'error'],
};

it.each(Object.entries(replies))('%s', async (_name, [reply, reason]) => {
  const { connection } = await open();
  answer = () => reply;
  expect(await connection.setIfAbsent('k', 'v', 1).catch(reasonOf)).toBe(reason);
  connection.close();
});

const facts: Record<string, readonly [reply: string, expected: string | undefined]> = {
  'it says how it evicts: told': ['$41\r\n# Memory\r\nmaxmemory_policy:allkeys-lru\r\na:1\r\n', 'allkeys-lru'],
  'it says nothing of it: undefined': ['$3\r\na:1\r\n', undefined],
  'nobody may ask: undefined': ['-NOPERM this user has no permissions\r\n', undefined],
};

it.each(Object.entries(facts))('%s', async (_name, [reply, evictionPolicy]) => {
  answer = ([name]) => {
    if (name !== 'INFO') return '+OK\r\n';
    const body = reply.startsWith('$') ? reply.slice(reply.indexOf('\n') + 1, -2) : undefined;
    return body === undefined ? reply : `$${body.length}\r\n${body}\r\n`;
  };
  const opened = await open();
  opened.connection.close();
  expect(opened.facts).toEqual({ evictionPolicy });
});

const failures: Record<string, readonly [act: () => Promise<unknown>, reason: string]> = {
  'a password file that is not there': [() => open({ passwordFile: join(folder, 'none') }), 'password_unreadable'],
  'authorities that are not there': [() => open({ hasTls: true, caFile: join(folder, 'none') }), 'ca_unreadable'],
  'a wrong password': [
    async () => {
      await writeFile(join(folder, 'password'), 'hunter2');
      answer = () => '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
      return open({ passwordFile: join(folder, 'password') });
    },
    'WRONGPASS',
  ],
  'nobody listens': [
    async () => {
      const there = settings();
      server.close();
      return redisStore(there)(new AbortController().signal);
    },
    'ECONNREFUSED',
  ],
  'it was given up before it began': [() => open({}, AbortSignal.abort()), 'timeout'],
};

it.each(Object.entries(failures))('%s: an error of ours', async (_name, [act, reason]) => {
  const error: unknown = await act().catch((thrown: unknown) => thrown);
  expect(reasonOf(error)).toBe(reason);
  expect(String(error)).not.toContain('hunter2');
});

it('a server that accepts and says nothing: given up when the caller gives up, its socket closed', async () => {
  answer = () => undefined;
  const giveUp = new AbortController();
  const connected = once(server, 'connection');
  const opening = open({ database: 1 }, giveUp.signal).catch(reasonOf);
  const [socket] = (await connected) as [Socket];
  await once(socket, 'data');
  giveUp.abort();
  expect(await opening).toBe('timeout');
  await once(socket, 'close');
});

it('the other side ends it: told once, whenever somebody listens', async () => {
  const { connection } = await open();
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  connection.onEnd(resolve);
  for (const socket of sockets) socket.destroy();
  expect(await ended).toMatch(/^[A-Za-z_]+$/);
  const late: string[] = [];
  connection.onEnd((reason) => late.push(reason));
  expect(late).toHaveLength(1);
  expect(await connection.setIfAbsent('k', 'v', 1).catch(reasonOf)).toMatch(/^[A-Za-z_]+$/);
  connection.close();
});

it('closed by us: nothing is told', async () => {
  const { connection } = await open();
  const told: string[] = [];
  connection.onEnd((reason) => told.push(reason));
  const [socket] = sockets;
  connection.close();
  connection.close();
  if (socket !== undefined && !socket.destroyed) await once(socket, 'close');
  expect(told).toEqual([]);
});
