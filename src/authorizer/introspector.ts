/**
 * Promises: the issuer that is asked about the opaque tokens of a rule: the only one of those it takes tokens of that can be asked
 * (policy/compile-introspection.ts sees to that), since a token is shown to nobody who may not have issued it.
 */
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import type { Issuer } from '../token/issuer.ts';

export function introspectorOf({ issuers }: PolicySnapshot, rule: Pick<Rule, 'issuers'>): Issuer | undefined {
  for (const issuer of issuers.values()) {
    if (issuer.introspection !== undefined && (rule.issuers?.has(issuer.name) ?? true)) return issuer;
  }
  return undefined;
}
