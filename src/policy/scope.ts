/**
 * Promises: the grammar of scope tokens (RFC 6749 section 3.3) and the comparison of what a rule requires with what a token has:
 * whole tokens, case-sensitive, in any order.
 */
import type { Requirement } from './snapshot.ts';

/** One scope; also the grammar of an `acr` value, which travels in the same kind of list. */
export const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * The scopes that would have to be added; empty exactly when the requirement is met. When none of `anyScope` is there, all of them
 * are named, since each would do.
 */
export function missingScopes(
  require: Pick<Requirement, 'scopes' | 'anyScope'>,
  tokenScopes: readonly string[],
): readonly string[] {
  const missing = require.scopes.filter((scope) => !tokenScopes.includes(scope));
  if (require.anyScope.length === 0) return missing;
  return require.anyScope.some((scope) => tokenScopes.includes(scope)) ? missing : [...missing, ...require.anyScope];
}
