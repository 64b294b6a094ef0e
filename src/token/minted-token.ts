/**
 * Promises: a token as its issuer would make it, with the claims that somebody wants to see in it, for policy tests and `explain`. What is
 * not given is filled in; `null` takes a claim out. Its signature is none, so that no verifier of the mesh can accept it.
 */
import type { Issuer } from './issuer.ts';
import { type JsonObject, member } from './json.ts';
import { providerRow } from './providers.ts';

const lifetimeSeconds = 300;
/** One byte: well-formed, and the length of no signature. */
const noSignature = 'AA';

/** Of the issuers that share a name, the one that the claims point at; the first where they point at none. */
export function issuerFor(claims: JsonObject, namesakes: readonly Issuer[]): Issuer | undefined {
  const [iss, tid] = [member(claims, 'iss'), member(claims, 'tid')];
  return (
    namesakes.find(({ issuer }) => issuer === iss) ??
    namesakes.find(({ tenant }) => tenant !== undefined && tenant === tid) ??
    namesakes[0]
  );
}

/** Compact JWS. `now` is in seconds since the epoch. */
export function mintToken(issuer: Issuer, claims: JsonObject, now: number): string {
  const [algorithm] = issuer.algorithms;
  const payload = Object.entries({ ...filledIn(issuer, claims, now), ...claims }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return `${part({ alg: algorithm, typ: providerRow(issuer.provider).minted.type })}.${part(Object.fromEntries(payload))}.${noSignature}`;
}

/** What every token of the issuer has; who called and what it may do is for the claims to say. */
function filledIn(issuer: Issuer, claims: JsonObject, now: number): JsonObject {
  const { clientClaims, minted } = providerRow(issuer.provider);
  // The claims may name the client, or take it out, under another name.
  const isClientGiven = clientClaims.some((name) => Object.hasOwn(claims, name));
  const [client] = isClientGiven ? [] : (issuer.clientIds ?? []);
  const [clientClaim] = clientClaims;
  return {
    iss: issuer.issuer,
    aud: issuer.audiences[0],
    iat: Math.floor(now),
    exp: Math.floor(now) + lifetimeSeconds,
    ...(client === undefined || clientClaim === undefined ? {} : { [clientClaim]: client }),
    tid: issuer.tenant,
    ...minted.claims,
  };
}

function part(members: JsonObject): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url');
}
