import { expect, it } from 'vitest';
import { listenAddress } from '../../../src/config/address.ts';
import {
  choice,
  duration,
  fileMode,
  filePath,
  type Parsed,
  type Parser,
  share,
  truth,
  wholeNumber,
} from '../../../src/config/parse.ts';

const refused = Symbol('refused');
const outcome = (parsed: Parsed<unknown>): unknown => ('problem' in parsed ? refused : parsed.value);

const upToADay = duration('1s', '24h');
const cases: Record<string, [parser: Parser<unknown>, text: string, expected: unknown]> = {
  'duration, seconds: milliseconds': [upToADay, '30s', 30_000],
  'duration, minutes: milliseconds': [upToADay, '5m', 300_000],
  'duration, two units: their sum': [upToADay, '1h30m', 5_400_000],
  'duration, milliseconds: not taken for minutes': [upToADay, '1500ms', 1500],
  'duration, all units: their sum': [upToADay, '1h1m1s1ms', 3_661_001],
  'duration at its lower limit: accepted': [upToADay, '1s', 1000],
  'duration at its upper limit: accepted': [upToADay, '24h', 86_400_000],
  'duration under its lower limit: refused': [upToADay, '999ms', refused],
  'duration over its upper limit: refused': [upToADay, '24h1ms', refused],
  'duration zero where zero is allowed: 0': [duration('0s', '1h'), '0s', 0],
  'duration without a unit: refused': [upToADay, '30', refused],
  'duration, empty: refused': [duration('0s', '1h'), '', refused],
  'duration, units in the wrong order: refused': [upToADay, '30s5m', refused],
  'duration, a unit twice: refused': [upToADay, '5s5s', refused],
  'duration, a fraction: refused': [upToADay, '1.5s', refused],
  'duration, a sign: refused': [upToADay, '-5s', refused],
  'duration, space inside: refused': [upToADay, '1h 30m', refused],
  'duration, an unknown unit: refused': [upToADay, '1d', refused],
  'duration, capital unit: refused': [upToADay, '5M', refused],

  'whole number at its limits: accepted': [wholeNumber(1, 9, 'lines'), '9', 9],
  'whole number, leading zeros: read as decimal': [wholeNumber(1, 9, 'lines'), '008', 8],
  'whole number over: refused': [wholeNumber(1, 9, 'lines'), '10', refused],
  'whole number under: refused': [wholeNumber(1, 9, 'lines'), '0', refused],
  'whole number, exponent: refused': [wholeNumber(1, 9000, 'lines'), '1e3', refused],
  'whole number, hexadecimal: refused': [wholeNumber(1, 9000, 'lines'), '0x10', refused],
  'whole number, empty: refused': [wholeNumber(0, 9, 'lines'), '', refused],
  'whole number, fraction: refused': [wholeNumber(0, 9, 'lines'), '1.0', refused],

  'share: a number': [share, '0.01', 0.01],
  'share without leading zero: a number': [share, '.5', 0.5],
  'share one: accepted': [share, '1', 1],
  'share over one: refused': [share, '1.01', refused],
  'share as percent: refused': [share, '1%', refused],
  'share, empty: refused': [share, '', refused],
  'share, negative: refused': [share, '-0.1', refused],

  'file mode with leading zero: octal': [fileMode, '0660', 0o660],
  'file mode of three digits: octal': [fileMode, '600', 0o600],
  'file mode with a digit that is not octal: refused': [fileMode, '0680', refused],
  'file mode with set-uid: refused': [fileMode, '4660', refused],

  'truth, true: true': [truth, 'true', true],
  'truth, 0: false': [truth, '0', false],
  'truth, another word: refused': [truth, 'yes', refused],

  'choice, a word of the list: the word': [choice(['json', 'pretty']), 'pretty', 'pretty'],
  'choice, other case: refused': [choice(['json', 'pretty']), 'JSON', refused],
  'choice, name of an inherited member: refused': [choice(['json']), 'constructor', refused],

  'file: its path': [filePath, '/etc/tls/tls.crt', '/etc/tls/tls.crt'],
  'file, empty: refused': [filePath, '', refused],
  'file with NUL: refused': [filePath, 'a\0b', refused],

  'address, IPv4: as typed': [listenAddress, '127.0.0.1:9001', '127.0.0.1:9001'],
  'address, any port: as typed': [listenAddress, '127.0.0.1:0', '127.0.0.1:0'],
  'address, name: as typed': [listenAddress, 'localhost:9001', 'localhost:9001'],
  'address, name with an underscore, as container platforms give: as typed': [listenAddress, 'my_app:1', 'my_app:1'],
  'address, any IPv6: as typed': [listenAddress, '[::]:9001', '[::]:9001'],
  'address, unix socket: as typed': [listenAddress, 'unix:/run/scopegate.sock', 'unix:/run/scopegate.sock'],
  'address, port over 65535: refused': [listenAddress, '127.0.0.1:65536', refused],
  'address without port: refused': [listenAddress, '127.0.0.1', refused],
  'address without host: refused': [listenAddress, ':9001', refused],
  'address, IPv6 without brackets: refused': [listenAddress, '::1:9001', refused],
  'address, brackets around no IPv6: refused': [listenAddress, '[localhost]:9001', refused],
  'address, digits that are no IPv4: refused': [listenAddress, '256.0.0.1:9001', refused],
  'address with a scheme: refused': [listenAddress, 'http://127.0.0.1:9001', refused],
  'address, relative unix path: refused': [listenAddress, 'unix:scopegate.sock', refused],
  'address, unix path longer than the system takes: refused': [listenAddress, `unix:/${'é'.repeat(54)}`, refused],
  'address, longest unix path: as typed': [listenAddress, `unix:/${'a'.repeat(106)}`, `unix:/${'a'.repeat(106)}`],
};

it.each(Object.entries(cases))('%s', (_name, [parser, text, expected]) => {
  expect(outcome(parser(text))).toBe(expected);
});

const messages: Record<string, [parser: Parser<unknown>, text: string, part: string]> = {
  'a line break in a value: escaped, so the message stays one line': [truth, 'a\nb', '"a\\nb"'],
  'a long value: cut': [truth, 'x'.repeat(5000), `"${'x'.repeat(80)}…"`],
  'a duration outside its limits: says the limits': [upToADay, '2s1ms25h', 'from 1s to 24h'],
};

it.each(Object.entries(messages))('message for %s', (_name, [parser, text, part]) => {
  expect(parser(text)).toStrictEqual({ problem: expect.stringContaining(part) });
});
