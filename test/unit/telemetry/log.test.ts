import { expect, it } from 'vitest';
import { createLog, type LogOptions, unsilenced } from '../../../src/telemetry/log.ts';

function logTo(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const log = createLog(
    { level: 'info', format: undefined, isTerminal: false, ...options },
    { write: (line) => written.push(line) },
  );
  return { log, written };
}

it('json: ISO time, level as a word, fields and msg, and nothing else', () => {
  const { log, written } = logTo();
  log.info({ grpc: ['127.0.0.1:9001'] }, 'listening');
  expect(written.map((line) => JSON.parse(line))).toStrictEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      grpc: ['127.0.0.1:9001'],
      msg: 'listening',
    },
  ]);
});

const formats: Record<string, [options: Partial<LogOptions>, isJson: boolean]> = {
  'no format, no terminal: json': [{ isTerminal: false }, true],
  'no format, a terminal: pretty': [{ isTerminal: true }, false],
  'json on a terminal: json': [{ format: 'json', isTerminal: true }, true],
  'pretty without a terminal: pretty': [{ format: 'pretty', isTerminal: false }, false],
};

it.each(Object.entries(formats))('%s', (_name, [options, isJson]) => {
  const { log, written } = logTo(options);
  log.info('ready');
  expect(written.map((line) => line.startsWith('{'))).toStrictEqual([isJson]);
});

it('under the level: not written', () => {
  const { log, written } = logTo({ level: 'warn' });
  log.info('ready');
  log.warn('late');
  expect(written.map((line) => JSON.parse(line))).toStrictEqual([expect.objectContaining({ msg: 'late' })]);
});

it('decision lines: written whatever the level, as msg "decision"', () => {
  const { log, written } = logTo({ level: 'silent' });
  unsilenced(log)({ decision: 'deny', rule: undefined }, 'decision');
  expect(written.map((line) => JSON.parse(line))).toStrictEqual([
    { level: 'info', time: expect.any(String), decision: 'deny', msg: 'decision' },
  ]);
});

const pretty: Record<string, [fields: object, message: string, expected: string]> = {
  'words: bare': [{ admin: '127.0.0.1:9002', n: 3 }, 'listening', 'info  listening admin=127.0.0.1:9002 n=3\n'],
  'text and lists: as JSON': [
    { why: 'no such file', grpc: ['a', 'b'] },
    'x',
    'info  x why="no such file" grpc=["a","b"]\n',
  ],
  'escape sequences in a value: escaped': [
    { subject: '\u001b[2J\u009b2J' },
    'x',
    'info  x subject="\\u001b[2J\\u009b2J"\n',
  ],
  'line breaks and direction marks: escaped': [{ s: 'a\n\u202eb\u2028' }, 'x', 'info  x s="a\\n\\u202eb\\u2028"\n'],
  'line break in the message: escaped': [{}, 'a\nb', 'info  a\\u000ab\n'],
};

it.each(Object.entries(pretty))('pretty, %s', (_name, [fields, message, expected]) => {
  const { log, written } = logTo({ format: 'pretty' });
  log.info(fields, message);
  expect(written.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, ''))).toStrictEqual([expected]);
});

it('pretty, an error: its stack, line by line', () => {
  const { log, written } = logTo({ format: 'pretty' });
  log.error({ err: new Error('broken') }, 'fault');
  expect(written.join('')).toMatch(/ error fault err=Error: broken\n {8}at /);
});

it('pretty: colors only on a terminal', () => {
  const [terminal, file] = [logTo({ format: 'pretty', isTerminal: true }), logTo({ format: 'pretty' })];
  terminal.log.info('x');
  file.log.info('x');
  expect([terminal.written.join('').includes('\u001b['), file.written.join('').includes('\u001b[')]).toStrictEqual([
    true,
    false,
  ]);
});
