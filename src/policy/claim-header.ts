/**
 * Promises: a claim as the text of a header, in %x20-7E and within the size caps, or the reason why the request must be refused
 * (interface section 6, EA-17, EA-18). Claims are read by own members only (JWT-14).
 * Leaves to others: which claims are there (token/) and removing the headers that got no value (authorizer/).
 */
import type { Header } from '../decision/decision.ts';
import { type Step, Stop } from '../decision/step.ts';
import { claimAt } from '../token/claims.ts';
import type { ClaimFormat, ClaimHeader } from './snapshot.ts';

/** Longest value of one header, in bytes: what backends commonly take in one line. */
export const maxValueBytes = 4096;
/** Longest sum of all values: with the client's own headers it stays below Envoy's 60 KiB. */
export const maxTotalBytes = 16_384;

export type Claims = Readonly<Record<string, unknown>>;

/** The headers of a rule that have a value, in order. The first that must not be passed on ends it. */
export function claimHeaders(headers: readonly ClaimHeader[], claims: Claims): Step<readonly Header[]> {
  const set: Header[] = [];
  let total = 0;
  for (const header of headers) {
    const value = claimHeaderValue(header, claims);
    if (value instanceof Stop) return value;
    if (value === undefined) continue;
    total += value.length;
    if (total > maxTotalBytes) return new Stop('claim_header_refused', 'all claim headers together are too long');
    set.push([header.name, value]);
  }
  return set;
}

/** The text of one header; undefined: it has no value and is removed. */
export function claimHeaderValue(header: ClaimHeader, claims: Claims): Step<string | undefined> {
  const claim = claimAt(claims, header.claim);
  if (!isWellFormed(claim)) return new Stop('claim_invalid', `claim of header ${header.name}`);
  const value = isBlank(claim) ? '' : formats[header.format](claim);
  if (value.length > maxValueBytes) return new Stop('claim_header_refused', `header ${header.name} is too long`);
  if (value !== '') return value;
  return header.required ? new Stop('claim_header_refused', `header ${header.name} has no value`) : undefined;
}

/** JWT-15: a lone surrogate has no UTF-8, so two encoders would write two different identities. */
function isWellFormed(claim: unknown): boolean {
  if (typeof claim === 'string') return claim.isWellFormed();
  if (typeof claim !== 'object' || claim === null) return true;
  if (Array.isArray(claim)) return claim.every(isWellFormed);
  return Object.entries(claim).every(([member, value]) => member.isWellFormed() && isWellFormed(value));
}

function isBlank(claim: unknown): boolean {
  if (claim === undefined || claim === null || claim === '') return true;
  return typeof claim === 'object' && Object.keys(claim).length === 0;
}

/** The text of a claim that is not blank; the empty text when the format cannot carry its shape. */
const formats: Readonly<Record<ClaimFormat, (claim: unknown) => string>> = {
  csv: (claim) => {
    if (!Array.isArray(claim)) return encode(textOf(claim) ?? '', outsideText);
    const items = claim.map(textOf);
    if (!items.every((item) => item !== undefined)) return '';
    const texts = items.map((item) => encode(item, outsideItem));
    // A list of nothing but empty texts says no more than an empty list.
    return texts.every((text) => text === '') ? '' : texts.join(',');
  },
  json: (claim) => (isExact(claim) ? encode(JSON.stringify(claim), outsideText) : ''),
  base64json: (claim) => (isExact(claim) ? Buffer.from(JSON.stringify(claim)).toString('base64url') : ''),
};

function textOf(claim: unknown): string | undefined {
  if (typeof claim === 'string') return claim;
  const isPlain = typeof claim === 'boolean' || (typeof claim === 'number' && isExact(claim));
  return isPlain ? JSON.stringify(claim) : undefined;
}

/**
 * A whole number past 2^53 was rounded when it was parsed: two users would share one identity. Infinity has no JSON text. At any
 * depth: the text of a list or object holds the texts of its numbers.
 */
function isExact(claim: unknown): boolean {
  if (typeof claim === 'object' && claim !== null) return Object.values(claim).every(isExact);
  if (typeof claim !== 'number') return true;
  return Number.isFinite(claim) && (!Number.isInteger(claim) || Number.isSafeInteger(claim));
}

const outsideText = /[^\x20-\x24\x26-\x7e]+/g;
/** In a list, `,` ends an item, and a space beside it is not kept by every reader. */
const outsideItem = /[^\x21-\x24\x26-\x2b\x2d-\x7e]+/g;

/** Each match holds only characters that `encodeURIComponent` escapes: controls, `%`, `,`, space and everything beyond ASCII. */
function encode(text: string, outside: RegExp): string {
  return trimSpaces(text).replace(outside, encodeURIComponent);
}

/** Spaces only, and in linear time: `trim()` would take a no-break space for one, and ` +$` tries every run of spaces anew. */
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === ' ') start += 1;
  while (end > start && text[end - 1] === ' ') end -= 1;
  return text.slice(start, end);
}
