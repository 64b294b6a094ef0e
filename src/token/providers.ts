/**
 * Promises: what is particular to a provider is one row; code is given the row and switches over no name.
 * A row says where scopes and client are found and which marks show that a token is no access token (interface section 2).
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
  /** The mark by which the token is no access token; undefined: none found. */
  readonly foreignMark: (jws: UnverifiedJws) => string | undefined;
}

/** OC-01: only ID tokens carry these. */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash', 's_hash'];
const foreignPayloadTypes = new Set(['id', 'refresh', 'offline', 'logout', 'serialized-id']);
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

function genericMark(jws: UnverifiedJws): string | undefined {
  if (jws.type !== undefined && jws.type !== 'jwt' && jws.type !== 'at+jwt') return 'typ of the header';
  return (
    idTokenClaims.find((name) => Object.hasOwn(jws.claims, name)) ??
    tokenUseMark(jws.claims) ??
    payloadTypeMark(jws.claims) ??
    logoutMark(jws.claims)
  );
}

function tokenUseMark(claims: JsonObject): string | undefined {
  const use = member(claims, 'token_use');
  return use === undefined || use === 'access' ? undefined : 'token_use';
}

function payloadTypeMark(claims: JsonObject): string | undefined {
  const type = member(claims, 'typ');
  if (type === undefined) return undefined;
  return typeof type !== 'string' || foreignPayloadTypes.has(type.toLowerCase()) ? 'typ of the payload' : undefined;
}

/** A logout token need not have a `typ` (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
function logoutMark(claims: JsonObject): string | undefined {
  const events = member(claims, 'events');
  return isJsonObject(events) && Object.hasOwn(events, logoutEvent) ? 'events' : undefined;
}

export const providers = {
  generic: {
    scopeClaims: ['scope', 'scp'],
    clientClaims: ['client_id', 'azp', 'cid'],
    requiredClaims: [],
    foreignMark: genericMark,
  },
  rfc9068: {
    scopeClaims: ['scope'],
    clientClaims: ['client_id'],
    requiredClaims: ['sub', 'client_id', 'iat', 'jti'],
    foreignMark: (jws) => (jws.type === 'at+jwt' ? genericMark(jws) : 'typ of the header is not at+jwt'),
  },
} as const satisfies Record<ProviderName, ProviderRow>;

export function providerRow(name: ProviderName): ProviderRow {
  return providers[name];
}
