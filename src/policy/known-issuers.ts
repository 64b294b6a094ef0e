/**
 * Promises: the issuer of the policy before, the very object, where nothing about it has changed.
 *
 * INVARIANT: an issuer object stands for all that its tokens are verified by. It is used again exactly when every field is the same, so
 * that a verified token which is remembered beside it stays good, and with any change it is another one, so that the token does not.
 */
import type { Issuer } from '../token/issuer.ts';
import type { CompiledIssuer } from './compile-issuers.ts';
import type { PolicySnapshot } from './snapshot.ts';

export function reuseIssuers(
  compiled: readonly CompiledIssuer[],
  previous: PolicySnapshot | undefined,
): readonly CompiledIssuer[] {
  if (previous === undefined) return compiled;
  return compiled.map(({ issuer, spot }) => {
    const known = previous.issuers.get(issuer.issuer);
    return { issuer: known !== undefined && textOf(known) === textOf(issuer) ? known : issuer, spot };
  });
}

/** Both texts come from objects that one function makes, so that their members are in one order. */
function textOf(issuer: Issuer): string {
  return JSON.stringify(issuer, (_name, value: unknown) => (value instanceof Set ? [...value] : value));
}
