/**
 * Promises: which URLs may be fetched for an issuer (JWK-07, DI-03, DI-04): https; http only on loopback and only where the policy
 * says so under `insecure`.
 */
import type { Issuer } from '../token/issuer.ts';
import { Failure } from './failure.ts';

export type InsecureOptions = Issuer['insecure'];

export function allowedUrl(text: string, insecure: InsecureOptions): URL | Failure {
  const url = URL.parse(text);
  if (url === null) return new Failure('url_refused');
  // Credentials in a URL would go into every log that names it.
  const isPlain = url.username === '' && url.password === '' && !text.includes('#');
  return isPlain && hasAllowedScheme(url, insecure) ? url : new Failure('url_refused');
}

function hasAllowedScheme({ protocol, hostname }: URL, insecure: InsecureOptions): boolean {
  if (protocol === 'https:') return true;
  return protocol === 'http:' && insecure.allowHttp && (insecure.anyHost || isLoopback(hostname));
}

/** `URL` has written every spelling of an IPv4 address as four decimals by now. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
