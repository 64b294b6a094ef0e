/**
 * Promises: the authentication schemes that a challenge offers (RFC 9449 section 7.1; DP-17), by what the issuers want whose tokens count.
 */
import type { DenyReason } from '../decision/deny-reason.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import type { Issuer } from '../token/issuer.ts';

export type Scheme = 'Bearer' | 'DPoP';

const schemesOf: Readonly<Record<Issuer['senderConstraint'], readonly Scheme[]>> = {
  none: ['Bearer'],
  mtls: ['Bearer'],
  dpop: ['DPoP'],
  any: ['Bearer', 'DPoP'],
};

/** Of all issuers whose tokens the rule takes, Bearer first; of any issuer where no rule matched. */
export function offeredSchemes(snapshot: PolicySnapshot, rule: Rule | undefined): readonly Scheme[] {
  const issuers = [...snapshot.issuers.values()].filter(({ name }) => rule?.issuers?.has(name) ?? true);
  const wanted = new Set(issuers.flatMap(({ senderConstraint }) => schemesOf[senderConstraint]));
  const offered = (['Bearer', 'DPoP'] as const).filter((scheme) => wanted.has(scheme));
  return offered.length === 0 ? ['Bearer'] : offered;
}

/** What is wrong with credentials is told in the scheme that was used, where that one is offered at all. */
export function answeredSchemes(reason: DenyReason, used: Scheme, offered: readonly Scheme[]): readonly Scheme[] {
  if (reason === 'dpop_proof_invalid' || reason === 'dpop_nonce_required') return ['DPoP'];
  if (reason === 'sender_constraint_failed' || offered.includes(used)) return [used];
  return offered;
}
