/**
 * Promises: what a rule requires of a good token, in the order of interface section 7: step-up, scopes, headers.
 */
import type { Header } from '../decision/decision.ts';
import { type Step, Stop } from '../decision/step.ts';
import { claimHeaders } from '../policy/claim-header.ts';
import { missingScopes } from '../policy/scope.ts';
import type { Requirement, Rule } from '../policy/snapshot.ts';
import type { VerifiedToken } from '../token/verify.ts';

/** Ends with the headers to set, which is as far as a token can get. */
export function checkRequirements(rule: Rule, token: VerifiedToken, nowMs: number): Step<readonly Header[]> {
  const { require } = rule;
  const stepUp = checkStepUp(require, token, nowMs / 1000);
  if (stepUp !== undefined) return stepUp;
  if (missingScopes(require, token.claims.scopes).length > 0) return new Stop('insufficient_scope');
  return claimHeaders(rule.headers, token.raw);
}

/** SU-02: `auth_time` has no substitute, least of all `iat`. */
function checkStepUp(require: Requirement, { claims, issuer }: VerifiedToken, now: number): Stop | undefined {
  if (require.acr.length > 0 && (claims.acr === undefined || !require.acr.includes(claims.acr))) {
    return new Stop('insufficient_user_authentication', 'acr');
  }
  if (require.maxAuthAgeSeconds === undefined) return undefined;
  const oldest = now - require.maxAuthAgeSeconds - issuer.clockSkewSeconds;
  if (claims.authenticatedAt === undefined || claims.authenticatedAt < oldest) {
    return new Stop('insufficient_user_authentication', 'auth_time');
  }
  return undefined;
}
