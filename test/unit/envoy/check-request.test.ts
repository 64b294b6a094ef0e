import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { readCheckRequest } from '../../../src/envoy/check-request.ts';
import { encodeCheckRequest } from '../../support/proto-types.ts';

interface Http {
  method?: string;
  path?: string;
  host?: string;
  headers?: Record<string, string>;
  header_map?: { headers: { key: string; value?: string; raw_value?: Buffer }[] };
}

function encode(http: Http, source?: { certificate: string }): Buffer {
  return encodeCheckRequest({ attributes: { source, request: { http } } });
}

function read(bytes: Uint8Array) {
  const step = readCheckRequest(bytes);
  if (step instanceof Stop) throw new Error(`refused: ${step.detail}`);
  return step;
}

describe('readCheckRequest', () => {
  it('method, path, host and certificate: as sent', () => {
    const http = { method: 'GET', path: '/a?b=c', host: 'Example.com:8080' };
    expect(read(encode(http, { certificate: '-----BEGIN%20' }))).toMatchObject({
      ...http,
      certificate: '-----BEGIN%20',
    });
  });

  it('EA-40 headers as a map: one value a name', () => {
    const { headers } = read(encode({ headers: { authorization: 'Bearer a', 'x-user': 'c1,c2', x_user: 'd' } }));
    expect(headers.values('authorization')).toEqual(['Bearer a']);
    expect(headers.values('x-user')).toEqual(['c1,c2']);
    expect(headers.values('absent')).toEqual([]);
    expect(headers.underscoreNames).toEqual(['x_user']);
  });

  it('EA-41 header_map: every entry, raw_value read as bytes, and the map ignored', () => {
    const { headers } = read(
      encode({
        headers: { authorization: 'Bearer forged' },
        header_map: {
          headers: [
            { key: 'x-user', raw_value: Buffer.from('c1') },
            { key: 'x-user', raw_value: Buffer.from('c2') },
            { key: 'x-name', raw_value: Buffer.from('Zoë') },
            { key: 'x-bad', raw_value: Buffer.from([0x61, 0xff]) },
            { key: 'x-value', value: 'v' },
          ],
        },
      }),
    );
    expect(headers.values('x-user')).toEqual(['c1', 'c2']);
    expect(headers.values('x-name')).toEqual(['Zoë']);
    expect(headers.values('x-bad')).toEqual([undefined]);
    expect(headers.values('x-value')).toEqual(['v']);
    expect(headers.values('authorization')).toEqual([]);
  });

  it('EA-42 __proto__ and constructor as header names: headers like any other', () => {
    const { headers } = read(encode({ header_map: { headers: [{ key: '__proto__', value: 'a' }] } }));
    expect(headers.values('__proto__')).toEqual(['a']);
    expect(headers.values('constructor')).toEqual([]);
  });

  it('a path that is no UTF-8: kept as Latin-1, so that it can be refused', () => {
    const bytes = encode({ path: '/a~b' });
    bytes[bytes.indexOf('~')] = 0xe9;
    expect(read(bytes).path).toBe('/a\u00e9b');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['attributes without a request', Buffer.from([0x0a, 0])],
    ['a length past the end', Buffer.from([0x0a, 5, 1])],
    ['an unfinished tag', Buffer.from([0xff])],
    ['field number 0', Buffer.from([0x02, 0])],
    ['a group', Buffer.from([0x0b, 0x0c])],
    ['a varint without end', Buffer.from([0x08, ...Array.from({ length: 11 }, () => 0xff)])],
    ['a length of 2^40', Buffer.from([0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20])],
  ])('%s: request_malformed', (_name, bytes) => {
    expect(readCheckRequest(bytes)).toMatchObject({ reason: 'request_malformed' });
  });

  it('fields that are not used, of every wire type: skipped', () => {
    const used = encode({ method: 'GET' });
    const unused = Buffer.from([0x78, 0x96, 0x01, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4, 0x7a, 1, 0xff]);
    expect(read(Buffer.concat([unused, used, unused])).method).toBe('GET');
  });

  it('any message: the same meaning as the reference codec gives it', () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });
    const http = fc.record(
      { method: text, path: text, host: text, headers: fc.dictionary(fc.stringMatching(/^[a-z_-]{1,20}$/), text) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(http, (given) => {
        const request = read(encode(given));
        expect(request).toMatchObject({ method: given.method ?? '', path: given.path ?? '', host: given.host ?? '' });
        for (const [name, value] of Object.entries(given.headers ?? {})) {
          expect(request.headers.values(name)).toEqual([value]);
        }
      }),
    );
  });

  it('any bytes, and any message with bytes changed: an answer, never an exception', () => {
    const message = encode({ method: 'GET', path: '/a', host: 'h', headers: { authorization: 'Bearer x', a: 'b' } });
    const changes = fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(changes, fc.nat(message.length), (edits, length) => {
        const bytes = Buffer.from(message.subarray(0, length));
        for (const [at, value] of edits) if (at < length) bytes[at] = value;
        const step = readCheckRequest(bytes);
        expect(step instanceof Stop ? step.reason : typeof step.method).toMatch(/request_malformed|string/);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readCheckRequest(bytes)));
  });
});
