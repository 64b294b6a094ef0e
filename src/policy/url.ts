/**
 * Promises: which URLs of a policy may be fetched or shown, or why not. The default is https.
 */
export interface UrlRefusal {
  readonly code: 'url' | 'insecure_url';
  readonly message: string;
  readonly hint?: string;
}

export interface UrlRules {
  readonly allowHttp: boolean;
  /** Http on any host, not on loopback alone. */
  readonly anyHost: boolean;
  /** A `?` is part of some JWKS URLs, and never of an issuer (DI-03). */
  readonly allowQuery: boolean;
}

/** The strictest rules: https, without query. */
export const httpsOnly: UrlRules = { allowHttp: false, anyHost: false, allowQuery: false };

/** Undefined: the URL may be used. */
export function refuseUrl(text: string, rules: UrlRules): UrlRefusal | undefined {
  // Quotes and backslashes would have to be escaped in a challenge; no URL needs them.
  const url = /^https?:\/\/[^/]/i.test(text) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text) ? URL.parse(text) : null;
  if (url === null) return { code: 'url', message: 'expected an https URL' };
  if (url.username !== '' || url.password !== '') return { code: 'url', message: 'expected a URL without credentials' };
  if (text.includes('#')) return { code: 'url', message: 'expected a URL without fragment' };
  if (text.includes('?') && !rules.allowQuery) return { code: 'url', message: 'expected a URL without query' };
  return url.protocol === 'https:' ? undefined : refuseHttp(url.hostname, rules);
}

function refuseHttp(host: string, rules: UrlRules): UrlRefusal | undefined {
  const message = 'expected an https URL';
  if (!rules.allowHttp) return { code: 'insecure_url', message };
  if (rules.anyHost || isLoopback(host)) return undefined;
  return {
    code: 'insecure_url',
    message,
    hint: '`allowHttp` is for loopback, `anyHost: true` beside it lifts that limit',
  };
}

/** Of a host as `URL` spells it: 127.0.0.0/8, ::1 and localhost. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
