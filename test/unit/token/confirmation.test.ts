import { expect, it } from 'vitest';
import { readConfirmation } from '../../../src/token/confirmation.ts';
import { parseJsonObject } from '../../../src/token/json.ts';

/** 43 characters, the last of which holds four bits. */
const print = `${'A'.repeat(42)}E`;
const both = { jkt: print, x5tS256: print };

const confirmations: Record<string, readonly [claims: string, expected: object | string | undefined]> = {
  'no cnf: not bound': ['{}', undefined],
  'MT-01 a certificate': [`{"cnf":{"x5t#S256":"${print}"}}`, { jkt: undefined, x5tS256: print }],
  'DP-12 a key': [`{"cnf":{"jkt":"${print}"}}`, { jkt: print, x5tS256: undefined }],
  'both: each is to be shown': [`{"cnf":{"jkt":"${print}","x5t#S256":"${print}"}}`, both],
  'members of an issuer that confirm nothing: ignored beside one': [
    `{"cnf":{"jkt":"${print}","kc-jkt-type":1}}`,
    { jkt: print, x5tS256: undefined },
  ],
  'MT-03 null: uncheckable, not absent': ['{"cnf":null}', 'uncheckable'],
  'MT-03 a text: uncheckable': [`{"cnf":"${print}"}`, 'uncheckable'],
  'MT-03 a list: uncheckable': [`{"cnf":[{"jkt":"${print}"}]}`, 'uncheckable'],
  'MT-03 nothing in it: uncheckable': ['{"cnf":{}}', 'uncheckable'],
  'MT-03 a member of nobody: uncheckable': ['{"cnf":{"kc-jkt-type":1}}', 'uncheckable'],
  'MT-03 jkt null: uncheckable, even beside a certificate': [
    `{"cnf":{"jkt":null,"x5t#S256":"${print}"}}`,
    'uncheckable',
  ],
  'jkt of 42 characters: uncheckable': [`{"cnf":{"jkt":"${print.slice(1)}"}}`, 'uncheckable'],
  'jkt of 44 characters: uncheckable': [`{"cnf":{"jkt":"A${print}"}}`, 'uncheckable'],
  'jkt with padding: uncheckable': [`{"cnf":{"jkt":"${print}="}}`, 'uncheckable'],
  'jkt whose last character holds more than four bits: uncheckable': [
    `{"cnf":{"jkt":"${'A'.repeat(42)}F"}}`,
    'uncheckable',
  ],
  'jkt in the other alphabet: uncheckable': [`{"cnf":{"jkt":"+${print.slice(1)}"}}`, 'uncheckable'],
  'jkt as a list: uncheckable': [`{"cnf":{"jkt":["${print}"]}}`, 'uncheckable'],
  'a member that only looks like one: uncheckable': [`{"cnf":{"JKT":"${print}"}}`, 'uncheckable'],
  'the prototype is nothing that confirms': [`{"cnf":{"__proto__":{"jkt":"${print}"}}}`, 'uncheckable'],
  'RFC 7800 a key in cnf beside jkt: uncheckable': [`{"cnf":{"jkt":"${print}","jwk":{"kty":"EC"}}}`, 'uncheckable'],
  'RFC 7800 a key id beside a certificate: uncheckable': [`{"cnf":{"x5t#S256":"${print}","kid":"k"}}`, 'uncheckable'],
  'x5t by SHA-1 beside the certificate: uncheckable': [`{"cnf":{"x5t#S256":"${print}","x5t":"k"}}`, 'uncheckable'],
};

it.each(Object.entries(confirmations))('%s', (_name, [text, expected]) => {
  const claims = parseJsonObject(Buffer.from(text));
  if (typeof claims === 'string') throw new Error(claims);
  expect(readConfirmation(claims)).toEqual(expected);
});
