/**
 * Promises: the two disjoint lists of an allow: headers to set, and headers that must not reach the upstream (EA-10 to EA-16). A header
 * that the policy can set never comes from the client, on any rule, in any spelling that a backend may fold.
 */
import type { Header } from '../decision/decision.ts';
import type { RequestHeaders } from '../decision/request.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';

/** EA-14: a client can send them, and upstreams may believe them. */
const envoyMarks = ['x-envoy-auth-failure-mode-allowed', 'x-envoy-auth-partial-body'];

/**
 * With more separators than this in a name, only the spellings with all hyphens, with all underscores and those that came are removed:
 * a mixed one could then pass an Envoy that shows us only some of the headers (`allowed_headers`).
 */
const maxSeparators = 4;

/** Names to remove, given what is set. */
export function headersToRemove(
  snapshot: PolicySnapshot,
  rule: Rule,
  headers: RequestHeaders,
  set: readonly Header[],
): readonly string[] {
  const names = new Set(spellingsOf(snapshot));
  for (const name of headers.underscoreNames) {
    if (names.has(hyphens(name))) names.add(name);
  }
  // Beside a token of ours the caller's own would be a second one, for somebody whom it is not meant for (RFC 9700 section 4.9).
  if (!rule.forwardToken || rule.inject !== undefined) names.add('authorization').add('dpop');
  for (const [name] of set) names.delete(name);
  return [...names];
}

const spellings = new WeakMap<PolicySnapshot, readonly string[]>();

/** Every name that no request may bring along, the same for all requests of a policy. */
function spellingsOf(snapshot: PolicySnapshot): readonly string[] {
  const known = spellings.get(snapshot);
  if (known !== undefined) return known;
  const made = [...new Set([...envoyMarks, ...[...snapshot.identityHeaders].flatMap(spell)])];
  spellings.set(snapshot, made);
  return made;
}

/** `x-user-id`, `x_user-id`, `x-user_id`, `x_user_id`: to a backend that folds `_` to `-` they are one. */
function spell(name: string): readonly string[] {
  const parts = name.split(/[-_]/);
  if (parts.length - 1 > maxSeparators) return [name, parts.join('-'), parts.join('_')];
  const [first = '', ...rest] = parts;
  return rest.reduce((made, part) => made.flatMap((text) => [`${text}-${part}`, `${text}_${part}`]), [first]);
}

function hyphens(name: string): string {
  return name.replaceAll('_', '-');
}
