/** Names of the active policy that label series. */
export interface PolicyNames {
  readonly rules: Iterable<string>;
  readonly issuers: Iterable<string>;
  readonly clients: Iterable<string>;
}
