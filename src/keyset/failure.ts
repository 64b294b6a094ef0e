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

type NamedKind = Exclude<FailureKind, `status_${number}`>;

const sentences: Readonly<Record<NamedKind, string>> = {
  timeout: 'no complete answer in time',
  dns: 'the name of the host cannot be resolved',
  connect: 'no connection, or it broke',
  tls: 'the certificate is not accepted; a private CA belongs in `jwks.ca`',
  protocol: 'the answer is no HTTP',
  redirect: 'the server redirects, which is not followed; configure the final URL',
  too_large: 'the answer is larger than 1 MiB',
  not_json: 'the answer is no JSON object',
  url_refused: 'a URL is not https, or has a query or fragment that it must not have',
  issuer_mismatch: 'the metadata names another issuer; `issuer` must be equal to it, a slash at the end included',
  jwks_uri_missing: 'the metadata has no `jwks_uri`',
  keys_missing: 'the answer has no `keys`',
  too_many_keys: 'the set has more than 100 keys',
  no_usable_keys: 'no key of the set can be used to verify signatures',
  stopped: 'the issuer was taken out of the policy',
  internal_error: 'a fault of Scopegate; the log has its stack',
};

export function isFailureKind(text: string): text is FailureKind {
  return Object.hasOwn(sentences, text) || /^status_\d+$/.test(text);
}

/** What a person can do something with. */
export function explainFailure(kind: FailureKind): string {
  return isNamed(kind) ? sentences[kind] : `the server answered with status ${kind.slice('status_'.length)}`;
}

function isNamed(kind: FailureKind): kind is NamedKind {
  return Object.hasOwn(sentences, kind);
}
