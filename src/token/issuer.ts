/**
 * Promises: all that verifying a token of one issuer needs to know, valid by construction (policy/compile.ts makes it).
 * Leaves to others: where its keys are at the moment (keyset/).
 */
import type { Algorithm } from './algorithm.ts';
import type { ClientAuthentication } from './client-authentication.ts';

/** Where the public keys of an issuer come from. */
export type JwksSource =
  /** OpenID Connect Discovery, then RFC 8414, on the issuer's own URL. */
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uri'; readonly uri: string }
  /** The JWK Set itself, from the policy document. */
  | { readonly kind: 'inline'; readonly keys: readonly unknown[] };

/** A claim path: the member names from the claims object inwards. */
export type ClaimPath = readonly string[];

export type ProviderName = 'generic' | 'rfc9068' | 'keycloak' | 'auth0' | 'okta' | 'cognito' | 'entra';

/** How the issuer is asked about its opaque tokens (RFC 7662). */
export interface Introspection {
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  /** Of the endpoint; undefined: found by discovery. */
  readonly uri: string | undefined;
  /** Answers must be signed (RFC 9701). */
  readonly signed: boolean;
  /** How long an answer may be remembered; 0: not at all. */
  readonly cacheSeconds: number;
}

export interface Issuer {
  /** Name in the policy, logs and metrics; the tenants of one entry share it. */
  readonly name: string;
  /** Equals the token's `iss`, code point by code point. */
  readonly issuer: string;
  readonly provider: ProviderName;
  /** The tenant that `tid` must name, a GUID in lower case (IDP-04); undefined: the provider has none, or `issuer` does not tell. */
  readonly tenant: string | undefined;
  /** Empty where the provider's tokens name none. */
  readonly audiences: readonly string[];
  /** Allow-list of clients; undefined: any. */
  readonly clientIds: ReadonlySet<string> | undefined;
  readonly jwks: JwksSource;
  /** PEM of the private CA for every URL fetched for this issuer. */
  readonly ca: string | undefined;
  readonly algorithms: ReadonlySet<Algorithm>;
  /** Where the scopes are; undefined: as the provider's row says. */
  readonly scopeClaim: ClaimPath | undefined;
  readonly clockSkewSeconds: number;
  /** Most seconds between `iat` and `exp`; undefined: no limit. */
  readonly maxLifetimeSeconds: number | undefined;
  readonly requireSub: boolean;
  /** How its tokens must be bound; one that carries `cnf` is checked whatever is wanted. */
  readonly senderConstraint: 'none' | 'dpop' | 'mtls' | 'any';
  readonly dpop: {
    /** Proofs must carry a nonce of ours. */
    readonly nonce: boolean;
    /** Oldest accepted proof, in seconds. */
    readonly maxAgeSeconds: number;
  };
  /** Undefined: only JWTs of this issuer count. */
  readonly introspection: Introspection | undefined;
  readonly insecure: {
    /** URLs fetched for this issuer may be http on loopback. */
    readonly allowHttp: boolean;
    /** Lifts the loopback limit of `allowHttp`. */
    readonly anyHost: boolean;
  };
}
