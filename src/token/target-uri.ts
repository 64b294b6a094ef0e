/**
 * Promises: one spelling of an http(s) URI without query and fragment, so that two that name the same target compare equal
 * (RFC 3986 sections 6.2.2 and 6.2.3; RFC 9449 section 4.3; DP-09).
 */
const parts = /^(https?):\/\/([^/?#\\]*)([^?#]*)/i;
const authority = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{0,5}))?$/;
const unreserved = /[A-Za-z0-9\-._~]/;
const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };
const maxPort = 65_535;

/** Undefined: no http(s) URI, or one with credentials, a bad escape or a character that no URI has. */
export function normalizeTarget(uri: string): string | undefined {
  if (/[^\x21-\x7e]/.test(uri)) return undefined;
  const [, scheme, host, path] = parts.exec(uri) ?? [];
  if (scheme === undefined || host === undefined || path === undefined) return undefined;
  const origin = normalizeOrigin(scheme.toLowerCase(), host.toLowerCase());
  const target = normalizePath(path);
  return origin === undefined || target === undefined ? undefined : origin + target;
}

function normalizeOrigin(scheme: string, text: string): string | undefined {
  const [, host, digits = ''] = authority.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || port > maxPort) return undefined;
  return digits === '' || port === defaultPorts[scheme] ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/** The path of a target in the same spelling. */
function normalizePath(path: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(path) || path.includes('\\')) return undefined;
  const decoded = path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return unreserved.test(character) ? character : escape.toUpperCase();
  });
  return removeDotSegments(decoded === '' ? '/' : decoded);
}

/** RFC 3986 section 5.2.4, for a path that begins with a slash. */
function removeDotSegments(path: string): string {
  const segments = path.split('/').slice(1);
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}
