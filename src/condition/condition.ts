/**
 * Promises: the types of a compiled `when` (interface section 4): what it reads, and that evaluating it never throws.
 * Leaves to others: the language itself (compile-condition.ts).
 */

/** What a condition can see. Everything is read by own members only (JWT-14). */
export interface ConditionInput {
  /** The verified claims. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly request: {
    readonly method: string;
    readonly host: string;
    /** Template values of the rule's path, decoded once. */
    readonly path: ReadonlyMap<string, string>;
    /** The raw request target. */
    readonly target: string;
    /** The value of a lower-case header name, several joined by `,`; undefined when absent or no UTF-8. Asked only when read. */
    readonly header: (name: string) => string | undefined;
    /** Milliseconds since the epoch. */
    readonly timeMs: number;
  };
  readonly token: {
    readonly issuer: string;
    readonly clientId: string | undefined;
    readonly subject: string | undefined;
    readonly scopes: readonly string[];
  };
}

/** Why a condition has no result. */
export interface ConditionFailure {
  /** `claim_invalid`: a claim that was read holds a lone surrogate (JWT-15). */
  readonly reason: 'condition_error' | 'claim_invalid';
  /** A text of a fixed set, with at most a name that stands in the condition; never a value. */
  readonly detail: string;
}

export interface Condition {
  /** The CEL text, as the operator wrote it. */
  readonly source: string;
  /** What it reads, such as `claims`, `request.headers`, `request.time`, `token.scopes`. */
  readonly reads: ReadonlySet<string>;
  /** Template values that it names (`id` for `request.path.id`), each with its first place in the text. */
  readonly pathNames: ReadonlyMap<string, number>;
  evaluate(input: ConditionInput): boolean | ConditionFailure;
}

/** A mistake in the text of a condition. */
export interface ConditionProblem {
  /** Place in the text, in UTF-16 code units from 0. */
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}
