import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { canonicalHost, canonicalPath, checkMethod, isMethodToken } from '../../../src/policy/path.ts';

const refused = 'request_malformed';

/** The value, or the reason why there is none. */
function outcome(step: string | Stop): string {
  return step instanceof Stop ? step.reason : step;
}

describe('canonicalPath', () => {
  const kept: Readonly<Record<string, string>> = {
    '/': '/',
    '/api/orders': '/api/orders',
    '/a/': '/a/',
    '/A/b': '/A/b',
    '/a.b/c..d/e.': '/a.b/c..d/e.',
    '/.well-known/jwks.json': '/.well-known/jwks.json',
    '/...': '/...',
    '/..a/.b': '/..a/.b',
    "/-._~!$&'()*+,=:@": "/-._~!$&'()*+,=:@",
    '/{a}|"^`<>[]': '/{a}|"^`<>[]',
  };
  it.each(Object.entries(kept))('plain path %s: unchanged', (target, expected) => {
    expect(outcome(canonicalPath(target, 'reject'))).toBe(expected);
  });

  const respelled: Readonly<Record<string, [string, string]>> = {
    'EA-64 query: cut off': ['/a?b=/../c#d', '/a'],
    'EA-64 query at once: cut off': ['/?', '/'],
    'EA-64 second question mark: part of the query': ['/a?b?c', '/a'],
    'EA-62 escaped letter: decoded': ['/%61%7a', '/az'],
    'EA-62 escaped unreserved marks: decoded': ['/x%2d%2E%5f%7E', '/x-._~'],
    'EA-62 other escapes: upper case': ['/a%c3%a9%3d%20', '/a%C3%A9%3D%20'],
    'EA-62 escaped percent: kept': ['/100%25', '/100%25'],
    'EA-61 percent escaped twice, of a letter: kept': ['/%2541', '/%2541'],
    'EA-61 escaped CR LF: kept escaped': ['/a%0d%0ab', '/a%0D%0Ab'],
    'EA-63 escaped semicolon: kept': ['/a%3bb', '/a%3Bb'],
  };
  it.each(Object.entries(respelled))('%s', (_name, [target, expected]) => {
    expect(outcome(canonicalPath(target, 'reject'))).toBe(expected);
  });

  const malformed: Readonly<Record<string, string>> = {
    'EA-51 empty': '',
    'EA-51 empty before the query': '?a=b',
    'EA-61 asterisk form': '*',
    'EA-61 no slash': 'a/b',
    'EA-61 absolute form': 'http://a.test/',
    'EA-61 empty segment': '/a//b',
    'EA-61 empty segment at the start': '//a',
    'EA-61 empty segment at the end': '/a//',
    'EA-61 backslash': '/a\\b',
    'EA-61 fragment': '/a#b',
    'EA-61 dot': '/a/./b',
    'EA-61 dot at the end': '/a/.',
    'EA-61 two dots': '/a/../b',
    'EA-61 two dots at the end': '/a/..',
    'EA-61 escaped dots': '/a/%2e%2E/b',
    'EA-61 half escaped dots': '/a/.%2e/b',
    'EA-61 one escaped dot': '/%2e',
    'EA-61 dots before an escaped parameter': '/a/..%3bx/b',
    'EA-61 escaped slash': '/a%2fb',
    'EA-61 escaped slash in upper case': '/a%2Fb',
    'EA-61 escaped backslash': '/a%5cb',
    'EA-61 escaped NUL': '/a%00',
    'EA-61 percent at the end': '/a%',
    'EA-61 one digit': '/a%4',
    'EA-61 no digits': '/a%zz',
    'EA-61 percent before an escape': '/a%%32e',
    'EA-61 dot escaped twice': '/a/%252e%252e/b',
    'EA-61 slash escaped twice': '/a%252Fb',
    'EA-61 backslash escaped twice': '/a%255cb',
    'EA-61 slash escaped three times': '/a%25252fb',
    'EA-61 dot escaped twice, its digits escaped': '/a/%25%32%65/b',
    'EA-61 space': '/a b',
    'EA-61 tab': '/a\tb',
    'EA-61 NUL': '/a\0',
    'EA-61 line break': '/a\n',
    'EA-61 DEL': '/a\x7f',
    'EA-61 byte outside ASCII': '/caf\xe9',
    'EA-61 no-break space': '/a\xa0',
    'EA-63 parameter': '/a;x=1',
    'EA-63 parameter in the middle': '/a;x=1/b',
    'EA-63 semicolon alone': '/;',
  };
  it.each(Object.entries(malformed))('%s: request_malformed', (_name, target) => {
    expect(outcome(canonicalPath(target, 'reject'))).toBe(refused);
  });

  const withParameters: Readonly<Record<string, [string, string]>> = {
    'EA-63 parameter, kept: part of the segment': ['/a;x=1/b', '/a;x=1/b'],
    'EA-63 parameter, kept: escapes in it are canonical too': ['/a;%78=%3d', '/a;x=%3D'],
    'EA-61 two dots before a parameter: refused': ['/a/..;/b', refused],
    'EA-61 escaped dots before a parameter: refused': ['/a/%2e%2e;x/b', refused],
    'EA-61 dot before a parameter: refused': ['/a/.;x', refused],
    'EA-61 segment of parameters alone: refused like an empty one': ['/a/;x/b', refused],
  };
  it.each(Object.entries(withParameters))('%s', (_name, [target, expected]) => {
    expect(outcome(canonicalPath(target, 'keep'))).toBe(expected);
  });

  const piece = fc.constantFrom(
    '/',
    '/',
    '.',
    '..',
    'a',
    'B',
    '%',
    '%2',
    '%2e',
    '%2F',
    '%25',
    '%61',
    '5c',
    '32',
    '65',
    ';',
    '?',
    '\\',
    '\xe9',
    '%3B',
    ' ',
    '{x}',
    '*',
  );
  const target = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
  const mode = fc.constantFrom('reject' as const, 'keep' as const);

  it('any target: a canonical path is its own canonical path', () => {
    fc.assert(
      fc.property(target, mode, (raw, pathParameters) => {
        const path = canonicalPath(raw, pathParameters);
        if (path instanceof Stop) return;
        expect(canonicalPath(path, pathParameters)).toBe(path);
      }),
      { numRuns: 5000 },
    );
  });

  it('EA-61 any target: what a backend may decode or normalise further is never accepted', () => {
    fc.assert(
      fc.property(target, mode, (raw, pathParameters) => {
        const path = canonicalPath(raw, pathParameters);
        if (path instanceof Stop) return;
        expect(path).not.toMatch(/\/\/|[^\x21-\x7e]|[\\#?]|%(?![0-9A-F]{2})|%2F|%5C|%00/);
        if (pathParameters === 'reject') expect(path).not.toContain(';');
        const decoded = path.replaceAll(/%([0-9A-F]{2})/g, (_escape, digits: string) =>
          String.fromCharCode(Number.parseInt(digits, 16)),
        );
        for (const segment of decoded.split('/')) expect(['.', '..']).not.toContain(segment.split(';')[0]);
        // Unreserved characters have one spelling.
        for (const [, digits] of path.matchAll(/%([0-9A-F]{2})/g)) {
          expect(String.fromCharCode(Number.parseInt(digits ?? '', 16))).not.toMatch(/[A-Za-z0-9._~-]/);
        }
      }),
      { numRuns: 5000 },
    );
  });

  // Quadratic time would take minutes and run into the limit of a test.
  it.each([
    ['backslash at the end', `/${'a'.repeat(1_000_000)}\\`],
    ['semicolon at the end', `/${'a/'.repeat(500_000)};`],
    ['dots', `/${'.'.repeat(1_000_000)}/..`],
    ['percent at the end', `/${'%61'.repeat(300_000)}%`],
    ['escaped percents', `/${'%25'.repeat(300_000)}%`],
  ])('a long path with %s: refused in linear time', (_name, raw) => {
    expect(outcome(canonicalPath(raw, 'reject'))).toBe(refused);
  });
});

describe('canonicalHost', () => {
  const cases: Readonly<Record<string, [string, string]>> = {
    'EA-48 name: as it is': ['orders.example.com', 'orders.example.com'],
    'EA-48 upper case: lower case': ['Orders.EXAMPLE.com', 'orders.example.com'],
    'EA-48 port: stripped': ['a.test:8443', 'a.test'],
    'EA-48 trailing dot: stripped': ['a.test.', 'a.test'],
    'EA-48 trailing dot and port: stripped': ['a.test.:443', 'a.test'],
    'EA-48 single label: kept': ['localhost:10000', 'localhost'],
    'EA-48 underscore: kept': ['my_svc.test', 'my_svc.test'],
    'EA-48 IPv4: kept': ['127.0.0.1:80', '127.0.0.1'],
    'EA-48 IPv6: brackets kept, port stripped': ['[::1]:9001', '[::1]'],
    'EA-48 IPv6 in a long form: shortest form': ['[2001:DB8:0:0::0001]', '[2001:db8::1]'],
    'EA-48 empty: refused': ['', refused],
    'EA-48 dot alone: refused': ['.', refused],
    'EA-48 port alone: refused': [':80', refused],
    'EA-48 two hosts: refused': ['a.test,b.test', refused],
    'EA-48 user: refused': ['user@a.test', refused],
    'EA-48 space: refused': ['a.test b', refused],
    'EA-48 outer space: refused': [' a.test', refused],
    'EA-48 tab: refused': ['a\t.test', refused],
    'EA-48 line break at the end: refused': ['a.test\n', refused],
    'EA-48 NUL: refused': ['a.test\0', refused],
    'EA-48 byte outside ASCII: refused': ['b\xfccher.test', refused],
    'EA-48 Kelvin sign, whose lower case is k: refused': ['\u212a.test', refused],
    'EA-48 slash: refused': ['a.test/b', refused],
    'EA-48 backslash: refused': ['a.test\\b', refused],
    'EA-48 question mark: refused': ['a.test?b', refused],
    'EA-48 fragment: refused': ['a.test#b', refused],
    'EA-48 double quote: refused': ['"a.test"', refused],
    'EA-48 single quote: refused': ["a'.test", refused],
    'EA-48 percent: refused': ['a%2etest', refused],
    'EA-48 star: refused': ['*.test', refused],
    'EA-48 empty port: refused': ['a.test:', refused],
    'EA-48 port of letters: refused': ['a.test:http', refused],
    'EA-48 two ports: refused': ['a.test:80:90', refused],
    'EA-48 IPv6 without brackets: refused': ['::1', refused],
    'EA-48 IPv6 unclosed: refused': ['[::1', refused],
    'EA-48 IPv6 with text behind: refused': ['[::1]a', refused],
    'EA-48 IPv6 ill-formed: refused': ['[1:2:3]', refused],
    'EA-48 IPv6 zone: refused': ['[fe80::1%25eth0]', refused],
    'EA-48 empty label: refused': ['a..test', refused],
    'EA-48 leading dot: refused': ['.shop.test', refused],
    'EA-48 two trailing dots: refused': ['a.test..', refused],
    'EA-48 longer than any name: refused': [`${'a.'.repeat(130)}test`, refused],
  };
  it.each(Object.entries(cases))('%s', (_name, [raw, expected]) => {
    expect(outcome(canonicalHost(raw))).toBe(expected);
  });

  it('any text: a canonical host is its own canonical host', () => {
    const text = fc.array(fc.constantFrom('a', 'B', '.', ':', '[', ']', '1', '::', '80', '@', ',', ' ', '-'), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, (pieces) => {
        const host = canonicalHost(pieces.join(''));
        if (host instanceof Stop) return;
        expect(canonicalHost(host)).toBe(host);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('checkMethod', () => {
  const cases: Readonly<Record<string, [string, string]>> = {
    'GET: kept': ['GET', 'GET'],
    'EA-49 lower case: another method, kept': ['get', 'get'],
    'EA-49 unknown: kept': ['FOO-bar', 'FOO-bar'],
    'EA-51 CONNECT: refused': ['CONNECT', refused],
    'EA-49 empty: refused': ['', refused],
    'EA-49 space: refused': ['GET /', refused],
    'EA-49 line break: refused': ['GET\n', refused],
    'EA-49 byte outside ASCII: refused': ['G\xcbT', refused],
  };
  it.each(Object.entries(cases))('%s', (_name, [method, expected]) => {
    expect(outcome(checkMethod(method))).toBe(expected);
  });

  it('RFC 9110 token characters: all are taken, separators are not', () => {
    expect(isMethodToken("!#$%&'*+-.^_`|~09azAZ")).toBe(true);
    for (const separator of '()<>@,;:\\"/[]?={} \t') expect(isMethodToken(`A${separator}`), separator).toBe(false);
  });
});
