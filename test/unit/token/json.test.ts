import { describe, expect, it } from 'vitest';
import { parseJsonObject } from '../../../src/token/json.ts';

const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
const members = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"m${at}":1`).join(',')}}`;

const refused: Record<string, { bytes: string | Buffer; fault: string }> = {
  'JWT-01 a member twice': { bytes: '{"a":1,"a":1}', fault: 'a member twice in one object' },
  'JWT-01 a member twice, one of them escaped': {
    bytes: '{"iss":1,"i\\u0073s":2}',
    fault: 'a member twice in one object',
  },
  'JWT-01 a member twice in a nested object': {
    bytes: '{"a":[{"b":{"c":1,"c":2}}]}',
    fault: 'a member twice in one object',
  },
  'JWT-01 a member twice behind a nested object': {
    bytes: '{"a":{"x":1},"b":[2],"a":3}',
    fault: 'a member twice in one object',
  },
  'JWT-01 a member twice behind a string full of brackets': {
    bytes: '{"a":"{[\\"}","b":1,"a":2}',
    fault: 'a member twice in one object',
  },
  'JWT-01 __proto__ twice': { bytes: '{"__proto__":1,"__proto__":2}', fault: 'a member twice in one object' },
  'JWT-13 33 levels': { bytes: nested(33), fault: 'nested deeper than 32' },
  'JWT-13 513 members': { bytes: members(513), fault: 'more than 512 members' },
  'JWT-02 an array': { bytes: '[]', fault: 'not a JSON object' },
  'JWT-02 null': { bytes: 'null', fault: 'not a JSON object' },
  'JWT-02 a string': { bytes: '"a"', fault: 'not a JSON object' },
  'not JSON': { bytes: '{"a":1,}', fault: 'not a JSON object' },
  'nothing at all': { bytes: '', fault: 'not a JSON object' },
  'JWS-10 a byte order mark': { bytes: '\ufeff{"a":1}', fault: 'not a JSON object' },
  'BCP-07 bytes that are no UTF-8': { bytes: Buffer.from('{"a":"\xff"}', 'latin1'), fault: 'not UTF-8' },
};

const accepted: Record<string, string> = {
  'one name in two objects': '{"a":{"x":1},"b":{"x":2}}',
  'a value that looks like a name': '{"a":"a","b":["a","a"]}',
  'names that differ in case': '{"a":1,"A":2}',
  'escaped quotes and backslashes': '{"a\\"b":"c\\\\","c":"\\\\\\""}',
  'JWT-13 32 levels': nested(32),
  'JWT-13 512 members': members(512),
  'an empty object with white space': ' { } ',
};

describe('parseJsonObject', () => {
  it.each(Object.entries(refused))('%s: refused', (_name, { bytes, fault }) => {
    expect(parseJsonObject(Buffer.from(bytes))).toBe(fault);
  });

  it.each(Object.entries(accepted))('%s: accepted', (_name, text) => {
    expect(parseJsonObject(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  it('JWT-14 __proto__: an own member, and no prototype', () => {
    const object = parseJsonObject(Buffer.from('{"__proto__":{"scope":"admin"}}'));
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(Object.keys(object)).toEqual(['__proto__']);
  });
});
