/**
 * Promises: what the operator says beside the document, since no document says it.
 */
export interface ImportOptions {
  /** What becomes of an operation that asks for no credentials. */
  readonly unsecured: 'public' | 'deny';
  /** `iss` of the tokens for schemes that do not tell it; undefined: a placeholder for each. */
  readonly issuer: string | undefined;
  /** Audiences of every issuer; none: a placeholder. */
  readonly audiences: readonly string[];
  /** Names of schemes that something else checks, such as the upstream an API key: here they ask for nothing. */
  readonly checkedElsewhere: readonly string[];
}
