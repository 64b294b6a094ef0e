/**
 * Promises: the one canonical spelling of a path, a host and a method, or the refusal of what two readers could understand in two
 * ways. Nothing is repaired: a proxy or a backend that repairs differently would see another request than the rules did (EA-61).
 * Leaves to others: which rule a canonical request falls under (match.ts).
 */
import { type Step, Stop } from '../decision/step.ts';

/**
 * A path in which nothing can be spelled otherwise: no escape, no parameter, no empty segment, none that starts with a dot.
 * Nearly every request is one, and costs this one test.
 */
const plainPath = /^\/(?:[!"$&--0-:<-[\]-~][!"$&-.0-:<-[\]-~]*\/)*(?:[!"$&--0-:<-[\]-~][!"$&-.0-:<-[\]-~]*)?$/;

interface PathRefusal {
  readonly pattern: RegExp;
  readonly detail: string;
}

/** Looked for in the path as it was sent. */
const refusedAsSent: readonly PathRefusal[] = [
  { pattern: /^(?!\/)/, detail: 'the path does not begin with a slash' },
  { pattern: /[^\x21-\x7e]/, detail: 'the path holds a space, a control character or a byte outside ASCII' },
  { pattern: /[\\#]/, detail: 'the path holds a backslash or a fragment' },
  { pattern: /\/\//, detail: 'the path holds an empty segment' },
  { pattern: /%(?![0-9A-Fa-f]{2})/, detail: 'the path holds a malformed escape' },
  { pattern: /%(?:2f|5c|00)/i, detail: 'the path holds an escaped slash, backslash or NUL' },
];

/** Looked for after decoding, so that no escape can hide it; `;` and its escape end a segment for some backends. */
const refusedDecoded: readonly PathRefusal[] = [
  { pattern: /\/\.\.?(?:\/|;|%3B|$)/, detail: 'the path holds a dot segment' },
  { pattern: /\/(?:;|%3B)/, detail: 'the path holds a segment that is empty before its parameters' },
  { pattern: /%25(?:25)*(?:2e|2f|5c)/i, detail: 'the path is escaped twice' },
];

/** The canonical path of a request target, without its query (EA-61 to EA-64). Applied to its own result it changes nothing. */
export function canonicalPath(rawTarget: string, pathParameters: 'reject' | 'keep'): Step<string> {
  const queryAt = rawTarget.indexOf('?');
  const path = queryAt === -1 ? rawTarget : rawTarget.slice(0, queryAt);
  if (plainPath.test(path)) return path;
  const sent = findRefusal(refusedAsSent, path);
  if (sent !== undefined) return malformed(sent.detail);
  if (pathParameters === 'reject' && path.includes(';')) return malformed('the path holds `;`');
  const canonical = path.replace(/%[0-9A-Fa-f]{2}/g, canonicalEscape);
  const decoded = findRefusal(refusedDecoded, canonical);
  return decoded === undefined ? canonical : malformed(decoded.detail);
}

/** RFC 3986 section 6.2.2: an escaped unreserved character is that character, any other escape is written in upper case. */
function canonicalEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
}

function findRefusal(refusals: readonly PathRefusal[], path: string): PathRefusal | undefined {
  return refusals.find(({ pattern }) => pattern.test(path));
}

const hostName = /^([A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*)\.?(?::[0-9]{1,5})?$/;
const hostAddress = /^(\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;
/** No name in the DNS, with dot and port, is longer; matching tries each suffix of a host. */
const maxHostLength = 260;

/** The canonical host of an authority: lower case, without port and trailing dot, an IPv6 address in its shortest form (EA-48). */
export function canonicalHost(raw: string): Step<string> {
  if (raw === '') return malformed('the host is empty');
  if (raw.length > maxHostLength) return malformed('the host is too long');
  const name = hostName.exec(raw)?.[1];
  if (name !== undefined) return name.toLowerCase();
  const address = hostAddress.exec(raw)?.[1];
  const canonical = address === undefined ? undefined : URL.parse(`http://${address}`)?.hostname;
  return canonical ?? malformed('the host is not a name or an address with an optional port');
}

/** RFC 9110 section 9.1. */
export function isMethodToken(method: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method);
}

/** The method as it is: case-sensitive (EA-49). CONNECT names no path that a rule could cover (EA-51). */
export function checkMethod(method: string): Step<string> {
  if (!isMethodToken(method)) return malformed('the method is not a token');
  return method === 'CONNECT' ? malformed('the method is CONNECT') : method;
}

function malformed(detail: string): Stop {
  return new Stop('request_malformed', detail);
}
