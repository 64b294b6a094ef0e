import { expect, it } from 'vitest';
import { type ProgramPorts, runProgram } from '../../../src/commands/program.ts';
import { environmentName, serveOptions } from '../../../src/config/serve-options.ts';
import type { ServeSettings } from '../../../src/config/settings.ts';

interface Result {
  exitCode: number;
  out: string;
  error: string;
  started: ServeSettings[];
}

async function* stdinOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** Runs a command line; a start that succeeds is ended by a signal at once. */
async function run(args: string[], ports: Partial<ProgramPorts> = {}): Promise<Result> {
  const result: Result = { exitCode: Number.NaN, out: '', error: '', started: [] };
  let end: () => void = () => undefined;
  result.exitCode = await runProgram(args, {
    version: '1.2.3',
    environment: {},
    columns: undefined,
    flush: async () => undefined,
    stdin: stdinOf(''),
    isColored: false,
    now: () => 0,
    writeOut: (text) => {
      result.out += text;
    },
    writeError: (text) => {
      result.error += text;
    },
    signals: {
      on: (_signal, listener) => {
        end = listener;
      },
      off: () => undefined,
    },
    start: async (settings) => {
      result.started.push(settings);
      end();
      return { drain: async () => undefined, stop: async () => undefined };
    },
    ...ports,
  });
  return result;
}

const usage: Record<string, [args: string[], error: string]> = {
  'no command: says where to read on': [[], 'scopegate: no command given; see scopegate --help\n'],
  'a misspelt command: named, with what may have been meant': [
    ['srve'],
    "scopegate: unknown command 'srve' (Did you mean serve?); see scopegate --help\n",
  ],
  'a command of a later version: unknown': [
    ['console'],
    "scopegate: unknown command 'console'; see scopegate --help\n",
  ],
  'an unknown option before the command: named': [
    ['--bogus', 'serve'],
    "scopegate: unknown option '--bogus'; see scopegate --help\n",
  ],
  'a misspelt option: named, with what may have been meant': [
    ['serve', '--polcy', 'p.yaml'],
    "scopegate serve: unknown option '--polcy' (Did you mean --policy?); see scopegate serve --help\n",
  ],
  'an option without its value: named': [
    ['serve', '--policy', 'p', '--drain'],
    "scopegate serve: option '--drain <DURATION>' argument missing; see scopegate serve --help\n",
  ],
  'an argument too many: named': [
    ['serve', '--policy', 'p', 'q'],
    "scopegate serve: unexpected argument 'q'; see scopegate serve --help\n",
  ],
  'a line break in what is named: still one line': [
    ['se\nrve'],
    "scopegate: unknown command 'se rve' (Did you mean serve?); see scopegate --help\n",
  ],
  'no policy: says that one is required': [
    ['serve'],
    'scopegate serve: --policy: a policy is required: --policy FILE, DIR or configmap:NAMESPACE/NAME\n',
  ],
  'two bad values: a line each': [
    ['serve', '--policy', 'p', '--drain', '3', '--workers', '65'],
    'scopegate serve: --drain: expected a duration from 0s to 1h, such as 500ms, 30s, 5m or 1h30m, got "3"\n' +
      'scopegate serve: --workers: expected a whole number from 1 to 64 (processes), got "65"\n',
  ],
};

it.each(Object.entries(usage))('%s, exit 2, and nothing starts', async (_name, [args, error]) => {
  expect(await run(args)).toStrictEqual({ exitCode: 2, out: '', error, started: [] });
});

it('a bad variable: named as the variable', async () => {
  const { exitCode, error } = await run(['serve', '--policy', 'p'], { environment: { SCOPEGATE_ADMIN: 'nowhere' } });
  expect([exitCode, error]).toStrictEqual([
    2,
    'scopegate serve: SCOPEGATE_ADMIN: expected HOST:PORT or [IPv6]:PORT, got "nowhere"\n',
  ]);
});

it('every option by its flag: reaches the settings', async () => {
  const args = [
    'serve',
    '--policy',
    'a',
    '--policy=b',
    '--grpc',
    '127.0.0.1:0',
    '--grpc',
    'unix:/s',
    '--log-subjects',
    '--drain=3s',
  ];
  const { exitCode, error, started } = await run(args, {
    environment: { SCOPEGATE_DRAIN: '9s', SCOPEGATE_LOG_LEVEL: 'debug' },
  });
  expect([exitCode, error]).toStrictEqual([0, '']);
  expect(started).toStrictEqual([
    expect.objectContaining({
      policySources: ['a', 'b'].map((text) => ({ kind: 'path', text, path: text })),
      grpcAddresses: ['127.0.0.1:0', 'unix:/s'],
      logSubjects: true,
      drainMs: 3000,
      logLevel: 'debug',
    }),
  ]);
});

it('--version: the version on stdout', async () => {
  expect(await run(['--version'])).toStrictEqual({ exitCode: 0, out: '1.2.3\n', error: '', started: [] });
});

it.each([['--help'], ['-h']])('%s: the commands on stdout', async (flag) => {
  const { exitCode, out, error } = await run([flag]);
  expect([exitCode, error]).toStrictEqual([0, '']);
  expect(out).toMatch(/^Usage: scopegate COMMAND \[options\]\n/);
  expect(out).toMatch(/^ {2}serve +run the authorizer/m);
  expect(out).toMatch(/^ {2}lint +check policy files/m);
  expect(out).toMatch(/^ {2}test +run the tests/m);
});

it('serve --help: every option with its variable and default, two examples and the exit codes', async () => {
  const { exitCode, out, error, started } = await run(['serve', '--help']);
  expect([exitCode, error, started]).toStrictEqual([0, '', []]);
  const missing = Object.values(serveOptions).filter(({ flag, argument, defaultText }) => {
    const value = defaultText === undefined ? '' : `default ${defaultText}, `;
    const term = argument === undefined ? flag : `${flag} ${argument}`;
    return !out.includes(`  ${term} `) || !out.includes(`[${value}${environmentName(flag)}]`);
  });
  expect(missing).toStrictEqual([]);
  expect(out.match(/^ {2}.*scopegate serve /gm)).toHaveLength(2);
  expect(out).toContain('Exit codes: 0 ');
});

it.each([
  [undefined, 100],
  [200, 100],
  [80, 80],
])('help on %s columns: no line is longer than %i', async (columns, longest) => {
  const { out } = await run(['serve', '--help'], { columns });
  expect(out.split('\n').filter((line) => line.length > longest && line.trim().includes(' '))).toStrictEqual([]);
});
