import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type WatchedNonces, watchNonceKeys } from '../../../src/sidecar/nonce-keys.ts';
import { createNonceSealer } from '../../../src/token/dpop-nonce.ts';

const now = 1_790_000_000_000;
const [oldHex, newHex] = ['11'.repeat(32), '22'.repeat(32)];
const sealerOf = (hex: string) => createNonceSealer([Buffer.from(hex, 'hex')]);

let folder: string;
let file: string;
let told: string[];
/** The look that is due, and what it takes to know that it is over: the next one being planned. */
let due: (() => void) | undefined;
let planned: PromiseWithResolvers<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-nonce-keys-'));
  file = join(folder, 'keys');
  told = [];
  await writeFile(file, `${oldHex}\n`);
});

afterEach(() => rm(folder, { recursive: true }));

function watch(): Promise<WatchedNonces> {
  return watchNonceKeys(file, {
    schedule: (callback) => {
      due = callback;
      planned?.resolve();
      return () => {
        due = undefined;
      };
    },
    onReload: (count) => told.push(`reloaded ${count}`),
    onProblem: (reason) => told.push(reason),
    onFault: (error) => told.push(`fault ${String(error)}`),
  });
}

async function look(): Promise<void> {
  planned = Promise.withResolvers();
  due?.();
  await planned.promise;
}

it('DP-15 a new key first: used once two looks agree, and nonces of the old one are still opened', async () => {
  const { nonces } = await watch();
  const before = nonces.issue(now);
  await writeFile(file, `${newHex}\n${oldHex}\n`);
  await look();
  expect(nonces.issue(now)).toBe(before);
  await look();
  expect(told).toEqual(['reloaded 2']);
  expect(nonces.issue(now)).toBe(sealerOf(newHex).issue(now));
  expect(nonces.judge(before, now)).toBe('fresh');
});

it('a file that changes at each look: not used until it rests', async () => {
  const { nonces } = await watch();
  for (const hex of ['33', '44', '55']) {
    await writeFile(file, hex.repeat(32));
    await look();
  }
  expect(told).toEqual([]);
  expect(nonces.issue(now)).toBe(sealerOf(oldHex).issue(now));
});

it('a file without a key, then none: the old ones stay, each is told once, and a good one ends it', async () => {
  const { nonces } = await watch();
  await writeFile(file, 'no key here');
  for (let times = 0; times < 4; times++) await look();
  await rename(file, `${file}.away`);
  for (let times = 0; times < 4; times++) await look();
  expect(told).toEqual(['key 1 is neither hex nor base64', 'cannot be read (ENOENT)']);
  expect(nonces.issue(now)).toBe(sealerOf(oldHex).issue(now));
  await writeFile(file, newHex);
  await look();
  await look();
  expect(told.at(-1)).toBe('reloaded 1');
});

it('no file at the start: one line that names it', async () => {
  await rm(file);
  await expect(watch()).rejects.toThrow(`nonce keys ${file}: cannot be read (ENOENT)`);
});

it('stopped: looks no more', async () => {
  const watched = await watch();
  watched.stop();
  expect(due).toBeUndefined();
});
