/**
 * Promises: why an attempt to get keys failed, as a value from a small set, safe as a metric label and in a log line.
 */
export type FailureKind =
  /** No complete answer in time. */
  | 'timeout'
  /** The name of the host has no address. */
  | 'dns'
  /** No connection, or it broke. */
  | 'connect'
  | 'tls'
  /** The answer is no HTTP. */
  | 'protocol'
  | `status_${number}`
  | 'redirect'
  | 'too_large'
  | 'not_json'
  /** The URL is not https, or http outside what `insecure` allows, or has parts that it must not have. */
  | 'url_refused'
  /** The metadata names another issuer (DI-02). */
  | 'issuer_mismatch'
  | 'jwks_uri_missing'
  | 'keys_missing'
  | 'too_many_keys'
  | 'no_usable_keys'
  /** The key set was given up while its fetch was going on. */
  | 'stopped'
  /** A fault of ours; the observer was told of it. */
  | 'internal_error';

/** Told apart from a value by `instanceof Failure`. */
export class Failure {
  readonly kind: FailureKind;

  constructor(kind: FailureKind) {
    this.kind = kind;
  }
}
