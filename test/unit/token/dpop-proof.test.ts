import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { thumbprint, verifyProof } from '../../../src/token/dpop-proof.ts';

const nowMs = 1_790_000_000_000;
const target = 'https://orders.example.com/orders/7';
const token = 'header.payload.signature';
const ath = createHash('sha256').update(token).digest('base64url');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = publicKey.export({ format: 'jwk' });
const { x = '', y = '' } = jwk;

type Members = Readonly<Record<string, unknown>>;

const goodClaims: Members = { jti: 'j', htm: 'GET', htu: target, iat: nowMs / 1000, ath };
const goodHeader: Members = { typ: 'dpop+jwt', alg: 'ES256', jwk };

function encoded(part: Members | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function proof(claims: Members | string = goodClaims, header: Members | string = goodHeader, key = privateKey): string {
  const input = `${encoded(header)}.${encoded(claims)}`;
  return `${input}.${signed(input, key).toString('base64url')}`;
}

function signed(input: string, key: KeyObject): Buffer {
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}

function verdict(
  text: string,
  changes: { readonly targets?: readonly string[]; readonly nowMs?: number } = {},
): string {
  const request = { method: 'GET', targets: [target], token, nowMs, maxAgeSeconds: 60, ...changes };
  const verified = verifyProof(text, request);
  return verified instanceof Stop ? `${verified.reason}: ${verified.detail}` : 'good';
}

it('DP-02 a good proof: what it says, and whose it is', () => {
  const verified = verifyProof(proof({ ...goodClaims, nonce: 'n' }), {
    method: 'GET',
    targets: ['https://other.example.com/', target],
    token,
    nowMs,
    maxAgeSeconds: 60,
  });
  const jkt = createHash('sha256').update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest('base64url');
  expect(verified).toEqual({ jkt, jti: 'j', target, nonce: 'n', issuedAt: nowMs / 1000 });
});

it('RFC 7638 the thumbprint of its example', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  expect(thumbprint({ kty: 'RSA', n, e: 'AQAB' })).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const changedHeader = (changes: Members): string => proof(goodClaims, { ...goodHeader, ...changes });
const changedClaims = (changes: Members): string => proof({ ...goodClaims, ...changes });
const doubled = (text: string, member: string): string => text.replace('{', `{${member},`);

const refused: Record<string, string> = {
  'DP-02 nothing': '',
  'DP-02 two parts': proof().split('.').slice(0, 2).join('.'),
  'DP-02 four parts': `${proof()}.`,
  'DP-02 a blank behind it': `${proof()} `,
  'DP-02 two proofs with a comma': `${proof()},${proof()}`,
  'DP-02 an empty signature': `${proof().split('.').slice(0, 2).join('.')}.`,
  'DP-02 a header that is a list': proof(goodClaims, '[]'),
  'DP-02 a payload that is a text': proof('"dpop"'),
  'DP-02 a payload with a member twice': proof(doubled(JSON.stringify(goodClaims), '"htm":"POST"')),
  'DP-02 a header with a member twice': proof(goodClaims, doubled(JSON.stringify(goodHeader), '"alg":"none"')),
  'DP-02 over 8 KiB': changedClaims({ pad: 'p'.repeat(8192) }),
  'DP-04 no typ': changedHeader({ typ: undefined }),
  'DP-04 typ of an access token': changedHeader({ typ: 'at+jwt' }),
  'DP-04 typ with a blank': changedHeader({ typ: ' dpop+jwt' }),
  'DP-04 typ as a list': changedHeader({ typ: ['dpop+jwt'] }),
  'DP-05 alg none': changedHeader({ alg: 'none' }),
  'DP-05 alg of a secret': changedHeader({ alg: 'HS256' }),
  'DP-05 alg in small letters': changedHeader({ alg: 'es256' }),
  'DP-05 alg by a name of the prototype': changedHeader({ alg: 'constructor' }),
  'DP-05 alg of another curve': changedHeader({ alg: 'ES384' }),
  'DP-05 alg of another kind of key': changedHeader({ alg: 'PS256' }),
  'DP-06 signed with another key': proof(goodClaims, goodHeader, otherKey),
  'DP-06 a signature in DER': (() => {
    const input = `${encoded(goodHeader)}.${encoded(goodClaims)}`;
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
  })(),
  'DP-06 a signature of zeros': `${proof().split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
  'DP-06 a signature with slack bits': (() => {
    const text = proof();
    const last = text.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return text.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
  })(),
  'DP-07 no jwk': changedHeader({ jwk: undefined }),
  'DP-07 a key id instead': changedHeader({ jwk: undefined, kid: 'k' }),
  'DP-07 a private key': changedHeader({ jwk: privateKey.export({ format: 'jwk' }) }),
  'DP-07 a secret': changedHeader({ jwk: { kty: 'oct', k: 'AAAA' } }),
  'DP-07 a public key with a secret in it': changedHeader({ jwk: { ...jwk, k: 'AAAA' } }),
  'DP-07 a point off the curve': changedHeader({ jwk: { ...jwk, y: x } }),
  'DP-07 a curve that nobody knows': changedHeader({ jwk: { ...jwk, crv: 'P-256K' } }),
  'DP-07 a key for encryption': changedHeader({ jwk: { ...jwk, use: 'enc' } }),
  'DP-07 a weak RSA key': changedHeader({
    alg: 'RS256',
    jwk: generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
  }),
  'DP-02 an extension that must be understood': changedHeader({ crit: ['exp'], exp: 1 }),
  'DP-02 an unencoded payload': changedHeader({ b64: false }),
  'DP-03 no jti': changedClaims({ jti: undefined }),
  'DP-03 an empty jti': changedClaims({ jti: '' }),
  'DP-03 half a surrogate pair in jti': proof(
    `{"jti":"\\ud800","htm":"GET","htu":"${target}","iat":${nowMs / 1000},"ath":"${ath}"}`,
  ),
  'DP-14 a jti of 257 characters': changedClaims({ jti: 'j'.repeat(257) }),
  'DP-03 jti as a number': changedClaims({ jti: 1 }),
  'DP-03 no iat': changedClaims({ iat: undefined }),
  'DP-03 iat as a text': changedClaims({ iat: `${nowMs / 1000}` }),
  'DP-03 iat without bounds': proof(JSON.stringify(goodClaims).replace(/"iat":\d+/, '"iat":1e400')),
  'DP-03 a nonce that is no text': changedClaims({ nonce: null }),
  'DP-03 an empty nonce': changedClaims({ nonce: '' }),
  'DP-08 another method': changedClaims({ htm: 'POST' }),
  'DP-08 the method in small letters': changedClaims({ htm: 'get' }),
  'DP-08 methods as a list': changedClaims({ htm: ['GET'] }),
  'DP-09 another target': changedClaims({ htu: `${target}1` }),
  'DP-09 another scheme': changedClaims({ htu: target.replace('https', 'http') }),
  'DP-09 an empty htu': changedClaims({ htu: '' }),
  'DP-09 targets as a list': changedClaims({ htu: [target] }),
  'DP-11 iat in milliseconds': changedClaims({ iat: nowMs }),
  'DP-12 no ath': changedClaims({ ath: undefined }),
  'DP-12 ath in hex': changedClaims({ ath: createHash('sha256').update(token).digest('hex') }),
  'DP-12 ath with padding': changedClaims({ ath: `${ath}=` }),
};

describe('refused', () => {
  it.each(Object.entries(refused))('%s', (_name, text) => {
    expect(verdict(text)).toMatch(/^dpop_proof_invalid: it(?:s .+| is no compact JWT of at most 8192 bytes)$/);
  });

  it('DP-09 a request whose target cannot be told: whatever the proof says', () => {
    expect(verdict(proof(), { targets: [] })).toContain('its htu is not the target');
    expect(verdict(proof(), { targets: [''] })).toContain('its htu is not the target');
  });
});

const window: Record<string, readonly [offsetSeconds: number, expected: RegExp]> = {
  'DP-11 as old as it may be': [-60, /^good$/],
  'DP-11 older': [-60.001, /too old/],
  'DP-11 as far ahead as it may be': [10, /^good$/],
  'DP-11 further ahead': [10.001, /in the future/],
  'DP-11 a fraction of a second': [-0.5, /^good$/],
};

it.each(Object.entries(window))('%s', (_name, [offset, expected]) => {
  expect(verdict(changedClaims({ iat: nowMs / 1000 + offset }))).toMatch(expected);
});

it('nothing of a proof is in a reason, whatever it holds', () => {
  const marked = fc.string({ unit: 'grapheme', minLength: 12, maxLength: 20 });
  fc.assert(
    fc.property(
      marked,
      fc.constantFrom('typ', 'alg', 'jwk'),
      fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce'),
      (text, inHeader, inClaims) => {
        for (const sent of [changedHeader({ [inHeader]: text }), changedClaims({ [inClaims]: text }), text]) {
          expect(verdict(sent)).not.toContain(text);
        }
      },
    ),
    { numRuns: 100 },
  );
});

it('DP-06 any one byte of a good proof changed: refused, and nothing is thrown', () => {
  const good = proof();
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=';
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.constantFrom(...alphabet.split('')), (at, character) => {
      fc.pre(good[at] !== character);
      expect(verdict(good.slice(0, at) + character + good.slice(at + 1))).not.toBe('good');
    }),
    { numRuns: 1000 },
  );
});
