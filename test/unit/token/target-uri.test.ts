import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeTarget } from '../../../src/token/target-uri.ts';

const spellings: Record<string, readonly [uri: string, expected: string | undefined]> = {
  'DP-09 scheme and host in capitals: small': ['HTTPS://Orders.EXAMPLE.com/A', 'https://orders.example.com/A'],
  'DP-09 no path: a slash': ['https://a', 'https://a/'],
  'DP-09 the default port: dropped': ['https://a:443/', 'https://a/'],
  'DP-09 the default port of the other scheme: kept': ['https://a:80/', 'https://a:80/'],
  'DP-09 an empty port: dropped': ['https://a:/', 'https://a/'],
  'DP-09 the default port with zeros: dropped': ['https://a:0443/', 'https://a/'],
  'DP-09 another port with zeros: without': ['https://a:08443/', 'https://a:8443/'],
  'DP-09 query and fragment: not part of it': ['https://a/b?c=/d#e', 'https://a/b'],
  'DP-09 a fragment alone: not part of it': ['https://a/b#c?d', 'https://a/b'],
  'DP-09 a query right behind the host: a slash': ['https://a?b', 'https://a/'],
  'DP-09 unreserved characters as escapes: decoded': ['https://a/%41%2d%7E', 'https://a/A-~'],
  'DP-09 other escapes: upper case, and not decoded': ['https://a/%2f%3a%c3%a9', 'https://a/%2F%3A%C3%A9'],
  'DP-09 an escaped percent sign: stays one': ['https://a/%252e%252e/b', 'https://a/%252e%252e/b'],
  'DP-09 dot segments: resolved': ['https://a/b/./c/../d', 'https://a/b/d'],
  'DP-09 escaped dots: resolved': ['https://a/b/%2e%2E/c', 'https://a/c'],
  'DP-09 dots at the end: a slash': ['https://a/b/..', 'https://a/'],
  'DP-09 more dots than segments: the root': ['https://a/../../b', 'https://a/b'],
  'DP-09 empty segments: kept': ['https://a//b/', 'https://a//b/'],
  'DP-09 IPv6': ['https://[2001:DB8::1]:443/', 'https://[2001:db8::1]/'],
  'another scheme: none': ['ftp://a/', undefined],
  'a scheme alone: none': ['https:/a', undefined],
  'no host: none': ['https:///b', undefined],
  'a relative reference: none': ['//a/b', undefined],
  'credentials: none': ['https://a@b/', undefined],
  'a host that ends in another: none': ['https://a:b@c/', undefined],
  'a backslash for a slash: none': ['https://a\\b/c', undefined],
  'a backslash in the path: none': ['https://a/b\\c', undefined],
  'an escape in the host: none': ['https://%61/', undefined],
  'a bad escape: none': ['https://a/%4', undefined],
  'a blank: none': ['https://a/b c', undefined],
  'a tab, which URL parsers drop: none': ['https://a/b\tc', undefined],
  'a newline at the end: none': ['https://a/b\n', undefined],
  'a letter that is no ASCII: none': ['https://a/é', undefined],
  'a port that is no number: none': ['https://a:b/', undefined],
  'a port that there is not: none': ['https://a:65536/', undefined],
  'a text: none': ['', undefined],
};

it.each(Object.entries(spellings))('%s', (_name, [uri, expected]) => {
  expect(normalizeTarget(uri)).toBe(expected);
});

/** No punycode, which a URL parser would look into, and no number at the end, which it would take for an address. */
const label = fc.stringMatching(/^[a-z0-9]{1,5}(-[a-z0-9]{1,3})?$/);
const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => `${labels.join('.')}.test`);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const plainSegment = fc.stringMatching(/^[A-Za-z0-9~_-]{0,6}$/);
const segment = fc.oneof(plainSegment, fc.constantFrom('.', '..', '', '...', '%2F', '%C3%A9'));
const ordinary = fc
  .tuple(fc.constantFrom('http', 'https'), host, port, fc.array(segment, { maxLength: 8 }))
  .map(([scheme, name, number, path]) => {
    const at = number === undefined ? '' : `:${number}`;
    return `${scheme}://${name}${at}/${path.join('/')}`;
  });

describe('every URI', () => {
  it('DP-09 an ordinary one: what a URL parser makes of it', () => {
    fc.assert(
      fc.property(ordinary, (uri) => {
        expect(normalizeTarget(uri)).toBe(new URL(uri).href);
      }),
      { numRuns: 2000 },
    );
  });

  it('DP-09 normalized twice: the same as once, whatever it was', () => {
    const character = fc.constantFrom(...'aA0.-~/%24eEfF:?#@[]\\;=&+'.split(''));
    const wild = fc.string({ unit: character, maxLength: 24 }).map((text) => `hTTp://h${text}`);
    fc.assert(
      fc.property(wild, (uri) => {
        const once = normalizeTarget(uri);
        fc.pre(once !== undefined);
        expect(normalizeTarget(once)).toBe(once);
      }),
      { numRuns: 10_000 },
    );
  });

  it('any text at all: a URI without blanks, query and fragment, or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(normalizeTarget(`https://h/${text}`) ?? 'https://h/').toMatch(/^https:\/\/h\/[!-~]*$/);
        expect(normalizeTarget(text) ?? '').not.toMatch(/[?#\s]/);
      }),
      { numRuns: 5000 },
    );
  });
});
