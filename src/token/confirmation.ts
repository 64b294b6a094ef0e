/**
 * Promises: what `cnf` binds a token to (RFC 7800 section 3.1), read without any benefit of the doubt: a method that is not known here
 * is never taken for checked (MT-03).
 * Leaves to others: whether the sender shows it (dpop-proof.ts, client-certificate.ts).
 */
import { isJsonObject, type JsonObject, member } from './json.ts';

/** At least one of the two; each that is there has to be shown. */
export interface Confirmation {
  /** RFC 7638 SHA-256 thumbprint of the DPoP key, base64url (RFC 9449 section 6.1). */
  readonly jkt: string | undefined;
  /** SHA-256 of the client certificate's DER, base64url (RFC 8705 section 3.1). */
  readonly x5tS256: string | undefined;
}

/** Methods of the registry beside those two; whoever sets one means it to be checked. */
const uncheckedMethods = ['jwk', 'jwe', 'jku', 'kid', 'osc', 'x5t', 'x5c', 'x5u'];

/** 32 bytes as base64url: 43 characters, of which the last one holds 4 bits. */
const sha256 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Undefined without `cnf`; `uncheckable` when nobody here can say whether the sender is the right one. */
export function readConfirmation(claims: JsonObject): Confirmation | 'uncheckable' | undefined {
  if (!Object.hasOwn(claims, 'cnf')) return undefined;
  const cnf = claims['cnf'];
  if (!isJsonObject(cnf) || uncheckedMethods.some((name) => Object.hasOwn(cnf, name))) return 'uncheckable';
  const jkt = member(cnf, 'jkt');
  const x5tS256 = member(cnf, 'x5t#S256');
  if (!isAbsentOrThumbprint(jkt) || !isAbsentOrThumbprint(x5tS256)) return 'uncheckable';
  // Issuers add members of their own (Keycloak: `kc-jkt-type`), which confirm nothing.
  return jkt === undefined && x5tS256 === undefined ? 'uncheckable' : { jkt, x5tS256 };
}

function isAbsentOrThumbprint(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && sha256.test(value));
}
