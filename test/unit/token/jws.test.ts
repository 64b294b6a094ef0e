import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { hasWellFormedSignature, parseJws } from '../../../src/token/jws.ts';

const part = (text: string): string => Buffer.from(text).toString('base64url');
const header = '{"alg":"ES256","kid":"k1","typ":"at+jwt"}';
const token = (head = header, payload = '{"iss":"a"}', signature = 'c2ln'): string =>
  `${part(head)}.${part(payload)}.${signature}`;

const malformed: Record<string, string> = {
  'JWS-01 two parts': 'e30.e30',
  'JWS-01 four parts': 'e30.e30.e30.e30',
  'JWT-11 a JWE': 'e30.e30.e30.e30.e30',
  'JWS-01 JSON serialization': '{"payload":"e30","protected":"e30","signature":"e30"}',
  'JWS-02 padding': `${part(header)}=.e30.c2ln`,
  'JWS-02 a newline': `${part(header)}\n.e30.c2ln`,
  'JWS-02 the other alphabet': `${part(header)}.+/+/.c2ln`,
  'JWS-02 a length no encoding has': `${part(header)}.e30e3.c2ln`,
  'JWS-02 trailing bits': `${part(header)}.e31.c2ln`,
  'JWS-01 an empty payload': `${part(header)}..c2ln`,
  'JWS-03 a header member twice': token('{"alg":"ES256","alg":"none"}'),
  'JWS-05 crit': token('{"alg":"ES256","crit":["exp"],"exp":1}'),
  'JWS-05 crit empty': token('{"alg":"ES256","crit":[]}'),
  'JWS-06 jku': token('{"alg":"ES256","jku":"https://a"}'),
  'JWS-06 jwk': token('{"alg":"ES256","jwk":{}}'),
  'JWS-06 x5u': token('{"alg":"ES256","x5u":"https://a"}'),
  'JWS-09 b64 false without crit': token('{"alg":"ES256","b64":false}'),
  'JWS-09 b64 true': token('{"alg":"ES256","b64":true}'),
  'BCP-06 zip': token('{"alg":"ES256","zip":"DEF"}'),
  'JWT-10 cty': token('{"alg":"ES256","cty":"JWT"}'),
  'JWS-10 a byte order mark': token(`\ufeff${header}`),
  'JWS-04 no alg': token('{"kid":"k1"}'),
  'JWS-04 alg a list': token('{"alg":["ES256"]}'),
  'JWS-07 kid a number': token('{"alg":"ES256","kid":1}'),
  'JWS-07 kid of 257 bytes': token(JSON.stringify({ alg: 'ES256', kid: 'k'.repeat(257) })),
  'JWS-10 typ a number': token('{"alg":"ES256","typ":1}'),
  'JWT-02 the payload an array': token(header, '[]'),
  'JWT-02 the payload null': token(header, 'null'),
  'JWT-01 a claim twice': token(header, '{"scope":"a","scope":"b"}'),
};

describe('parseJws', () => {
  it.each(Object.entries(malformed))('%s: token_malformed', (_name, text) => {
    expect(parseJws(text)).toMatchObject({ reason: 'token_malformed' });
  });

  it('a compact JWS: taken apart', () => {
    expect(parseJws(token())).toMatchObject({
      algorithm: 'ES256',
      kid: 'k1',
      type: 'at+jwt',
      claims: { iss: 'a' },
      signaturePart: 'c2ln',
    });
  });

  it.each([
    ['at+jwt', 'at+jwt'],
    ['AT+JWT', 'at+jwt'],
    ['application/at+jwt', 'at+jwt'],
    ['Application/AT+JWT', 'at+jwt'],
    ['text/at+jwt', 'text/at+jwt'],
    ['application/at+jwt/x', 'application/at+jwt/x'],
  ])('JWS-08 typ %s: %s', (typ, type) => {
    expect(parseJws(token(JSON.stringify({ alg: 'ES256', typ })))).toMatchObject({ type });
  });

  it('JWS-06 x5c: present and ignored', () => {
    expect(parseJws(token('{"alg":"ES256","x5c":["a"]}'))).not.toBeInstanceOf(Stop);
  });

  it('alg none with an empty signature: an algorithm to refuse, not a malformed token', () => {
    expect(parseJws(token('{"alg":"none"}', '{}', ''))).toMatchObject({ algorithm: 'none', signaturePart: '' });
  });

  it.each([
    ['JWS-11 empty', '', false],
    ['JWS-02 padded', 'c2lnbg==', false],
    ['JWS-02 trailing bits', 'c2lnbh', false],
    ['well-formed', 'c2lnbg', true],
  ])('signature %s: %s → %s', (_name, signature, expected) => {
    const jws = parseJws(token(header, '{}', signature));
    if (jws instanceof Stop) throw new Error(jws.detail);
    expect(hasWellFormedSignature(jws)).toBe(expected);
  });
});
