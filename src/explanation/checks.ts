/**
 * Promises: the order of checks of the contract (interface section 7) as one table: the reasons that a check can give, and what it
 * compared, derived from request, policy, rule and token. It decides nothing: which check failed is read off the decision's reason.
 */
import type { DenyReason } from '../decision/deny-reason.ts';
import { describeCondition, failsAtHeaders } from './condition-check.ts';
import type { Comparison } from './explanation.ts';
import type { Facts } from './facts.ts';
import {
  describeAccess,
  describeAlgorithm,
  describeAuthorization,
  describeClass,
  describeForm,
  describeIssuer,
  describeKey,
  describeOwnToken,
  describePlace,
  describeRule,
  describeSignature,
  describeSignatureForm,
  describeSize,
} from './request-checks.ts';
import {
  describeAudience,
  describeBinding,
  describeClaims,
  describeClient,
  describeHeaders,
  describeRevocation,
  describeScopes,
  describeStepUp,
  describeTimes,
  failsAtLifetime,
} from './token-checks.ts';

export type Reason = DenyReason | 'resource_metadata';

export interface CheckRow {
  readonly check: string;
  readonly reasons: readonly Reason[];
  /** Where several checks give one reason: whether it was this one. */
  readonly isHere?: (facts: Facts) => boolean;
  /** Looks at the signature, which claims that were given do not have. */
  readonly isOfSignature?: true;
  /** Looks at what a request proves beside its token, which claims that were given do not come with. */
  readonly isOfSender?: true;
  /** Looks into a JWT; of a token that is none its issuer is asked instead. */
  readonly isOfJwt?: true;
  /** False: made whether the rule looks at the caller's token or not. */
  readonly isOfToken?: false;
  /** Absent: for every rule. */
  readonly isFor?: (facts: Facts) => boolean;
  readonly describe: (facts: Facts) => Comparison;
}

const wasVerified = ({ decision }: Facts): boolean => decision.told.caller !== undefined;

export const checks: readonly CheckRow[] = [
  { check: 'path and host', reasons: ['request_malformed'], isOfToken: false, describe: describePlace },
  { check: 'rule', reasons: ['no_rule', 'resource_metadata'], isOfToken: false, describe: describeRule },
  { check: 'access', reasons: ['rule_deny'], isOfToken: false, describe: describeAccess },
  { check: 'Authorization', reasons: ['token_missing', 'credentials_malformed'], describe: describeAuthorization },
  { check: 'size', reasons: ['token_too_large'], describe: describeSize },
  {
    check: 'form',
    reasons: ['token_malformed'],
    isHere: ({ token }) => token?.jws === undefined,
    describe: describeForm,
  },
  { check: 'issuer', reasons: ['issuer_untrusted'], describe: describeIssuer },
  { check: 'token class', reasons: ['token_type_refused'], isOfJwt: true, describe: describeClass },
  { check: 'algorithm', reasons: ['algorithm_not_allowed'], isOfJwt: true, describe: describeAlgorithm },
  {
    check: 'signature form',
    reasons: ['token_malformed'],
    isHere: ({ token }) => token?.jws !== undefined,
    isOfJwt: true,
    isOfSignature: true,
    describe: describeSignatureForm,
  },
  {
    check: 'key',
    reasons: ['key_unknown', 'keys_unavailable', 'token_inactive'],
    isOfSignature: true,
    describe: describeKey,
  },
  {
    check: 'signature',
    reasons: ['signature_invalid'],
    isOfJwt: true,
    isOfSignature: true,
    describe: describeSignature,
  },
  {
    check: 'claims',
    reasons: ['claim_invalid'],
    isHere: (facts) => !wasVerified(facts),
    describe: describeClaims,
  },
  {
    check: 'times',
    reasons: ['token_expired', 'token_not_yet_valid', 'token_lifetime_exceeded', 'claim_invalid'],
    isHere: (facts) => facts.decision.reason !== 'claim_invalid' || (wasVerified(facts) && failsAtLifetime(facts)),
    describe: describeTimes,
  },
  { check: 'audience', reasons: ['audience_mismatch'], describe: describeAudience },
  { check: 'client', reasons: ['client_not_allowed'], describe: describeClient },
  { check: 'revocation', reasons: ['token_revoked'], describe: describeRevocation },
  {
    check: 'sender constraint',
    reasons: ['sender_constraint_failed', 'dpop_proof_invalid', 'dpop_nonce_required', 'proof_memory_unavailable'],
    isOfSender: true,
    describe: describeBinding,
  },
  { check: 'step-up', reasons: ['insufficient_user_authentication'], describe: describeStepUp },
  { check: 'scopes', reasons: ['insufficient_scope'], describe: describeScopes },
  {
    check: 'condition',
    reasons: ['condition_false', 'condition_error', 'claim_invalid'],
    isHere: (facts) => facts.decision.reason !== 'claim_invalid' || !failsAtHeaders(facts),
    describe: describeCondition,
  },
  { check: 'headers', reasons: ['claim_header_refused', 'claim_invalid'], describe: describeHeaders },
  {
    check: 'token of our own',
    reasons: ['upstream_token_unavailable'],
    isFor: ({ rule }) => rule?.inject !== undefined,
    describe: describeOwnToken,
  },
];
