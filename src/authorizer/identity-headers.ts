/**
 * Promises: the two disjoint lists of an allow: headers to set, and headers that must not reach the upstream (EA-10 to EA-16). A header
 * that the policy can set never comes from the client, on any rule, in any spelling that a backend may fold.
 */

import type { Header } from '../decision/decision.ts';
import type { RequestHeaders } from '../decision/request.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';

/** EA-14: a client can send them, and upstreams may believe them. */
const envoyMarks = ['x-envoy-auth-failure-mode-allowed', 'x-envoy-auth-partial-body'];

/** Names to remove, given what is set. */
export function headersToRemove(
  snapshot: PolicySnapshot,
  rule: Rule,
  headers: RequestHeaders,
  set: readonly Header[],
): readonly string[] {
  const names = new Set(envoyMarks);
  for (const name of snapshot.identityHeaders) {
    names.add(name).add(hyphens(name)).add(name.replaceAll('-', '_'));
  }
  if (headers.underscoreNames.length > 0) addFolded(names, snapshot, headers.underscoreNames);
  if (!rule.forwardToken) names.add('authorization').add('dpop');
  for (const [name] of set) names.delete(name);
  return [...names];
}

/** `x-user_id` is neither spelling above, and still `x-user-id` to a backend that folds. */
function addFolded(names: Set<string>, snapshot: PolicySnapshot, sent: readonly string[]): void {
  const identity = new Set([...snapshot.identityHeaders].map(hyphens));
  for (const name of sent) {
    if (identity.has(hyphens(name))) names.add(name);
  }
}

function hyphens(name: string): string {
  return name.replaceAll('_', '-');
}
