/**
 * Promises: claims, as somebody wrote them, as the token that an issuer of the policy would make of them; or what is wrong with them.
 */
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { didYouMean } from '../policy/suggestion.ts';
import type { Issuer } from '../token/issuer.ts';
import { parseJsonObject } from '../token/json.ts';
import { mintToken } from '../token/minted-token.ts';

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
  const issuer = chooseIssuer(name, [...snapshot.issuers.values()]);
  return typeof issuer === 'string'
    ? { error: `--issuer: ${issuer}` }
    : { token: mintToken(issuer, claims, nowMs / 1000) };
}

function chooseIssuer(name: string | undefined, issuers: readonly Issuer[]): Issuer | string {
  const names = issuers.map((issuer) => issuer.name).toSorted();
  const [only] = issuers;
  if (only === undefined) return 'the policy names no issuer';
  if (name === undefined) return issuers.length === 1 ? only : `the policy has several issuers: ${names.join(', ')}`;
  const found = issuers.find((issuer) => issuer.name === name);
  return found ?? `the policy has no issuer of that name (${didYouMean(name, names) ?? `it has ${names.join(', ')}`})`;
}
