/**
 * Promises: the shape of an explanation; `--json` prints it as it is. Values of claims are in it only when they were asked for, and the
 * token, its signature and the values of request headers never.
 */
import type { ShadowVerdict } from '../decision/decision.ts';
import type { MetadataValue } from '../envoy/struct.ts';

export interface Explanation {
  readonly decision: 'allow' | 'deny';
  /** What the client sees; 200 where the upstream answers. */
  readonly status: number;
  readonly reason: string;
  /** One sentence about the reason. */
  readonly meaning: string;
  readonly rule: string | null;
  readonly request: ExplainedRequest;
  readonly rules: ConsideredRules;
  readonly shadow: readonly ShadowVerdict[];
  /** Null: none came, or it is no token. */
  readonly token: ExplainedToken | null;
  /** In the order in which they are made. */
  readonly steps: readonly ExplainedStep[];
  readonly headers: ExplainedHeaders;
  /** Null: the request goes to the upstream. */
  readonly answer: Answer | null;
  /** Dynamic metadata, namespace `envoy.filters.http.ext_authz`. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
}

export interface ExplainedRequest {
  readonly method: string;
  /** As sent, without the query, which is no part of matching. */
  readonly rawPath: string;
  readonly rawHost: string;
  /** Null: refused. */
  readonly path: string | null;
  readonly host: string | null;
  /** Values of the rule's path template by name, decoded; null: no UTF-8. */
  readonly parameters: Readonly<Record<string, string | null>>;
}

export interface ConsideredRules {
  /** Most specific first; the first one of those that match decides. */
  readonly considered: readonly ConsideredRule[];
  /** Rules that had as much in common with the request and are not listed. */
  readonly omitted: number;
}

export interface ConsideredRule {
  readonly rule: string;
  readonly methods: readonly string[] | null;
  readonly host: string | null;
  readonly path: string;
  readonly outcome: 'chosen' | 'less_specific' | 'no_match';
  readonly because: string;
}

export interface ExplainedToken {
  /** `verified`: its signature is good. `given`: the claims were given, so no signature was looked at. */
  readonly state: 'verified' | 'given' | 'not_verified';
  /** Name of the issuer in the policy. */
  readonly issuer: string | null;
  readonly claims: readonly ExplainedClaim[];
}

export interface ExplainedClaim {
  readonly name: string;
  /** JSON text; only when values were asked for. */
  readonly value?: string;
}

export type StepResult =
  | 'pass'
  | 'fail'
  /** Scopegate answers by itself here (RFC 9728). */
  | 'answered'
  /** There was nothing to check: claims that were given have no signature. */
  | 'skipped'
  | 'not_reached';

/** What a check compared, in words. */
export interface Comparison {
  readonly wanted?: string;
  readonly found?: string;
  /** What exactly failed. */
  readonly detail?: string;
  /** Of a condition that is made of several by `&&` or `||`. */
  readonly operands?: readonly ExplainedOperand[];
  /** Those that a condition has read. */
  readonly claims?: readonly ReadClaim[];
}

export interface ExplainedOperand {
  /** On one line. */
  readonly source: string;
  /** `true`, `false`, or an error, each operand for itself, even where another one decides. */
  readonly result: string;
}

export interface ReadClaim extends ExplainedClaim {
  readonly isPresent: boolean;
}

export interface ExplainedStep extends Comparison {
  readonly check: string;
  readonly result: StepResult;
}

export interface ExplainedHeaders {
  /** By lower-case name. */
  readonly set: Readonly<Record<string, SetHeader>>;
  readonly removed: readonly string[];
}

export interface SetHeader {
  /** The claim path, members joined by dots; absent: the value is no claim. */
  readonly claim?: string;
  /** The client whose access token it is; the token itself is never fetched or shown. */
  readonly client?: string;
  /** Only when values were asked for. */
  readonly value?: string;
}

/** What the client gets instead of the upstream's answer. */
export interface Answer {
  readonly status: number;
  /** `CheckResponse.status.code`, for Envoy. */
  readonly grpcCode: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}
