import { describe, expect, it } from 'vitest';
import { createNonceSealer } from '../../../src/token/dpop-nonce.ts';
import { readNonceKeys } from '../../../src/token/nonce-keys.ts';

const now = 1_790_000_000_500;
const [oldKey, newKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const sealer = createNonceSealer([oldKey]);

const ages: Record<string, readonly [ageMs: number, expected: string]> = {
  'DP-10 just given: fresh': [0, 'fresh'],
  'DP-10 half of its time: fresh': [149_000, 'fresh'],
  'DP-15 past half of its time: ageing': [151_000, 'ageing'],
  'DP-10 almost five minutes: ageing': [299_000, 'ageing'],
  'DP-10 past five minutes: stale': [301_000, 'stale'],
  'DP-10 of a replica whose clock is ahead: fresh': [-9000, 'fresh'],
  'DP-10 of the future: stale': [-12_000, 'stale'],
};

it.each(Object.entries(ages))('%s', (_name, [ageMs, expected]) => {
  expect(sealer.judge(sealer.issue(now - ageMs), now)).toBe(expected);
});

describe('what is no nonce of ours', () => {
  const good = sealer.issue(now);
  const bytes = Buffer.from(good, 'base64url');
  const changed = (at: number): string => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy.toString('base64url');
  };

  it.each([...bytes.keys()])('DP-10 byte %i changed: stale', (at) => {
    expect(sealer.judge(changed(at), now)).toBe('stale');
  });

  it.each(['', 'AAAA', `${good}A`, `${good}=`, good.slice(1), `${good.slice(0, -1)}_`, ` ${good}`, '\u0000'])(
    'DP-10 %j: stale',
    (nonce) => {
      expect(sealer.judge(nonce, now)).toBe('stale');
    },
  );

  it('DP-10 of another key: stale', () => {
    expect(createNonceSealer([newKey]).judge(good, now)).toBe('stale');
  });

  it('DP-15 its characters are NQCHAR', () => {
    expect(good).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
  });
});

it('DP-15 keys are exchanged: the first seals, all of them open', () => {
  const [before, during, after] = [[oldKey, newKey], [newKey, oldKey], [newKey]].map((keys) =>
    createNonceSealer([keys[0] ?? oldKey, ...keys.slice(1)]),
  );
  const [first, second] = [before?.issue(now) ?? '', during?.issue(now) ?? ''];
  expect(first).not.toBe(second);
  expect([before, during].flatMap((one) => [one?.judge(first, now), one?.judge(second, now)])).toEqual(
    Array(4).fill('fresh'),
  );
  expect([after?.judge(first, now), after?.judge(second, now)]).toEqual(['stale', 'fresh']);
});

describe('a file of keys', () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index));
  const files: Record<string, readonly [text: string, expected: readonly Buffer[] | string]> = {
    'one in hex': [`${key.toString('hex')}\n`, [key]],
    'one in capital hex': [key.toString('hex').toUpperCase(), [key]],
    'one in base64, as openssl writes it': [`${key.toString('base64')}\n`, [key]],
    'one in base64url': [key.toString('base64url'), [key]],
    'two, with empty lines and CR LF': [
      `\r\n${key.toString('hex')}\r\n\r\n${oldKey.toString('hex')}\r\n`,
      [key, oldKey],
    ],
    'a text that could be both: hex': ['ab'.repeat(32), [Buffer.alloc(32, 0xab)]],
    'no line: a reason': ['\n \n', 'holds no key'],
    '31 bytes: a reason': [`${key.toString('hex')}\n${'00'.repeat(31)}\n`, 'key 2 is shorter than 32 bytes'],
    'half a byte of hex too few, which base64 would take: a reason': ['abc', 'key 1 is shorter than 32 bytes'],
    'a password: a reason without it': ['correct horse battery staple', 'key 1 is neither hex nor base64'],
    'nine keys: a reason': [`${key.toString('hex')}\n`.repeat(9), 'holds more than 8 keys'],
  };

  it.each(Object.entries(files))('%s', (_name, [text, expected]) => {
    expect(readNonceKeys(text)).toEqual(expected);
  });
});
