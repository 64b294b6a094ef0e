/**
 * Promises: the compiled policy, immutable and valid by construction. A check takes one snapshot at its start and uses it to the end.
 * Leaves to others: making one (compile.ts), finding a rule in one (match.ts), holding the current one (store.ts).
 */
import type { Condition } from '../condition/condition.ts';
import type { ClaimPath, Issuer } from '../token/issuer.ts';
import type { OAuthClient } from '../token/oauth-client.ts';
import type { RouteIndex } from './match.ts';
import type { Revocations } from './revocation.ts';

/** How a claim becomes the text of a header (interface section 6). */
export type ClaimFormat = 'csv' | 'json' | 'base64json';

/** One identity header of a rule. */
export interface ClaimHeader {
  /** Lower-case header name. */
  readonly name: string;
  readonly claim: ClaimPath;
  readonly format: ClaimFormat;
  /** Without a value the request is refused instead of the header being removed. */
  readonly required: boolean;
}

export interface Requirement {
  /** All of these. */
  readonly scopes: readonly string[];
  /** At least one of these; empty: no such requirement. */
  readonly anyScope: readonly string[];
  /** Accepted `acr` values; empty: no such requirement (RFC 9470). */
  readonly acr: readonly string[];
  /** Most seconds since `auth_time`. */
  readonly maxAuthAgeSeconds: number | undefined;
  /** `when`: must be true (interface section 4). */
  readonly condition: Condition | undefined;
}

export interface Rule {
  readonly name: string;
  readonly access: 'token' | 'public' | 'deny';
  /** Names of accepted issuers; undefined: any issuer of the policy. */
  readonly issuers: ReadonlySet<string> | undefined;
  readonly require: Requirement;
  /** The rule's own and the defaults', after `null` removals; empty for `public` and `deny`. */
  readonly headers: readonly ClaimHeader[];
  /** False: Authorization and DPoP are removed before the upstream. */
  readonly forwardToken: boolean;
  /** The client whose own token the upstream gets instead of what the caller sent; undefined: none. */
  readonly inject: OAuthClient | undefined;
  /** `shadow`: evaluated, counted and logged, never decides. */
  readonly mode: 'enforce' | 'shadow';
}

/** An entry of `tests`: what a request must come to. */
export interface PolicyTest {
  readonly name: string;
  /** `file:line:column` of the test, as problems have it. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number };
  readonly method: string;
  /** Authority of the URL, as a client would send it. */
  readonly host: string;
  /** Path and query of the URL, as written. */
  readonly target: string;
  /** Further headers of the request, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it is asked, in milliseconds since the epoch; undefined: whenever the test runs. */
  readonly nowMs: number | undefined;
  /** Undefined: no token. */
  readonly token: { readonly issuer: string; readonly claims: Readonly<Record<string, unknown>> } | undefined;
  readonly expect: {
    readonly decision: 'allow' | 'deny';
    readonly status: number | undefined;
    readonly reason: string | undefined;
    readonly rule: string | undefined;
    /** Headers that the upstream gets, lower-case; null: the header is not set by us. */
    readonly headers: Readonly<Record<string, string | null>>;
  };
}

export interface PolicySnapshot {
  /** 16 hex digits of SHA-256 over the canonical, sorted documents. */
  readonly hash: string;
  /** By the exact `iss` string. */
  readonly issuers: ReadonlyMap<string, Issuer>;
  /** Enforcing rules: exactly one decides a request. */
  readonly routes: RouteIndex;
  /** Shadow rules, matched among themselves; they are reported and never decide. */
  readonly shadowRoutes: RouteIndex;
  /** Enforcing and shadow rules, sorted by name. */
  readonly rules: readonly Rule[];
  readonly revocations: Revocations;
  /** The clients that enforcing rules inject tokens of. */
  readonly clients: readonly OAuthClient[];
  /** In the order of their documents. */
  readonly tests: readonly PolicyTest[];
  /**
   * Every header, lower-case, that enforcing rules and defaults can set: what a client must never be able to send, on any rule (EA-13).
   * The claim headers of `defaults` count even when every rule removes them.
   */
  readonly identityHeaders: ReadonlySet<string>;
  /** `realm` of challenges. */
  readonly realm: string;
  /** What to do with a path that holds `;` (EA-63). */
  readonly pathParameters: 'reject' | 'keep';
  /** Base of `resource_metadata` in challenges, an origin or URL without trailing slash (RFC 9728); undefined: none. */
  readonly resourceMetadata: string | undefined;
  /** The origins that a DPoP proof for a request to this canonical host may name; none: no proof is good. */
  readonly proofOrigins: (host: string) => readonly string[];
}
