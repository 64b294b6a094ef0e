/**
 * Promises: claims, as somebody wrote them, as the token that an issuer of the policy would make of them; or what is wrong with them.
 */
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { didYouMean } from '../policy/suggestion.ts';
import type { Issuer } from '../token/issuer.ts';
import { type JsonObject, parseJsonObject } from '../token/json.ts';
import { issuerFor, mintToken } from '../token/minted-token.ts';

export interface GivenClaims {
  /** JSON text of an object. */
  readonly json: string;
  /** Name in the policy; undefined: the only one. */
  readonly issuer: string | undefined;
}

export type Minted = { readonly token: string } | { readonly error: string };

/** `nowMs` in milliseconds since the epoch. */
export function mintClaims({ json, issuer: name }: GivenClaims, snapshot: PolicySnapshot, nowMs: number): Minted {
  const claims = parseJsonObject(Buffer.from(json));
  if (typeof claims === 'string') return { error: `--claims: ${claims}` };
  const issuer = chooseIssuer(name, claims, [...snapshot.issuers.values()]);
  return typeof issuer === 'string'
    ? { error: `--issuer: ${issuer}` }
    : { token: mintToken(issuer, claims, nowMs / 1000) };
}

function chooseIssuer(name: string | undefined, claims: JsonObject, issuers: readonly Issuer[]): Issuer | string {
  const names = [...new Set(issuers.map((issuer) => issuer.name))].toSorted();
  if (names.length === 0) return 'the policy names no issuer';
  const [wanted, other] = name === undefined ? names : [name];
  if (other !== undefined) return `the policy has several issuers: ${names.join(', ')}`;
  const found = issuerFor(
    claims,
    issuers.filter((issuer) => issuer.name === wanted),
  );
  const near = name === undefined ? undefined : didYouMean(name, names);
  return found ?? `the policy has no issuer of that name (${near ?? `it has ${names.join(', ')}`})`;
}
