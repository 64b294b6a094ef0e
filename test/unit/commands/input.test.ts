import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readInputs } from '../../../src/commands/input.ts';
import { CommandLine } from '../../support/command-line.ts';

let here: CommandLine;
beforeEach(() => {
  here = new CommandLine();
});
afterEach(() => {
  here.remove();
});

async function* stdinOf(...parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part, 'latin1');
}

const noStdin: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => {
    throw new Error('stdin is not to be read');
  },
};

describe('readInputs', () => {
  it('files: in the order of their names, as they were named; stdin is not touched', async () => {
    const names = [here.file('b.yaml', 'b'), here.file('a.yaml', '\ufeffä')];
    expect(await readInputs(names, { stdin: noStdin })).toEqual([
      { name: names[0], text: 'b' },
      { name: names[1], text: 'ä' },
    ]);
  });

  it('-: stdin, whole, wherever it was cut', async () => {
    const [before, after] = ['\xc3', '\xa4!'];
    expect(await readInputs(['-'], { stdin: stdinOf(before, after) })).toEqual([{ name: '<stdin>', text: 'ä!' }]);
  });

  it('a pipe that a shell opened: read like a file', async () => {
    const path = join(here.folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = readInputs([path], { stdin: noStdin });
    await writeFile(path, 'text');
    expect(await reading).toEqual([{ name: path, text: 'text' }]);
  });

  const bad: Record<string, [make: () => string, error: (path: string) => string]> = {
    'no such file': [() => join(here.folder, 'x.yaml'), (path) => `${path} does not exist`],
    'a folder': [
      () => {
        mkdirSync(join(here.folder, 'd'));
        return join(here.folder, 'd/');
      },
      (path) => `${path} is a folder; name its files, such as ${path}*.yaml`,
    ],
    'no UTF-8': [() => here.file('l.yaml', Buffer.from([0xff])), (path) => `${path} is not valid UTF-8`],
    'a name below a file': [
      () => join(here.file('f', ''), 'g'),
      (path) => `${path} does not exist (a part of its path is no folder)`,
    ],
    'a name that cannot be one': [() => 'x'.repeat(300), (path) => `${path} cannot be read (ENAMETOOLONG)`],
    'more than a source may hold': [
      () => here.file('big.yaml', Buffer.alloc(8 * 1024 * 1024 + 1, '#')),
      (path) => `${path} is too large (at most 8 MiB)`,
    ],
  };
  it.each(Object.entries(bad))('%s: one line that names it', async (_name, [make, error]) => {
    const path = make();
    const good = here.file('good.yaml', '');
    expect(await readInputs([good, path], { stdin: noStdin })).toEqual({ errors: [error(path)] });
  });

  it('several that cannot be had: a line each', async () => {
    const names = ['/nowhere/a', '/nowhere/b'];
    expect(await readInputs(names, { stdin: noStdin })).toEqual({
      errors: ['/nowhere/a does not exist', '/nowhere/b does not exist'],
    });
  });

  it('stdin without end: not read to the end', async () => {
    async function* endless(): AsyncIterable<Uint8Array> {
      for (;;) yield Buffer.alloc(1024 * 1024);
    }
    expect(await readInputs(['-'], { stdin: endless() })).toEqual({
      errors: ['<stdin> is too large (at most 8 MiB)'],
    });
  });

  it('- twice: said, and nothing is read', async () => {
    expect(await readInputs(['-', '-'], { stdin: noStdin })).toEqual({ errors: ['- (stdin) can be read only once'] });
  });
});
