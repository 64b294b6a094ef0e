/**
 * Promises: why a request that Scopegate makes as an OAuth client failed, as a value from a small set, safe as a metric label and in a log
 * line. Nothing of an answer or a secret is in it.
 */
import { explainFailure, type FailureKind, isFailureKind } from '../keyset/failure.ts';

/** RFC 6749 section 5.2, RFC 8707 section 2; what an issuer says besides is `other`. */
const oauthErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
] as const;

type OAuthError = (typeof oauthErrors)[number] | 'other';

const sentences = {
  endpoint_missing: 'the metadata of the issuer names no endpoint for it',
  secret_unreadable: 'the file of the secret cannot be read, is empty, or is none that a policy may name',
  key_unreadable: 'the file of the private key cannot be read, or holds no key that can sign an assertion',
  certificate_unreadable: 'the file of the certificate or of its key cannot be read, or the two do not belong together',
  answer_malformed: 'the answer is not what the specification wants',
  answer_untrusted: 'the answer is not signed by the issuer for us, as the policy wants it',
  token_unusable: 'the issuer gave a token that cannot be sent as a bearer token',
  token_short_lived: 'the issuer gave a token that lives for less than a second (`expires_in`)',
} as const;

export type RequestFailureKind = FailureKind | keyof typeof sentences | `oauth_${OAuthError}`;

/** Told apart from a value by `instanceof RequestFailure`. */
export class RequestFailure {
  readonly kind: RequestFailureKind;

  constructor(kind: RequestFailureKind) {
    this.kind = kind;
  }
}

export function oauthFailure(error: string): RequestFailure {
  const known = oauthErrors.find((one) => one === error);
  return new RequestFailure(`oauth_${known ?? 'other'}`);
}

/** What a person can do something with. */
export function explainRequestFailure(kind: RequestFailureKind): string {
  if (isFailureKind(kind)) return explainFailure(kind);
  return isNamed(kind) ? sentences[kind] : `the issuer refuses with error ${kind.slice('oauth_'.length)}`;
}

function isNamed(kind: string): kind is keyof typeof sentences {
  return Object.hasOwn(sentences, kind);
}
