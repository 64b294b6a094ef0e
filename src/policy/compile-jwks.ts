/**
 * Promises: where the keys of an issuer come from, said once; no secret among them.
 */
import type { JwksSource } from '../token/issuer.ts';
import { type Report, type Spot, within } from './report.ts';
import type { IssuerContent } from './schema.ts';

type JwksContent = NonNullable<IssuerContent['jwks']>;

/** Discovery, when the document says nothing else. A `ca` alone is for discovery at a server with a private CA. */
export function compileJwks(jwks: JwksContent | undefined, spot: Spot, report: Report): JwksSource {
  if (jwks === undefined) return { kind: 'discovery' };
  const { uri, inline } = jwks;
  checkChoice(jwks, spot, report);
  checkCertificates(jwks, within(spot, 'ca'), report);
  if (uri !== undefined) return { kind: 'uri', uri };
  if (inline === undefined) return { kind: 'discovery' };
  for (const [index, key] of inline.keys.entries()) checkKey(key, within(spot, 'inline', 'keys', index), report);
  return { kind: 'inline', keys: inline.keys };
}

function checkChoice({ uri, inline, ca }: JwksContent, spot: Spot, report: Report): void {
  if (uri !== undefined && inline !== undefined) {
    report.error(spot, 'jwks', 'expected `uri` or `inline`, not both');
  } else if (uri === undefined && inline === undefined && ca === undefined && !spot.document.isDamaged(spot.path)) {
    report.error(spot, 'jwks', 'expected `uri` or `inline`', { hint: 'leave `jwks` out for discovery' });
  }
}

function checkCertificates({ ca, inline }: JwksContent, spot: Spot, report: Report): void {
  if (ca === undefined) return;
  if (inline !== undefined) {
    report.error(spot, 'jwks', 'nothing is fetched for `inline` keys, so `ca` has no use', { part: 'key' });
  }
  if (ca.includes('PRIVATE KEY')) report.error(spot, 'certificate', 'expected PEM certificates, not a private key');
  else if (!/-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/.test(ca)) {
    report.error(spot, 'certificate', 'expected PEM certificates');
  }
}

/** JWK-04: a secret has no business in a policy; whoever can read it could sign tokens. */
function checkKey(key: Readonly<Record<string, unknown>>, spot: Spot, report: Report): void {
  const { kty } = key;
  if (Object.hasOwn(key, 'd') || Object.hasOwn(key, 'k')) {
    report.error(spot, 'jwks', 'expected a public key, this one holds a secret');
  } else if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') {
    report.error(within(spot, 'kty'), 'wrong_value', 'expected one of `RSA`, `EC`, `OKP`');
  }
}
