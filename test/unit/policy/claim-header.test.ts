import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { claimHeaders, claimHeaderValue } from '../../../src/policy/claim-header.ts';
import type { ClaimFormat, ClaimHeader } from '../../../src/policy/snapshot.ts';

function header(claim: readonly string[], format: ClaimFormat = 'csv', required = false): ClaimHeader {
  return { name: 'x-a', claim, format, required };
}

/** Claims come out of JSON.parse, which makes `__proto__` an own member. */
function parse(json: string): Record<string, unknown> {
  const claims: Record<string, unknown> = JSON.parse(json);
  return claims;
}

/** The value, `null` when the header is removed, or the reason to refuse. */
function outcome(json: string, format: ClaimFormat = 'csv', claim: readonly string[] = ['a']): string | null {
  const value = claimHeaderValue(header(claim, format), parse(json));
  return value instanceof Stop ? value.reason : (value ?? null);
}

describe('claimHeaderValue', () => {
  const texts: Readonly<Record<string, [json: string, value: string | null]>> = {
    'plain text: as it is': ['{"a":"ada"}', 'ada'],
    'scopes: spaces kept': ['{"a":"orders:read orders:write"}', 'orders:read orders:write'],
    'comma in a text: kept': ['{"a":"Lovelace, Ada"}', 'Lovelace, Ada'],
    'outer spaces: trimmed': ['{"a":"  ada  "}', 'ada'],
    'spaces alone: removed': ['{"a":"   "}', null],
    'outer tab: encoded and not trimmed': ['{"a":"\\tada"}', '%09ada'],
    'EA-17 CR LF: encoded': ['{"a":"a\\r\\nx-admin: 1"}', 'a%0D%0Ax-admin: 1'],
    'EA-17 NUL and DEL: encoded': ['{"a":"a\\u0000\\u007f"}', 'a%00%7F'],
    'EA-17 percent: encoded': ['{"a":"100%"}', '100%25'],
    'EA-17 percent that looks like an escape: encoded': ['{"a":"%41"}', '%2541'],
    'EA-17 beyond ASCII: UTF-8, encoded': ['{"a":"Zoë"}', 'Zo%C3%AB'],
    'EA-17 beyond the first plane: UTF-8, encoded': ['{"a":"a😀"}', 'a%F0%9F%98%80'],
    'no-break space at the end: encoded and not trimmed': ['{"a":"a\\u00a0"}', 'a%C2%A0'],
    'number: its JSON text': ['{"a":12.50}', '12.5'],
    'zero: not absent': ['{"a":0}', '0'],
    'false: not absent': ['{"a":false}', 'false'],
    'true: its JSON text': ['{"a":true}', 'true'],
    'whole number past 2^53: removed, its neighbours have the same text': ['{"a":9007199254740993}', null],
    'number that overflows: removed': ['{"a":1e400}', null],
    'absent: removed': ['{"b":"x"}', null],
    'null: removed': ['{"a":null}', null],
    'empty text: removed': ['{"a":""}', null],
    'empty list: removed': ['{"a":[]}', null],
    'list of empty texts: removed': ['{"a":[""," "]}', null],
    'list with an empty text: its place is kept': ['{"a":["","b"]}', ',b'],
    'object under csv: removed': ['{"a":{"b":1}}', null],
    'list: joined by commas': ['{"a":["admin","ops"]}', 'admin,ops'],
    'EA-17 list: comma, space and percent in items encoded': ['{"a":["a,b","c d","50%"]}', 'a%2Cb,c%20d,50%25'],
    'list: items trimmed': ['{"a":[" a ","b"]}', 'a,b'],
    'list of numbers and booleans: their JSON text': ['{"a":[1,true]}', '1,true'],
    'list that holds a list: removed': ['{"a":["b",["c"]]}', null],
    'list that holds null: removed': ['{"a":["b",null]}', null],
    'JWT-15 lone surrogate: claim_invalid': ['{"a":"\\ud800"}', 'claim_invalid'],
    'JWT-15 lone surrogate in a list: claim_invalid': ['{"a":["b","\\udc00"]}', 'claim_invalid'],
    'JWT-15 lone surrogate in a claim that is not used: ignored': ['{"a":"ada","b":"\\ud800"}', 'ada'],
    'EA-17 4096 bytes: set': [`{"a":"${'x'.repeat(4096)}"}`, 'x'.repeat(4096)],
    'EA-17 4097 bytes: claim_header_refused': [`{"a":"${'x'.repeat(4097)}"}`, 'claim_header_refused'],
    'EA-17 over 4 KiB only when encoded: claim_header_refused': [`{"a":"${'ë'.repeat(700)}"}`, 'claim_header_refused'],
  };
  it.each(Object.entries(texts))('%s', (_name, [json, value]) => {
    expect(outcome(json)).toBe(value);
  });

  const jsons: Readonly<Record<string, [json: string, value: string | null]>> = {
    'object: its JSON text': ['{"a":{"b":[1,"c d"]}}', '{"b":[1,"c d"]}'],
    'text: quoted': ['{"a":" ada "}', '" ada "'],
    'beyond ASCII and percent: encoded': ['{"a":{"b":"ë%"}}', '{"b":"%C3%AB%25"}'],
    'line break: escaped by JSON': ['{"a":"a\\nb"}', '"a\\nb"'],
    'absent: removed': ['{}', null],
    'null: removed': ['{"a":null}', null],
    'empty object: removed': ['{"a":{}}', null],
    'JWT-15 lone surrogate deep inside: claim_invalid': ['{"a":{"b":[{"c":"\\udfff"}]}}', 'claim_invalid'],
    'JWT-15 lone surrogate in a member name: claim_invalid': ['{"a":{"\\ud800":1}}', 'claim_invalid'],
    'number past 2^53: removed': ['{"a":9007199254740993}', null],
    'number past 2^53 inside an object: removed': ['{"a":{"id":9007199254740993}}', null],
    'number that overflows inside a list: removed': ['{"a":[{"z":1e400}]}', null],
  };
  it.each(Object.entries(jsons))('json of %s', (_name, [json, value]) => {
    expect(outcome(json, 'json')).toBe(value);
  });

  it('base64json: base64url of the UTF-8 JSON text without padding', () => {
    const value = outcome('{"a":{"b":"ë?>~"}}', 'base64json') ?? '';
    expect(value).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(JSON.parse(Buffer.from(value, 'base64url').toString('utf8'))).toEqual({ b: 'ë?>~' });
  });

  const paths: Readonly<Record<string, [json: string, path: readonly string[], value: string | null]>> = {
    'member of a member': ['{"realm_access":{"roles":["a"]}}', ['realm_access', 'roles'], 'a'],
    'member with a dot in its name': ['{"https://acme.com/roles":["a"]}', ['https://acme.com/roles'], 'a'],
    'path through a text: removed': ['{"a":"xyz"}', ['a', 'length'], null],
    'path into a list: removed': ['{"a":["x"]}', ['a', '0'], null],
    'length of a list: removed': ['{"a":["x"]}', ['a', 'length'], null],
    'path through null: removed': ['{"a":null}', ['a', 'b'], null],
    'JWT-14 inherited member: removed': ['{}', ['constructor', 'name'], null],
    'JWT-14 member of an own __proto__: not inherited': ['{"__proto__":{"a":"admin"}}', ['a'], null],
    'JWT-14 toString: removed': ['{}', ['toString'], null],
    'the claim `scope` is the raw one': ['{"scope":"a b","scp":["c"]}', ['scope'], 'a b'],
  };
  it.each(Object.entries(paths))('%s', (_name, [json, path, value]) => {
    expect(outcome(json, 'csv', path)).toBe(value);
  });

  it('JWT-14 members of a prototype: no claims', () => {
    const claims: Record<string, unknown> = Object.create({ a: 'admin', b: { c: 'admin' } });
    expect(claimHeaderValue(header(['a']), claims)).toBeUndefined();
    expect(claimHeaderValue(header(['b', 'c']), claims)).toBeUndefined();
  });

  it.each(['{}', '{"a":null}', '{"a":""}', '{"a":[]}', '{"a":" "}', '{"a":{"b":1}}'])(
    'required header without a value, claims %s: claim_header_refused',
    (json) => {
      const value = claimHeaderValue(header(['a'], 'csv', true), parse(json));
      expect(value).toMatchObject({ reason: 'claim_header_refused' });
    },
  );

  it('EA-17 any text: %x20-7E without outer spaces, and it can be undone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const value = claimHeaderValue(header(['a']), { a: text });
        if (value instanceof Stop) return expect(text.isWellFormed()).toBe(false);
        expect(value ?? '').toMatch(/^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/);
        expect(decodeURIComponent(value ?? '')).toBe(text.replace(/^ +| +$/g, ''));
      }),
      { numRuns: 2000 },
    );
  });

  it('EA-17 any list of texts: the items can be told apart again', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 6 }), { minLength: 2, maxLength: 4 }), (items) => {
        const value = claimHeaderValue(header(['a']), { a: items });
        const isRemoved = items.every((item) => /^ *$/.test(item));
        if (typeof value !== 'string') {
          expect(isRemoved || !items.join('').isWellFormed()).toBe(true);
          return;
        }
        expect(isRemoved).toBe(false);
        expect(value.split(',').map(decodeURIComponent)).toEqual(items.map((item) => item.replace(/^ +| +$/g, '')));
      }),
    );
  });

  it('a long run of inner spaces: refused in linear time', () => {
    // Quadratic time would take minutes and run into the limit of a test.
    expect(outcome(JSON.stringify({ a: `x${' '.repeat(1_000_000)}x` }))).toBe('claim_header_refused');
  });
});

describe('claimHeaders', () => {
  const long = { name: 'x-a', claim: ['a'], format: 'csv', required: false } as const;

  it('headers with and without a value: those with one, in order', () => {
    const headers: readonly ClaimHeader[] = ['b', 'c', 'a'].map((name) => ({
      name: `x-${name}`,
      claim: [name],
      format: 'csv',
      required: false,
    }));
    expect(claimHeaders(headers, { a: '1', b: '2' })).toEqual([
      ['x-b', '2'],
      ['x-a', '1'],
    ]);
  });

  it('EA-17 16 KiB in all: set; one byte more: claim_header_refused', () => {
    const claims = { a: 'x'.repeat(4096), b: 'x' };
    const four = Array.from({ length: 4 }, () => long);
    expect(claimHeaders(four, claims)).toHaveLength(4);
    expect(claimHeaders([...four, { ...long, claim: ['b'] }], claims)).toMatchObject({
      reason: 'claim_header_refused',
    });
  });

  it('one header is refused: so is the request, whatever the others are', () => {
    const headers = [long, { ...long, name: 'x-b', claim: ['b'], required: true }];
    expect(claimHeaders(headers, { a: '1' })).toMatchObject({
      reason: 'claim_header_refused',
      detail: 'header x-b has no value',
    });
  });
});
