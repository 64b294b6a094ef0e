/**
 * Promises: the thumbprint of the client certificate that Envoy saw (RFC 8705 section 3.1; MT-01). Only Envoy's own attribute counts,
 * never a header of the request (MT-02); whether its chain is trusted is Envoy's to say (MT-04).
 */
import { createHash, timingSafeEqual } from 'node:crypto';

const label = 'CERTIFICATE-----';

/** `certificate` is URL-encoded PEM, as in `source.certificate`. True when its first certificate has this base64url SHA-256. */
export function isCertificate(certificate: string, x5tS256: string): boolean {
  const der = firstCertificate(certificate);
  if (der === undefined) return false;
  const actual = createHash('sha256').update(der).digest();
  const expected = Buffer.from(x5tS256, 'base64url');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function firstCertificate(encoded: string): Buffer | undefined {
  const pem = decode(encoded);
  const begin = pem.indexOf(`-----BEGIN ${label}`);
  const end = pem.indexOf(`-----END ${label}`, begin);
  if (begin === -1 || end === -1) return undefined;
  const base64 = pem.slice(begin + `-----BEGIN ${label}`.length, end).replace(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return '';
  }
}
