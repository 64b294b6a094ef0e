/**
 * Promises: the one credential of a request, or the reason why there is none (RFC 6750 section 2, RFC 9449 section 7.1).
 * Leaves to others: what is inside the token (jws.ts).
 */
import type { RequestHeaders } from '../decision/request.ts';
import { type Step, Stop } from '../decision/step.ts';

export interface Credential {
  readonly scheme: 'Bearer' | 'DPoP';
  /** token68 (RFC 9110 section 11.2), of any length. */
  readonly token: string;
}

// BT-01: one or more SP and nothing else between scheme and token; `\s` would let NBSP and TAB through.
const scheme = /^(bearer|dpop)(?: |$)/i;
const credentials = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i;
// Authorization sent twice arrives as one value (EA-40): a second scheme of ours behind another one is no foreign scheme.
const laterScheme = /,\s*(?:bearer|dpop)(?:\s|$)/i;

/** True when Bearer or DPoP credentials came, well-formed or not. */
export function hasCredentials(headers: RequestHeaders): boolean {
  return headers.values('authorization').some((value) => value !== undefined && scheme.test(value));
}

/** Reads the credential. `query` is what follows the first `?` of the request target, without it. */
export function readCredential(headers: RequestHeaders, query: string): Step<Credential> {
  const value = onlyAuthorization(headers);
  if (value instanceof Stop) return value;
  if (!scheme.test(value)) return foreignScheme(value);
  const [, name, token] = credentials.exec(value) ?? [];
  if (name === undefined || token === undefined) {
    return new Stop('credentials_malformed', 'Authorization is not one scheme, one space and one token');
  }
  // BT-03: the upstream might read the other one.
  if (hasQueryToken(query)) return new Stop('credentials_malformed', 'a token in the header and in the query');
  return { scheme: name.length === 4 ? 'DPoP' : 'Bearer', token };
}

function onlyAuthorization(headers: RequestHeaders): Step<string> {
  const values = headers.values('authorization');
  if (values.length > 1) return new Stop('credentials_malformed', 'Authorization sent more than once');
  const [value] = values;
  if (values.length === 0 || value === '') return new Stop('token_missing', 'no Authorization header');
  return value ?? new Stop('credentials_malformed', 'Authorization is not UTF-8');
}

function foreignScheme(value: string): Stop {
  return laterScheme.test(value)
    ? new Stop('credentials_malformed', 'two schemes in Authorization')
    : new Stop('token_missing', 'Authorization has another scheme');
}

/** BT-03. True when a parameter `access_token` is in the query, in whatever percent-encoding. */
export function hasQueryToken(query: string): boolean {
  if (query === '') return false;
  return query.split('&').some((pair) => decodeName(pair.split('=', 1)[0] ?? '') === 'access_token');
}

function decodeName(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
