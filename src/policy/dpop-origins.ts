/**
 * Promises: an error for each issuer whose tokens want DPoP proofs while the policy does not say which origins a proof may name (DP-09):
 * neither `defaults.origins` nor the `hosts` of any rule. What the request says of its own host is the client's word.
 */
import type { PolicyDocument } from './document.ts';
import { type Report, within } from './report.ts';

export function checkDpopOrigins(documents: readonly PolicyDocument[], report: Report): void {
  if (documents.some(namesOrigin)) return;
  for (const document of documents) {
    for (const [index, { senderConstraint }] of (document.content.issuers ?? []).entries()) {
      if (senderConstraint !== 'dpop' && senderConstraint !== 'any') continue;
      const spot = within({ document, path: ['issuers', index] }, 'senderConstraint');
      const hint = 'write `defaults: { origins: […] }`, or `hosts` in the rules';
      report.error(spot, 'dpop_origin', 'nothing says which origins a DPoP proof may name', { hint });
    }
  }
}

/** Also what is left out for a mistake may have named one. */
function namesOrigin({ content, isDamaged }: PolicyDocument): boolean {
  if (isDamaged([]) || content.defaults?.origins !== undefined) return true;
  return (content.rules ?? []).some(({ hosts }) => hosts !== undefined);
}
