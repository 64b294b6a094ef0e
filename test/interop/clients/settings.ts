/** What a client program is told, and what it tells. */

export interface Settings {
  readonly api: {
    /** Envoy, without TLS. */
    readonly url: string;
    /** What has to be in the Host header there. */
    readonly host: string;
    /** The same as the world knows it. */
    readonly publicUrl: string;
    /** Envoy with TLS. */
    readonly tlsPort: number;
  };
  readonly keycloak: Endpoints;
  readonly oidc: Endpoints;
  /** Confidential clients of both issuers; the secret is the name with `-secret` after it. */
  readonly service: string;
  readonly dpop: string;
  /** Of Keycloak only. */
  readonly scopeless: string;
  readonly web: string;
  /** Public clients of Keycloak. */
  readonly spa: string;
  readonly spaDpop: string;
  readonly user: { readonly name: string; readonly password: string };
  readonly redirectUri: string;
}

export interface Endpoints {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** By the name of what was tried. */
export type Answers = Readonly<Record<string, Answer>>;
