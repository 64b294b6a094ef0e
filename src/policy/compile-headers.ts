/**
 * Promises: the identity headers of a rule or of the defaults: names that may be set (EA-15), none that a backend could take for
 * another of the same rule, and claim paths that are well-formed.
 */
import { compileClaimPath } from './claim-path.ts';
import { placeName, type Report, type Spot, within } from './report.ts';
import type { ClaimHeaderContent } from './schema.ts';
import type { ClaimHeader } from './snapshot.ts';
import { quote } from './wording.ts';

/** By folded name; null takes the default of that name away. */
export type HeaderTable = ReadonlyMap<string, ClaimHeader | null>;

export const noHeaders: HeaderTable = new Map();

/**
 * What must not come from a claim: what frames or routes the request, and the credentials. Compared with `_` read as `-`, as a
 * backend that folds names would.
 */
const forbiddenNames: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'expect',
  'cookie',
  'authorization',
  'dpop',
]);
const forbiddenPrefixes: readonly string[] = [':', 'x-envoy-', 'proxy-'];

export function compileHeaders(
  content: Readonly<Record<string, ClaimHeaderContent>> | undefined,
  spot: Spot,
  report: Report,
): HeaderTable {
  if (content === undefined) return noHeaders;
  const table = new Map<string, ClaimHeader | null>();
  const spots = new Map<string, Spot>();
  for (const [key, value] of Object.entries(content)) {
    const at = within(spot, key);
    const name = key.toLowerCase();
    const folded = name.replaceAll('_', '-');
    checkName(name, folded, at, report);
    const clash = spots.get(folded);
    if (clash !== undefined) {
      report.error(
        at,
        'header_clash',
        `some backends read ${quote(key)} and the header at ${placeName(clash, 'key')} as one`,
        {
          part: 'key',
        },
      );
    }
    spots.set(folded, at);
    table.set(folded, value === null ? null : compileHeader(name, value, at, report));
  }
  return table;
}

function checkName(name: string, folded: string, spot: Spot, report: Report): void {
  const isForbidden = forbiddenNames.has(folded) || forbiddenPrefixes.some((prefix) => folded.startsWith(prefix));
  if (isForbidden) report.error(spot, 'header_forbidden', `header ${quote(name)} must not be set`, { part: 'key' });
  else if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/.test(name)) {
    report.error(spot, 'header_name', `${quote(name)} is not a header name`, { part: 'key' });
  }
}

function compileHeader(
  name: string,
  content: Exclude<ClaimHeaderContent, null>,
  spot: Spot,
  report: Report,
): ClaimHeader {
  if (typeof content === 'string' || Array.isArray(content)) {
    return { name, claim: compileClaimPath(content, spot, report), format: 'csv', required: false };
  }
  const claim = compileClaimPath(content.claim, within(spot, 'claim'), report);
  return { name, claim, format: content.format ?? 'csv', required: content.required ?? false };
}

/** The headers of a rule: its own entries win over the defaults, and null removes one. */
export function mergeHeaders(defaults: HeaderTable, own: HeaderTable): readonly ClaimHeader[] {
  return [...new Map([...defaults, ...own]).values()].filter((header) => header !== null);
}
