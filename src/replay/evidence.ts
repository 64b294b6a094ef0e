/**
 * Promises: what a recorded reason tells about the credentials of a request that is asked about again. One row for each reason; a reason
 * without a row is one of a later version, of which nothing is known.
 */
import type { DenyReason } from '../decision/deny-reason.ts';

export type RecordedReason = DenyReason | 'allowed' | 'allowed_public' | 'resource_metadata';

export interface EvidenceRow {
  /** How far the check had come. What comes later was not looked at. */
  readonly sawUpTo:
    | 'nothing'
    /** The path was refused. */
    | 'path'
    /** No credentials were looked at. */
    | 'rule'
    /** The credentials were refused for their form, which no policy changes. */
    | 'credentials'
    /** The token was refused before or while it was verified; whose it is, is not in the log. */
    | 'unverified'
    /** The token was verified; issuer, client and scopes are in the log. */
    | 'verified';
  /**
   * The settings of the issuer that caused the refusal. `taken`: they are taken to be as they were, since they say when and by whose keys a
   * token is good; `open`: they are what an operator changes to admit or refuse such tokens, so only a comparison tells.
   */
  readonly settings?: 'taken' | 'open';
  /** The refusal repeats under every rule that wants a token. */
  readonly repeats?: true;
}

export const evidence: Readonly<Record<RecordedReason, EvidenceRow>> = {
  policy_unavailable: { sawUpTo: 'nothing' },
  overloaded: { sawUpTo: 'nothing' },
  internal_error: { sawUpTo: 'nothing' },

  request_malformed: { sawUpTo: 'path' },

  no_rule: { sawUpTo: 'rule' },
  rule_deny: { sawUpTo: 'rule' },
  allowed_public: { sawUpTo: 'rule' },
  resource_metadata: { sawUpTo: 'rule' },

  token_missing: { sawUpTo: 'credentials' },
  credentials_malformed: { sawUpTo: 'credentials' },
  token_too_large: { sawUpTo: 'credentials' },
  token_malformed: { sawUpTo: 'credentials' },

  issuer_untrusted: { sawUpTo: 'unverified', settings: 'open' },
  token_type_refused: { sawUpTo: 'unverified', settings: 'open' },
  algorithm_not_allowed: { sawUpTo: 'unverified', settings: 'open' },
  key_unknown: { sawUpTo: 'unverified', settings: 'taken' },
  keys_unavailable: { sawUpTo: 'unverified', settings: 'taken' },
  signature_invalid: { sawUpTo: 'unverified', settings: 'taken' },
  claim_invalid: { sawUpTo: 'unverified', settings: 'open' },
  token_inactive: { sawUpTo: 'unverified', settings: 'open' },

  token_expired: { sawUpTo: 'verified', settings: 'taken' },
  token_not_yet_valid: { sawUpTo: 'verified', settings: 'taken' },
  token_lifetime_exceeded: { sawUpTo: 'verified', settings: 'open' },
  audience_mismatch: { sawUpTo: 'verified', settings: 'open' },

  client_not_allowed: { sawUpTo: 'verified' },
  token_revoked: { sawUpTo: 'verified' },
  sender_constraint_failed: { sawUpTo: 'verified', repeats: true },
  dpop_proof_invalid: { sawUpTo: 'verified', repeats: true },
  dpop_nonce_required: { sawUpTo: 'verified', repeats: true },
  proof_memory_unavailable: { sawUpTo: 'verified', repeats: true },
  insufficient_user_authentication: { sawUpTo: 'verified' },
  insufficient_scope: { sawUpTo: 'verified' },
  condition_false: { sawUpTo: 'verified' },
  condition_error: { sawUpTo: 'verified' },
  claim_header_refused: { sawUpTo: 'verified' },
  upstream_token_unavailable: { sawUpTo: 'verified' },
  allowed: { sawUpTo: 'verified' },
};

export function isRecordedReason(reason: string): reason is RecordedReason {
  return Object.hasOwn(evidence, reason);
}
