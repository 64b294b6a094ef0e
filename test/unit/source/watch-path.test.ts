import { writeFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PathState } from '../../../src/source/read-path.ts';
import { type PathWatch, watchPath } from '../../../src/source/watch-path.ts';
import { systemWatchPorts, type WatchPorts } from '../../../src/source/watch-ports.ts';

let folder: string;
let watch: PathWatch | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-watch-'));
});

afterEach(async () => {
  watch?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Deliveries in order; `next` waits for the next one. */
class Deliveries {
  readonly faults: unknown[] = [];
  readonly #states: string[] = [];
  #arrived: () => void = () => undefined;
  readonly deliver = (state: PathState): void => {
    this.#states.push(state.kind === 'content' ? state.files.map(({ text }) => text).join('+') : state.kind);
    this.#arrived();
  };

  async next(): Promise<string> {
    for (;;) {
      const state = this.#states.shift();
      if (state !== undefined) {
        return state;
      }
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

/** Only notices of the kernel: the next reading without one is an hour away. */
const noticesOnly = { settleMs: 30, restMs: 90, rereadMs: 3_600_000 };

/** As it is, but a reading that is not whole by the way it came is never believed. */
const wholeOnly = { settleMs: 30, restMs: 3_600_000, rereadMs: 3_600_000 };

function start(path: string, ports: Partial<WatchPorts> = noticesOnly): Deliveries {
  const deliveries = new Deliveries();
  const system = systemWatchPorts((fault) => deliveries.faults.push(fault));
  watch = watchPath(path, deliveries.deliver, { ...system, ...ports });
  return deliveries;
}

const file = (...names: string[]): string => join(folder, ...names);

/** What kubelet does: a new folder with all keys, a new link to it, renamed over `..data`. */
async function publish(version: string, documents: Record<string, string>): Promise<void> {
  await mkdir(file(`..${version}`));
  await Promise.all(Object.entries(documents).map(async ([name, text]) => writeFile(file(`..${version}`, name), text)));
  await symlink(`..${version}`, file('..data_tmp'));
  await rename(file('..data_tmp'), file('..data'));
  await Promise.all(
    Object.keys(documents).map(async (name) => symlink(join('..data', name), file(name)).catch(() => undefined)),
  );
}

it('a file: delivered at once, and again when it is written in place', async () => {
  await writeFile(file('p.yaml'), 'one');
  const deliveries = start(file('p.yaml'));
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('p.yaml'), 'two');
  expect(await deliveries.next()).toBe('two');
  await writeFile(file('p.yaml'), 'three');
  expect(await deliveries.next()).toBe('three');
});

it('a file that an editor replaces by renaming: delivered, more than once', async () => {
  await writeFile(file('p.yaml'), 'one');
  const deliveries = start(file('p.yaml'));
  expect(await deliveries.next()).toBe('one');
  for (const text of ['two', 'three']) {
    await writeFile(file('.p.yaml.swp'), text);
    await rename(file('.p.yaml.swp'), file('p.yaml'));
    expect(await deliveries.next()).toBe(text);
  }
});

/** Long enough for what was not written in place to be believed, and shorter than the rest of what was. */
async function writerPauses(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 120));
}

it.each(['in place', 'made anew', 'made anew beside another'])(
  'a file whose last rule is written a moment later, %s: never delivered without it',
  async (way) => {
    const isFolder = way.endsWith('another');
    const [policy, kept] = [file('p.yaml'), isFolder ? 'a+' : ''];
    await Promise.all(isFolder ? [writeFile(file('a.yaml'), 'a')] : []);
    await writeFile(policy, 'old');
    const deliveries = start(isFolder ? folder : policy, { rereadMs: 3_600_000 });
    expect(await deliveries.next()).toBe(`${kept}old`);
    await (way === 'in place' ? undefined : rm(policy));
    for (const piece of ['allow', ' some', ' deny']) {
      await (piece === 'allow' ? writeFile : appendFile)(policy, piece);
      await writerPauses();
    }
    const seen = await deliveries.next();
    // A FILE that is not there takes nothing out of force, and may be told.
    expect(seen === 'absent' ? await deliveries.next() : seen).toBe(`${kept}allow some deny`);
  },
);

it('a file that is being written when watching begins: delivered whole', async () => {
  await writeFile(file('p.yaml'), 'allow');
  const deliveries = start(file('p.yaml'), { rereadMs: 3_600_000 });
  await writerPauses();
  await appendFile(file('p.yaml'), ' deny');
  expect(await deliveries.next()).toBe('allow deny');
});

it('a file that rested before watching began: delivered without another rest', async () => {
  await writeFile(file('p.yaml'), 'one');
  await utimes(file('p.yaml'), 1000, 1000);
  const deliveries = start(file('p.yaml'), { ...noticesOnly, settleMs: 30, restMs: 100_000 });
  expect(await deliveries.next()).toBe('one');
});

it('a file of a clock that is ahead: delivered when it was seen to rest', async () => {
  await writeFile(file('p.yaml'), 'one');
  const future = Date.now() / 1000 + 86_400;
  await utimes(file('p.yaml'), future, future);
  const deliveries = start(file('p.yaml'));
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('p.yaml'), 'two');
  await utimes(file('p.yaml'), future, future);
  expect(await deliveries.next()).toBe('two');
});

it('a file written with an old time, and on: not believed by that time', async () => {
  await writeFile(file('p.yaml'), 'one');
  await utimes(file('p.yaml'), 1000, 1000);
  const deliveries = start(file('p.yaml'), { rereadMs: 3_600_000 });
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('p.yaml'), 'allow');
  await utimes(file('p.yaml'), 2000, 2000);
  await writerPauses();
  await appendFile(file('p.yaml'), ' deny');
  await utimes(file('p.yaml'), 2000, 2000);
  expect(await deliveries.next()).toBe('allow deny');
});

it.runIf(process.platform === 'linux')('a file that is replaced by renaming: believed without a rest', async () => {
  await writeFile(file('p.yaml'), 'one');
  await utimes(file('p.yaml'), 1000, 1000);
  const deliveries = start(file('p.yaml'), wholeOnly);
  expect(await deliveries.next()).toBe('one');
  for (const text of ['two', 'three', 'four']) {
    await writeFile(file('p.yaml.new'), text);
    await rename(file('p.yaml.new'), file('p.yaml'));
    expect(await deliveries.next()).toBe(text);
  }
});

it.each(['p.yaml', ''])('a mounted ConfigMap, path "%s": each swap is believed without a rest', async (path) => {
  await publish('1', { 'p.yaml': 'one' });
  await utimes(file('p.yaml'), 1000, 1000);
  const deliveries = start(join(folder, path), wholeOnly);
  expect(await deliveries.next()).toBe('one');
  for (const [version, text] of [
    ['2', 'two'],
    ['3', 'three'],
  ] as const) {
    await publish(version, { 'p.yaml': text });
    expect(await deliveries.next()).toBe(text);
  }
});

it('a file that is deleted and made again: absent, then its text', async () => {
  await writeFile(file('p.yaml'), 'one');
  const deliveries = start(file('p.yaml'));
  expect(await deliveries.next()).toBe('one');
  await rm(file('p.yaml'));
  expect(await deliveries.next()).toBe('absent');
  await writeFile(file('p.yaml'), 'one');
  expect(await deliveries.next()).toBe('one');
});

it('a file whose folder does not exist yet: absent, then its text', async () => {
  const deliveries = start(file('not', 'yet', 'p.yaml'));
  expect(await deliveries.next()).toBe('absent');
  await mkdir(file('not', 'yet'), { recursive: true });
  await writeFile(file('not', 'yet', 'p.yaml'), 'one');
  expect(await deliveries.next()).toBe('one');
});

it('a folder whose documents change, come and go: delivered whole', async () => {
  await writeFile(file('a.yaml'), 'a');
  const deliveries = start(folder);
  expect(await deliveries.next()).toBe('a');
  await writeFile(file('b.json'), 'b');
  expect(await deliveries.next()).toBe('a+b');
  await rm(file('a.yaml'));
  expect(await deliveries.next()).toBe('b');
});

it('a folder that is replaced by another: its documents, and later changes in it', async () => {
  await mkdir(file('policies'));
  await writeFile(file('policies', 'a.yaml'), 'old');
  const deliveries = start(file('policies'));
  expect(await deliveries.next()).toBe('old');
  await mkdir(file('next'));
  await writeFile(file('next', 'a.yaml'), 'new');
  await rename(file('policies'), file('previous'));
  await rename(file('next'), file('policies'));
  let seen = await deliveries.next();
  // The moment between the two renames may be long enough to be seen.
  seen = seen === 'absent' ? await deliveries.next() : seen;
  expect(seen).toBe('new');
  await writeFile(file('policies', 'a.yaml'), 'newer');
  expect(await deliveries.next()).toBe('newer');
});

it('a mounted ConfigMap, as FILE: each swap of ..data is delivered', async () => {
  await publish('1', { 'p.yaml': 'one' });
  const deliveries = start(file('p.yaml'));
  expect(await deliveries.next()).toBe('one');
  for (const [version, text] of [
    ['2', 'two'],
    ['3', 'three'],
  ] as const) {
    await publish(version, { 'p.yaml': text });
    expect(await deliveries.next()).toBe(text);
    await rm(file(`..${Number(version) - 1}`), { recursive: true });
  }
});

it('a mounted ConfigMap, as DIR: never a mixture of two versions', async () => {
  await publish('1', { 'a.yaml': 'a1', 'b.yaml': 'b1' });
  const deliveries = start(folder);
  expect(await deliveries.next()).toBe('a1+b1');
  await publish('2', { 'a.yaml': 'a2', 'b.yaml': 'b2' });
  expect(await deliveries.next()).toBe('a2+b2');
});

it('a file behind a link: written where it is, delivered', async () => {
  await mkdir(file('real'));
  await writeFile(file('real', 'p.yaml'), 'one');
  await mkdir(file('here'));
  await symlink(file('real', 'p.yaml'), file('here', 'p.yaml'));
  const deliveries = start(file('here', 'p.yaml'));
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('real', 'p.yaml'), 'two');
  expect(await deliveries.next()).toBe('two');
});

it('the same text written again: not delivered', async () => {
  await writeFile(file('p.yaml'), 'one');
  const deliveries = start(file('p.yaml'));
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('p.yaml'), 'one');
  await writeFile(file('p.yaml.tmp'), 'one');
  await rename(file('p.yaml.tmp'), file('p.yaml'));
  await writeFile(file('p.yaml'), 'two');
  expect(await deliveries.next()).toBe('two');
});

it('no watches left (ENOSPC): changes are found by reading', async () => {
  await writeFile(file('p.yaml'), 'one');
  const exhausted = (): never => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  };
  const deliveries = start(file('p.yaml'), { watch: exhausted, settleMs: 1, restMs: 5, rereadMs: 5 });
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('p.yaml'), 'two');
  expect(await deliveries.next()).toBe('two');
  expect(deliveries.faults).toStrictEqual([]);
});

it('a receiver that throws: reported, and later changes are delivered', async () => {
  await writeFile(file('p.yaml'), 'one');
  const deliveries = new Deliveries();
  const faults: unknown[] = [];
  const broken = new Error('broken');
  const ports = { ...systemWatchPorts((fault) => faults.push(fault)), ...noticesOnly };
  const deliver = (state: PathState): void => {
    deliveries.deliver(state);
    throw broken;
  };
  watch = watchPath(file('p.yaml'), deliver, ports);
  expect(await deliveries.next()).toBe('one');
  await writeFile(file('p.yaml'), 'two');
  expect(await deliveries.next()).toBe('two');
  expect(faults[0]).toBe(broken);
});

/** Notices that the test gives. */
function fakeWatch() {
  const open = new Set<object>();
  let changed: (entry: string | null) => void = () => undefined;
  const watchFolder: WatchPorts['watch'] = (_folder, callback) => {
    changed = callback;
    const watcher = { close: () => open.delete(watcher) };
    open.add(watcher);
    return watcher;
  };
  return { open, watch: watchFolder, notice: () => changed(null) };
}

it('a notice that comes while the path is read: not lost', async () => {
  await writeFile(file('p.yaml'), 'one');
  const fake = fakeWatch();
  const deliveries = new Deliveries();
  const deliver = (state: PathState): void => {
    if (state.kind === 'content' && state.files[0]?.text === 'one') {
      writeFileSync(file('p.yaml'), 'two');
      fake.notice();
    }
    deliveries.deliver(state);
  };
  watch = watchPath(file('p.yaml'), deliver, {
    ...systemWatchPorts(() => undefined),
    ...noticesOnly,
    watch: fake.watch,
  });
  expect(await deliveries.next()).toBe('one');
  expect(await deliveries.next()).toBe('two');
});

it('after many changes: as many watches as at the start', async () => {
  await writeFile(file('p.yaml'), 'one');
  const fake = fakeWatch();
  const deliveries = start(file('p.yaml'), { ...noticesOnly, watch: fake.watch });
  expect(await deliveries.next()).toBe('one');
  const atStart = fake.open.size;
  for (const text of ['two', 'three', 'four']) {
    await writeFile(file('p.yaml'), text);
    fake.notice();
    expect(await deliveries.next()).toBe(text);
  }
  expect(fake.open.size).toBe(atStart);
});

it('after close: nothing is read, watched or delivered', async () => {
  await writeFile(file('p.yaml'), 'one');
  const fake = fakeWatch();
  const deliveries = start(file('p.yaml'), { ...noticesOnly, watch: fake.watch });
  expect(await deliveries.next()).toBe('one');
  expect(fake.open.size).toBeGreaterThan(1);
  watch?.close();
  expect(fake.open.size).toBe(0);
  await writeFile(file('p.yaml'), 'two');
  fake.notice();
  const other = start(file('p.yaml'));
  expect(await other.next()).toBe('two');
  expect(fake.open.size).toBe(0);
  expect(await Promise.race([deliveries.next(), Promise.resolve('nothing')])).toBe('nothing');
});

it('closed while the first reading is under way: no watch stays open, nothing is delivered', async () => {
  await writeFile(file('p.yaml'), 'one');
  const fake = fakeWatch();
  const deliveries = start(file('p.yaml'), { ...noticesOnly, watch: fake.watch });
  watch?.close();
  const other = start(file('p.yaml'));
  expect(await other.next()).toBe('one');
  expect(fake.open.size).toBe(0);
  expect(await Promise.race([deliveries.next(), Promise.resolve('nothing')])).toBe('nothing');
});
