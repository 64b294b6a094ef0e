/**
 * Promises: what is particular to a provider is one row; code is given the row and switches over no name.
 * A row says where scopes and client are found, which marks show that a token is no access token, and what its tokens look like
 * otherwise (interface section 2).
 * Leaves to others: mistakes in the settings of an issuer (policy/provider-mistakes.ts).
 */
import type { ProviderName } from './issuer.ts';
import { isJsonObject, type JsonObject, member } from './json.ts';
import type { UnverifiedJws } from './jws.ts';

export interface ProviderRow {
  /** Claims that may hold the scopes; the first that is present is the one (IDP-01: no union). */
  readonly scopeClaims: readonly string[];
  /** Claims that may name the client; the first that is present is the one. */
  readonly clientClaims: readonly string[];
  /** Claims that must be present, beside `iss` and `exp`, which always must (AT-02). */
  readonly requiredClaims: readonly string[];
  /** False: its tokens name no audience, and the allow-list of clients stands in for it (IDP-03). */
  readonly hasAudience: boolean;
  /** The mark by which the token is no access token; undefined: none found. */
  readonly foreignMark: (jws: UnverifiedJws) => string | undefined;
  /** What a token made up for a test has beside the claims of every token; `type` is `typ` of the header. */
  readonly minted: { readonly type?: string; readonly claims?: JsonObject };
}

type Mark = ProviderRow['foreignMark'];

/** The first mark that is found. */
function anyMark(...marks: readonly Mark[]): Mark {
  return (jws) => {
    for (const find of marks) {
      const mark = find(jws);
      if (mark !== undefined) return mark;
    }
    return undefined;
  };
}

/** AT-01: a proof, a logout token or a security event says so in its header. */
function headerTypeMark({ type }: UnverifiedJws): string | undefined {
  return type === undefined || type === 'jwt' || type === 'at+jwt' ? undefined : 'typ of the header';
}

/** OC-01: only ID tokens carry these. */
function claimMark(...names: readonly string[]): Mark {
  return ({ claims }) => names.find((name) => Object.hasOwn(claims, name));
}

const hashes = ['at_hash', 'c_hash', 's_hash'];

function tokenUseMark({ claims }: UnverifiedJws): string | undefined {
  const use = member(claims, 'token_use');
  return use === undefined || use === 'access' ? undefined : 'token_use';
}

/** `isForeign` is asked about the payload's own `typ`, in lower case. */
function payloadTypeMark(isForeign: (type: string) => boolean): Mark {
  return ({ claims }) => {
    const type = member(claims, 'typ');
    if (type === undefined) return undefined;
    return typeof type !== 'string' || isForeign(type.toLowerCase()) ? 'typ of the payload' : undefined;
  };
}

const foreignPayloadTypes = new Set(['id', 'refresh', 'offline', 'logout', 'serialized-id']);
/** IDP-02. */
const keycloakPayloadTypes = new Set(['bearer', 'dpop']);
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** A logout token need not have a `typ` (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
function logoutMark({ claims }: UnverifiedJws): string | undefined {
  const events = member(claims, 'events');
  return isJsonObject(events) && Object.hasOwn(events, logoutEvent) ? 'events' : undefined;
}

const genericMark = anyMark(
  headerTypeMark,
  claimMark('nonce', ...hashes),
  tokenUseMark,
  payloadTypeMark((type) => foreignPayloadTypes.has(type)),
  logoutMark,
);

/** Older ones copy `nonce` into access tokens; `typ` of the payload is what tells their tokens apart. */
const keycloakMark = anyMark(
  headerTypeMark,
  payloadTypeMark((type) => !keycloakPayloadTypes.has(type)),
  claimMark(...hashes),
  logoutMark,
);

export const providers = {
  generic: {
    scopeClaims: ['scope', 'scp'],
    clientClaims: ['client_id', 'azp', 'cid'],
    requiredClaims: [],
    hasAudience: true,
    foreignMark: genericMark,
    minted: { type: 'at+jwt' },
  },
  rfc9068: {
    scopeClaims: ['scope'],
    clientClaims: ['client_id'],
    requiredClaims: ['sub', 'client_id', 'iat', 'jti'],
    hasAudience: true,
    foreignMark: (jws) => (jws.type === 'at+jwt' ? genericMark(jws) : 'typ of the header is not at+jwt'),
    minted: { type: 'at+jwt', claims: { jti: 'minted' } },
  },
  keycloak: {
    scopeClaims: ['scope'],
    clientClaims: ['azp', 'client_id'],
    requiredClaims: [],
    hasAudience: true,
    foreignMark: keycloakMark,
    minted: { type: 'JWT', claims: { typ: 'Bearer' } },
  },
  auth0: {
    // IDP-06: with RBAC `permissions` is what was granted, `scope` what was asked for.
    scopeClaims: ['permissions', 'scope'],
    clientClaims: ['azp', 'client_id'],
    requiredClaims: [],
    hasAudience: true,
    foreignMark: genericMark,
    minted: { type: 'JWT' },
  },
  okta: {
    scopeClaims: ['scp'],
    clientClaims: ['cid'],
    requiredClaims: [],
    hasAudience: true,
    foreignMark: genericMark,
    minted: { claims: { ver: 1 } },
  },
  cognito: {
    scopeClaims: ['scope'],
    clientClaims: ['client_id'],
    requiredClaims: ['token_use'],
    hasAudience: false,
    // A refresh token that passes for signed by the pool has no `token_use` at all.
    foreignMark: (jws) => (Object.hasOwn(jws.claims, 'token_use') ? genericMark(jws) : 'token_use is absent'),
    minted: { claims: { token_use: 'access' } },
  },
  entra: {
    // IDP-04: `roles` are another authority, read only where the policy says `scopeClaim: roles`.
    scopeClaims: ['scp'],
    clientClaims: ['azp', 'appid'],
    requiredClaims: ['tid'],
    hasAudience: true,
    foreignMark: genericMark,
    minted: { type: 'JWT' },
  },
} as const satisfies Record<ProviderName, ProviderRow>;

export function providerRow(name: ProviderName): ProviderRow {
  return providers[name];
}
