/** What stands on a command line may come from elsewhere, such as the name of a file in a repository. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandLine } from '../../support/command-line.ts';

const evil = 'e\u001b[31m\u009b2J\u202evil';
const head = 'apiVersion: scopegate.dev/v1\nkind: Policy\n';
const request = 'GET https://x.test/a';

let here: CommandLine;
let paths: Readonly<Record<'absent' | 'folder' | 'broken' | 'failing' | 'good' | 'empty' | 'openapi', string>>;

beforeAll(() => {
  here = new CommandLine();
  const rule = 'rules: [{ name: a, paths: [/a], access: deny }]\n';
  const test = 'tests: [{ name: t, request: GET https://x.test/a, token: none, expect: { decision: allow } }]\n';
  paths = {
    absent: `${here.folder}/${evil}`,
    folder: `${here.folder}/`,
    broken: here.file(`${evil}-broken.yaml`, `${head}"rul\\ez\\x9b": []\n`),
    failing: here.file(`${evil}-failing.yaml`, head + rule + test),
    good: here.file('good.yaml', head + rule),
    empty: here.file(`${evil}-empty`, ''),
    openapi: here.file(
      `${evil}-openapi.yaml`,
      'openapi: 3.1.0\ninfo: {}\npaths: { /a: { get: { security: [{ k: [] }] } } }\n',
    ),
  };
});

afterAll(() => {
  here.remove();
});

const lines: Record<string, (files: typeof paths) => readonly string[]> = {
  'lint of an absent file': ({ absent }) => ['lint', absent],
  'lint of a broken file': ({ broken }) => ['lint', broken],
  'lint of a broken file, JSON': ({ broken }) => ['lint', '--json', broken],
  'lint of a broken file, SARIF': ({ broken }) => ['lint', '--format', 'sarif', broken],
  'lint of a broken file, GitHub': ({ broken }) => ['lint', '--format', 'github', broken],
  'test of an absent file': ({ absent }) => ['test', absent],
  'test of a broken file': ({ broken }) => ['test', broken],
  'test of a failing file': ({ failing }) => ['test', failing],
  'test of a failing file, JSON': ({ failing }) => ['test', '--json', failing],
  'test of a failing file, JUnit': ({ failing }) => ['test', '--format', 'junit', failing],
  'explain with a broken policy': ({ broken }) => ['explain', '--policy', broken, '--request', request],
  'explain with an absent token': ({ good, absent }) => [
    'explain',
    '--policy',
    good,
    '--request',
    request,
    '--token',
    `@${absent}`,
  ],
  'explain with an empty token': ({ good, empty }) => [
    'explain',
    '--policy',
    good,
    '--request',
    request,
    '--token',
    `@${empty}`,
  ],
  'replay of an absent log': ({ good, absent }) => ['replay', '--policy', good, absent],
  'replay with a broken policy': ({ good, broken }) => ['replay', '--policy', broken, good],
  'import of an absent file': ({ absent }) => ['import', 'openapi', absent],
  'import of a file with findings': ({ openapi }) => ['import', 'openapi', openapi],
  'an unknown command': () => [evil],
  'an unknown option': () => ['lint', `--${evil}`],
  'a bad value of an option': () => ['lint', '--format', evil, 'a'],
  'serve with a bad option': () => ['serve', '--grpc', evil, '--policy', evil],
};

it.each(Object.entries(lines))('%s: nothing that could steer a terminal', async (_name, args) => {
  const { out, error } = await here.run(args(paths));
  const text = out + error;
  // The name is there, in a harmless spelling.
  expect(text).toContain('vil');
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});
