import { expect, it } from 'vitest';
import { resourceMetadata } from '../../../src/authorizer/resource-metadata.ts';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';

const path = '/.well-known/oauth-protected-resource';
const dpopAlgorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** The members about bindings, for issuers that want these. */
function bindings(wanted: readonly string[], method = 'GET', at = path): object | undefined {
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    defaults: { resourceMetadata: 'https://api.example.com' },
    issuers: wanted.map((senderConstraint, index) => {
      const name = `i${index}`;
      return { name, issuer: `https://${name}.test`, audiences: ['api'], senderConstraint };
    }),
    rules: [{ name: 'all', hosts: ['api.example.com'], paths: ['/**'] }],
  };
  const { snapshot } = compile(parseDocuments({ name: 'p', text: JSON.stringify(document) }).documents);
  if (snapshot === undefined) throw new Error('the policy of this test is bad');
  const text = resourceMetadata(snapshot, method, at);
  if (text === undefined) return undefined;
  const all = Object.entries(JSON.parse(text) as object);
  return Object.fromEntries(all.filter(([name]) => /^dpop_|^tls_/.test(name)));
}

const dpop = { dpop_signing_alg_values_supported: dpopAlgorithms };

const cases: Record<string, readonly [wanted: readonly string[], expected: object]> = {
  'PR-02 nobody wants a binding: nothing of it': [['none'], {}],
  'PR-02 all want DPoP: required, with its algorithms': [
    ['dpop', 'dpop'],
    { ...dpop, dpop_bound_access_tokens_required: true },
  ],
  'PR-02 one wants DPoP: its algorithms, and not required of all': [['dpop', 'none'], dpop],
  'PR-02 any binding: its algorithms': [['any'], dpop],
  'PR-02 all want certificates: so': [['mtls'], { tls_client_certificate_bound_access_tokens: true }],
  'PR-02 one wants certificates: not said of all': [['mtls', 'none'], {}],
  'PR-02 DPoP here, certificates there: neither is required of all': [['dpop', 'mtls'], dpop],
};

it.each(Object.entries(cases))('%s', (_name, [wanted, expected]) => {
  expect(bindings(wanted)).toEqual(expected);
});

it('PR-02 none and HS* are never among the algorithms', () => {
  expect(JSON.stringify(bindings(['dpop']))).not.toMatch(/none|HS\d/);
});

it.each([
  ['POST', path],
  ['HEAD', path],
  ['GET', `${path}x`],
  ['GET', '/.well-known'],
])('PR-01 %s %s: no metadata', (method, at) => {
  expect(bindings(['dpop'], method, at)).toBeUndefined();
});
