/**
 * Promises: all that an explanation is derived from, gathered after the decision: the request, the policy, the rule, and what the token
 * says about itself. Nothing here decides, and nothing that decides knows of it.
 */
import { introspectorOf } from '../authorizer/introspector.ts';
import { Allow, type Decision } from '../decision/decision.ts';
import type { RequestAttributes } from '../decision/request.ts';
import { Stop } from '../decision/step.ts';
import type { Match } from '../policy/match.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import { readCredential } from '../token/bearer.ts';
import { type AccessTokenClaims, readClaims } from '../token/claims.ts';
import { isOpaque } from '../token/introspected.ts';
import type { Issuer } from '../token/issuer.ts';
import { member } from '../token/json.ts';
import { parseJws, type UnverifiedJws } from '../token/jws.ts';

export interface Question {
  readonly request: RequestAttributes;
  readonly snapshot: PolicySnapshot;
  readonly nowMs: number;
  readonly maxTokenBytes: number;
  /** False: the claims were given, and no signature was looked at. */
  readonly isSigned: boolean;
  /** Values of claims may be shown. */
  readonly showClaims: boolean;
}

export interface Facts extends Question {
  readonly decision: Decision;
  /** In seconds since the epoch. */
  readonly now: number;
  /** What exactly failed; undefined also when nothing did. */
  readonly detail: string | undefined;
  readonly match: Match | undefined;
  readonly rule: Rule | undefined;
  readonly token: TokenFacts | undefined;
}

/** What a token says, verified or not. */
export interface TokenFacts {
  readonly scheme: 'Bearer' | 'DPoP';
  /** Of its text, in bytes. */
  readonly length: number;
  readonly jws: UnverifiedJws | undefined;
  readonly issuer: Issuer | undefined;
  /** The issuer that is asked about it, where it is no JWT; undefined: it is one, or nobody is asked. */
  readonly introspector: Issuer | undefined;
  /** Undefined also when one of them is invalid. */
  readonly claims: AccessTokenClaims | undefined;
}

export function gatherFacts(question: Question, decision: Decision): Facts {
  const { request, snapshot, nowMs } = question;
  const { path, host } = decision.told;
  const isPlaced = path !== undefined && host !== undefined && decision.reason !== 'resource_metadata';
  const match = isPlaced ? snapshot.routes.match(host, path, request.method) : undefined;
  const detail = !Allow.isAllow(decision) && 'detail' in decision ? decision.detail : undefined;
  const token = readTokenFacts(request, snapshot, match?.rule);
  return { ...question, decision, now: nowMs / 1000, detail, match, rule: match?.rule, token };
}

function readTokenFacts(
  request: RequestAttributes,
  snapshot: PolicySnapshot,
  rule: Rule | undefined,
): TokenFacts | undefined {
  const query = request.path.slice(request.path.indexOf('?') + 1 || request.path.length);
  const credential = readCredential(request.headers, query);
  if (credential instanceof Stop) return undefined;
  const { scheme, token } = credential;
  const introspector = rule !== undefined && isOpaque(token) ? introspectorOf(snapshot, rule) : undefined;
  return { scheme, length: token.length, introspector, ...readJwt(token, snapshot, introspector) };
}

function readJwt(
  token: string,
  snapshot: PolicySnapshot,
  introspector: Issuer | undefined,
): Pick<TokenFacts, 'jws' | 'issuer' | 'claims'> {
  const jws = parseJws(token);
  if (jws instanceof Stop) return { jws: undefined, issuer: introspector, claims: undefined };
  const name = member(jws.claims, 'iss');
  const issuer = typeof name === 'string' ? snapshot.issuers.get(name) : undefined;
  const claims = issuer && readClaims(jws.claims, issuer);
  return { jws, issuer, claims: claims instanceof Stop ? undefined : claims };
}
