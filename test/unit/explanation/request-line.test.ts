import { expect, it } from 'vitest';
import { parseHeaderLine, parseRequestLine, requestAttributes } from '../../../src/explanation/request-line.ts';

const lines: Record<string, [line: string, parsed: unknown]> = {
  'method, host and path': ['GET https://a.test/b', { method: 'GET', host: 'a.test', target: '/b' }],
  'http, port and query': ['get http://a.test:8080/b?c=d', { method: 'get', host: 'a.test:8080', target: '/b?c=d' }],
  'no path': ['GET https://a.test', { method: 'GET', host: 'a.test', target: '/' }],
  'no path and a query': ['GET https://a.test?c', { method: 'GET', host: 'a.test', target: '/?c' }],
  'what a check will refuse: kept': [
    'G@T HTTPS://ada@A.test//b/../c d;e',
    { method: 'G@T', host: 'ada@A.test', target: '//b/../c d;e' },
  ],
  'spaces around': ['  GET   https://a.test/b \n', { method: 'GET', host: 'a.test', target: '/b' }],
  'a fragment': ['GET https://a.test/b#c', expect.stringContaining('fragment')],
  'no method': ['https://a.test/b', expect.stringContaining('expected a method')],
  'no host': ['GET https:///b', expect.stringContaining('expected a method')],
  'another scheme': ['GET ftp://a.test/b', expect.stringContaining('expected a method')],
};

it.each(Object.entries(lines))('%s', (_name, [line, parsed]) => {
  expect(parseRequestLine(line)).toEqual(parsed);
});

const headers: Record<string, [line: string, parsed: unknown]> = {
  'name and value': ['X-A: b: c ', ['x-a', 'b: c']],
  'an empty value': ['x-a:', ['x-a', '']],
  'a pseudo-header': [':path: /b', 'expected "name: value"'],
  'no colon': ['x-a b', 'expected "name: value"'],
  'a space before the colon': ['x a: b', 'expected "name: value"'],
};

it.each(Object.entries(headers))('a header, %s', (_name, [line, parsed]) => {
  expect(parseHeaderLine(line)).toEqual(parsed);
});

it('EA-13, EA-40 as Envoy tells of it: values apart, Authorization joined, underscore names known', () => {
  const line = { method: 'GET', host: 'a.test', target: '/é' };
  const { headers: sent, path } = requestAttributes(line, [
    ['x-a', '1'],
    ['x_b', '2'],
    ['x-a', '3'],
    ['authorization', 'Bearer a'],
    ['authorization', 'Bearer b'],
  ]);
  expect([sent.values('x-a'), sent.values('authorization'), sent.values('x-c')]).toEqual([
    ['1', '3'],
    ['Bearer a,Bearer b'],
    [],
  ]);
  expect([sent.underscoreNames, path]).toEqual([['x_b'], '/\u00c3\u00a9']);
});
