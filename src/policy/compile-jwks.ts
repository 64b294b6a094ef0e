/**
 * Promises: where the keys of an issuer come from, said once; no secret among them.
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { JwksSource } from '../token/issuer.ts';
import { type IgnoredKey, type KeyMaterial, readPublicJwk } from '../token/public-jwk.ts';
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
  checkKeys(inline.keys, within(spot, 'inline', 'keys'), report);
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
  else if (!isCertificates(ca)) report.error(spot, 'certificate', 'expected PEM certificates');
}

function isCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** As of a fetched set (JWK-07). */
const maxKeys = 100;

/** What a fetched set may hold and is ignored there is a mistake here: nobody else publishes these keys. */
function checkKeys(keys: readonly Readonly<Record<string, unknown>>[], spot: Spot, report: Report): void {
  if (keys.length > maxKeys) report.error(spot, 'jwks', `expected at most ${maxKeys} keys`);
  const isUsable = keys.slice(0, maxKeys).map((key, index) => checkKey(key, within(spot, index), report));
  if (!isUsable.includes(true) && !report.hasErrors()) {
    report.error(spot, 'jwks', 'none of these keys is for verifying signatures', {
      hint: '`use` is `sig` or left out',
    });
  }
}

/** False: a sound key that is not for verifying, or a mistake. */
function checkKey(key: Readonly<Record<string, unknown>>, spot: Spot, report: Report): boolean {
  const read = readPublicJwk(key);
  if (read === undefined) return false;
  if (read === 'unsupported' && !isKeyType(key['kty'])) {
    report.error(within(spot, 'kty'), 'wrong_value', 'expected one of `RSA`, `EC`, `OKP`');
  } else if (typeof read === 'string') report.error(spot, 'jwks', keyMessages[read]);
  else if (!isKey(read.material)) report.error(spot, 'jwks', keyMessages.invalid);
  else return true;
  return false;
}

function isKeyType(kty: unknown): boolean {
  return kty === 'RSA' || kty === 'EC' || kty === 'OKP';
}

/** BCP-04: OpenSSL checks that a point is on its curve. */
function isKey(material: KeyMaterial): boolean {
  try {
    return createPublicKey({ key: { ...material }, format: 'jwk' }).type === 'public';
  } catch {
    return false;
  }
}

const keyMessages: Readonly<Record<IgnoredKey, string>> = {
  malformed: 'a member of the key is missing or has the wrong type',
  // JWK-04: whoever can read the policy could sign tokens.
  private_members: 'expected a public key, this one holds a secret',
  symmetric: 'expected a public key, this one holds a secret',
  unsupported: 'no supported algorithm verifies with this key',
  weak_rsa: 'expected an RSA key of 2048 to 8192 bits with an odd exponent of at least 65537',
  invalid: 'this is no key, its point is not on the curve',
};
