/** The fourth door: the cases, so far as they can be said so, as the tests of a policy under `scopegate test`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCaseFiles } from './support/case-file.ts';
import { testsOf } from './support/cases-as-tests.ts';
import { CommandLine } from './support/command-line.ts';

const files = loadCaseFiles()
  .map(testsOf)
  .filter(({ names }) => names.length > 0);

let commandLine: CommandLine;
beforeAll(() => {
  commandLine = new CommandLine();
});
afterAll(() => {
  commandLine.remove();
});

describe('scopegate test', () => {
  it.each(files)('$file: all of its checks that fit pass', async ({ text, names }) => {
    const { exitCode, out, error } = await commandLine.run(['test', '-'], { input: text });
    expect(out).toBe(names.map((name) => `✓ ${name}\n`).join(''));
    expect(error).toContain(`scopegate test: ${names.length} passed, 0 failed\n`);
    expect(exitCode).toBe(0);
  });

  it('the other way round: each of them fails', async () => {
    for (const { text, names } of files) {
      const document: unknown = text.replaceAll(
        /"decision":"(allow|deny)"(?:,"status":\d+)?(?:,"reason":"\w+")?/g,
        (_, is) => `"decision":"${is === 'allow' ? 'deny' : 'allow'}"`,
      );
      const { exitCode, out } = await commandLine.run(['test', '--json', '-'], { input: String(document) });
      const { failed } = JSON.parse(out) as { failed: number };
      expect([exitCode, failed]).toEqual([1, names.length]);
    }
  });

  it('most of the cases fit', () => {
    const fitting = files.reduce((sum, { names }) => sum + names.length, 0);
    expect(fitting).toBeGreaterThan(420);
    expect(files.length).toBeGreaterThan(20);
  });
});
