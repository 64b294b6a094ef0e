/**
 * Promises: every way a request can be refused is one row here, and all that follows from it is a column.
 * The keys are a public contract (logs, metrics, bodies, tests): never renamed, never reused.
 */

/** Status the downstream client sees. 200 is not in the type: a refusal never looks like success (EA-03). */
export type DenyStatus = 400 | 401 | 403 | 503;

/** `error` attribute of a challenge (RFC 6750 section 3.1, RFC 9470 section 3, RFC 9449 section 7.1). */
export type ChallengeError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce';

/** What the wire needs to know about one way of being refused. */
interface DenyRow {
  readonly http: DenyStatus;
  /** `error` attribute of the challenge; `none`: a challenge without one; absent: no challenge at all. */
  readonly challenge?: ChallengeError | 'none';
  /** `error_description` in body and challenge: fixed text, safe in a quoted-string (EA-30, EA-31). */
  readonly description: string;
  /** One sentence for the operator; the README table is generated from it. */
  readonly meaning: string;
}

export const denyReasons = {
  request_malformed: {
    http: 400,
    description: 'The request is malformed',
    meaning: 'The path, host or method is ambiguous or ill-formed; it is refused before any rule is looked at.',
  },
  no_rule: {
    http: 403,
    description: 'No rule allows this request',
    meaning: 'No rule covers this host, path and method. 401 with a challenge when no credentials came.',
  },
  rule_deny: {
    http: 403,
    description: 'Access to this resource is denied',
    meaning: 'The rule says `access: deny`.',
  },
  token_missing: {
    http: 401,
    challenge: 'none',
    description: 'An access token is required',
    meaning: 'The rule wants a token and none came, or credentials of another scheme.',
  },
  credentials_malformed: {
    http: 400,
    challenge: 'invalid_request',
    description: 'The credentials are malformed or sent more than once',
    meaning: 'Authorization is ill-formed, sent twice, or the token came in header and query.',
  },
  token_malformed: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is malformed',
    meaning: 'No compact JWS of two JSON objects, or a header member that is never accepted.',
  },
  token_too_large: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is too large',
    meaning: 'The token is longer than `--max-token-bytes`.',
  },
  issuer_untrusted: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The issuer of the access token is not trusted here',
    meaning: '`iss` names no configured issuer, or one that the rule does not list.',
  },
  algorithm_not_allowed: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The signature algorithm is not allowed',
    meaning: '`alg` is not in the list of the issuer; `none` and HS* never are.',
  },
  key_unknown: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is signed by an unknown key',
    meaning: 'No key of the issuer fits `kid` and `alg`, and the keys are fresh.',
  },
  signature_invalid: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The signature is invalid',
    meaning: 'The signature does not verify with the key that the token names.',
  },
  token_expired: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token has expired',
    meaning: '`exp` is past, clock skew considered.',
  },
  token_not_yet_valid: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is not valid yet',
    meaning: '`nbf` or `iat` is in the future, clock skew considered.',
  },
  token_lifetime_exceeded: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The lifetime of the access token is too long',
    meaning: '`exp - iat` is more than `maxLifetime` of the issuer.',
  },
  audience_mismatch: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is not meant for this resource',
    meaning: '`aud` is absent or names none of the configured audiences.',
  },
  token_type_refused: {
    http: 401,
    challenge: 'invalid_token',
    description: 'This type of token is not accepted',
    meaning: 'An ID, refresh, logout or other token that is no access token.',
  },
  claim_invalid: {
    http: 401,
    challenge: 'invalid_token',
    description: 'A claim of the access token is missing or invalid',
    meaning: 'A required claim is absent, or a claim has the wrong type or range.',
  },
  client_not_allowed: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The client of the access token is not allowed here',
    meaning: 'The client is not in `clientIds` of the issuer.',
  },
  token_revoked: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token has been revoked',
    meaning: 'An entry of `revocations` matches the token.',
  },
  token_inactive: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is not active',
    meaning: 'The issuer was asked about an opaque token and calls it inactive: expired, revoked or never issued.',
  },
  sender_constraint_failed: {
    http: 401,
    challenge: 'invalid_token',
    description: 'The access token is bound to another sender',
    meaning:
      'The token is bound to a key or certificate that the request does not prove, or is not bound where it must be.',
  },
  dpop_proof_invalid: {
    http: 401,
    challenge: 'invalid_dpop_proof',
    description: 'The DPoP proof is missing or invalid',
    meaning: 'No, two, an ill-formed or a replayed DPoP proof.',
  },
  dpop_nonce_required: {
    http: 401,
    challenge: 'use_dpop_nonce',
    description: 'The DPoP proof must carry the nonce of this server',
    meaning: 'The proof has no nonce of ours or a stale one.',
  },
  insufficient_scope: {
    http: 403,
    challenge: 'insufficient_scope',
    description: 'The access token lacks a required scope',
    meaning: 'A scope that the rule requires is not in the token.',
  },
  insufficient_user_authentication: {
    http: 401,
    challenge: 'insufficient_user_authentication',
    description: 'A stronger or more recent authentication is required',
    meaning: '`acr` or the age of `auth_time` does not meet the rule (RFC 9470).',
  },
  condition_false: {
    http: 403,
    description: 'A condition of the rule is not met',
    meaning: '`when` of the rule is false.',
  },
  condition_error: {
    http: 403,
    description: 'A condition of the rule is not met',
    meaning: '`when` of the rule failed at run time, for example because a claim is absent.',
  },
  claim_header_refused: {
    http: 403,
    description: 'The identity cannot be passed on',
    meaning: 'A required claim header has no value, or a value is over the size cap.',
  },
  keys_unavailable: {
    http: 503,
    description: 'The service is temporarily unavailable',
    meaning: 'The keys of the issuer cannot be had at the moment.',
  },
  policy_unavailable: {
    http: 503,
    description: 'The service is temporarily unavailable',
    meaning: 'No good policy has been loaded yet.',
  },
  proof_memory_unavailable: {
    http: 503,
    description: 'The service is temporarily unavailable',
    meaning: 'Whether a DPoP proof was used before cannot be found out: its memory is full or away.',
  },
  upstream_token_unavailable: {
    http: 503,
    description: 'The service is temporarily unavailable',
    meaning: 'The rule injects an access token of a client of ours, and none can be had at the moment.',
  },
  overloaded: {
    http: 503,
    description: 'The service is temporarily unavailable',
    meaning: 'More checks are waiting than can be answered in time.',
  },
  internal_error: {
    http: 503,
    description: 'The service is temporarily unavailable',
    meaning: 'A fault of Scopegate; the log has its stack.',
  },
} as const satisfies Record<string, DenyRow>;

export type DenyReason = keyof typeof denyReasons;

/** The row of a reason with its optional columns. */
export function denyRow(reason: DenyReason): DenyRow {
  return denyReasons[reason];
}
