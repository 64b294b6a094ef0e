import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createOutput } from '../../../src/commands/output.ts';

/** Takes a text when it is told to. */
class SlowReader extends Writable {
  readonly taken: string[] = [];
  readonly #waiting: (() => void)[] = [];

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#waiting.push(() => {
      this.taken.push(chunk.toString());
      done();
    });
  }

  take(): void {
    this.#waiting.shift()?.();
  }
}

class Refusing extends Writable {
  readonly #code: string;

  constructor(code: string) {
    super();
    this.#code = code;
  }

  override _write(_chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    done(Object.assign(new Error(`${this.#code}: refused`), { code: this.#code }));
  }
}

function reader(): Writable & { readonly text: () => string } {
  const texts: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      texts.push(chunk.toString());
      done();
    },
  });
  return Object.assign(stream, { text: () => texts.join('') });
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

describe('createOutput', () => {
  it('a slow reader: the end waits until all is taken', async () => {
    const stdout = new SlowReader();
    const { writeOut, end } = createOutput(stdout, reader());
    writeOut('a');
    writeOut('b');
    const ended = vi.fn();
    const ending = end(3);
    ending.then(ended, ended);
    await turn();
    stdout.take();
    await turn();
    expect(ended).not.toHaveBeenCalled();
    // The second text, and what tells that there is no more.
    stdout.take();
    await turn();
    stdout.take();
    expect([await ending, stdout.taken.join('')]).toEqual([3, 'ab']);
  });

  it('a reader that has gone: no error', async () => {
    const stderr = reader();
    const { writeOut, end } = createOutput(new Refusing('EPIPE'), stderr);
    writeOut('a');
    await turn();
    writeOut('b');
    expect([await end(0), stderr.text()]).toEqual([0, '']);
  });

  it('a full disk: exit code 1 and one line', async () => {
    const stderr = reader();
    const { writeOut, end } = createOutput(new Refusing('ENOSPC'), stderr);
    writeOut('a');
    expect([await end(0), stderr.text()]).toEqual([1, 'scopegate: stdout cannot be written: ENOSPC: refused\n']);
  });

  it('nobody reads stderr: no error', async () => {
    const stdout = reader();
    const { writeOut, writeError, end } = createOutput(stdout, new Refusing('EIO'));
    writeError('e');
    await turn();
    writeOut('a');
    expect([await end(0), stdout.text()]).toEqual([0, 'a']);
  });
});
