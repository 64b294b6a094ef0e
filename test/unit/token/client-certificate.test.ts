import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isCertificate } from '../../../src/token/client-certificate.ts';
import { certificateThumbprint } from '../../support/proofs.ts';

const pem = (name: string): string => readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), 'utf8');
const [own, other] = [pem('client'), pem('other-client')];
const print = certificateThumbprint('client');
const body = own.split('-----')[2] ?? '';

const certificates: Record<string, readonly [text: string, expected: boolean]> = {
  'MT-01 as Envoy passes it on': [encodeURIComponent(own), true],
  'MT-01 with CR LF': [encodeURIComponent(own.replaceAll('\n', '\r\n')), true],
  'MT-01 with a text before it': [encodeURIComponent(`Subject: x\n${own}`), true],
  'MT-01 a chain: its first': [encodeURIComponent(own + other), true],
  'MT-01 a chain in which it is not the first': [encodeURIComponent(other + own), false],
  'MT-01 another certificate': [encodeURIComponent(other), false],
  'MT-01 none': ['', false],
  'a bad escape': [`${encodeURIComponent(own)}%`, false],
  'cut off': [encodeURIComponent(own.slice(0, -30)), false],
  'its end before its beginning': [
    encodeURIComponent(`-----END CERTIFICATE-----\n${body}\n-----BEGIN CERTIFICATE-----`),
    false,
  ],
  'nothing between the lines': [encodeURIComponent('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'), false],
  'a character that base64 has not': [
    encodeURIComponent(own.replace(body, `${body.slice(0, 20)}!${body.slice(20)}`)),
    false,
  ],
  'a byte more': [
    encodeURIComponent(
      own.replace(body, `\n${Buffer.concat([new X509Certificate(own).raw, Buffer.of(0)]).toString('base64')}\n`),
    ),
    false,
  ],
  'another kind of PEM with the same bytes': [
    encodeURIComponent(own.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')),
    false,
  ],
  'DER in base64 without lines': [encodeURIComponent(body), false],
};

it.each(Object.entries(certificates))('%s', (_name, [text, expected]) => {
  expect(isCertificate(text, print)).toBe(expected);
});

it.each(['', print.slice(1), `${print}A`])('a thumbprint of another length (%j): no', (text) => {
  expect(isCertificate(encodeURIComponent(own), text)).toBe(false);
});

it('any text: no, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(isCertificate(text, print)).toBe(false);
      expect(isCertificate(`-----BEGIN CERTIFICATE-----${text}-----END CERTIFICATE-----`, print)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});
