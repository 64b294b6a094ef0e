/**
 * Promises: token text → VerifiedToken that is good now, by the checks of interface section 7 from `size` to `revocation`, in that
 * order. A remembered token skips parsing and signature only: its issuer, its key and the time are asked for again.
 */
import { type Awaitable, after, type Step, Stop } from '../decision/step.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import { type Introspect, isOpaque } from '../token/introspected.ts';
import type { Issuer } from '../token/issuer.ts';
import { member } from '../token/json.ts';
import { parseJws, type UnverifiedJws } from '../token/jws.ts';
import type { KeyHint, ResolveKeys, VerificationKey } from '../token/key.ts';
import { findInvalidity } from '../token/validity.ts';
import { admitToken, readToken, type VerifiedToken, verifyToken } from '../token/verify.ts';
import { introspectorOf } from './introspector.ts';
import { createRejectedTokens } from './rejected-tokens.ts';
import { createTokenCache } from './token-cache.ts';
import type { VerificationLane } from './verification-lane.ts';

export interface TokenLimits {
  /** Longest accepted token, in bytes. */
  readonly maxTokenBytes: number;
  /** Verified tokens remembered at most; 0: none. */
  readonly tokenCacheEntries: number;
}

export interface TokenVerifierPorts {
  readonly resolveKeys: ResolveKeys;
  readonly introspect: Introspect;
  /** Where signatures are checked. */
  readonly lane: VerificationLane;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface TokenRequest {
  readonly token: string;
  readonly rule: Rule;
  readonly snapshot: PolicySnapshot;
  /** How long a fetch of keys may be waited for. */
  readonly waitMs: number;
}

/** A token that is good for the issuer's part; the rule's requirements come next. */
export interface GoodToken {
  readonly token: VerifiedToken;
  readonly cache: 'hit' | 'miss' | undefined;
}

/** A refusal; `token` when it was verified before it was refused, so that the log may name the caller. */
export interface RefusedToken {
  readonly stop: Stop;
  readonly token: VerifiedToken | undefined;
  readonly cache: 'hit' | 'miss' | undefined;
}

type Answer = GoodToken | RefusedToken;

export type TokenVerifier = (request: TokenRequest) => Awaitable<GoodToken | RefusedToken>;

export function createTokenVerifier(ports: TokenVerifierPorts, limits: TokenLimits): TokenVerifier {
  const cache = createTokenCache<VerifiedToken>(limits.tokenCacheEntries);
  const rejected = createRejectedTokens();

  function verify(request: TokenRequest): Awaitable<Answer> {
    if (request.token.length > limits.maxTokenBytes) return refused(new Stop('token_too_large'));
    const remembered = cache.get(request.token);
    // A new policy brings new issuer objects, so what was verified under the old one is verified again.
    if (remembered === undefined || request.snapshot.issuers.get(remembered.issuer.issuer) !== remembered.issuer) {
      return verifyFirstTime(request);
    }
    return after(recall(remembered, request), (recalled) => recalled ?? verifyFirstTime(request));
  }

  /** Undefined when the key that signed the token is no longer the issuer's. */
  function recall(token: VerifiedToken, request: TokenRequest): Awaitable<Answer | undefined> {
    const { issuer, key } = token;
    if (key === undefined) return undefined;
    const listed = checkListed(issuer, request.rule);
    if (listed instanceof Stop) return refused(listed, undefined, 'hit');
    const hint = { algorithm: key.algorithm, kid: token.kid };
    return after(ports.resolveKeys(issuer, hint, request.waitMs), (keys) => {
      // Its key is not the issuer's now, or nobody knows: what it says of its caller is told as little as of a token that is new.
      if (keys instanceof Stop) return refused(keys, undefined, 'hit');
      return keys.includes(key) ? judge(token, request, { nowMs: ports.now(), cache: 'hit' }) : undefined;
    });
  }

  function verifyFirstTime(request: TokenRequest): Awaitable<Answer> {
    const introspector = findIntrospector(request);
    if (introspector !== undefined) return ask(introspector, request);
    const admitted = admit(request);
    if (admitted instanceof Stop) return refused(admitted);
    const { jws, issuer, hint } = admitted;
    return after(ports.resolveKeys(issuer, hint, request.waitMs), (keys) => {
      if (keys instanceof Stop) return refused(keys);
      if (rejected.has(request.token, keys, ports.now()))
        return refused(new Stop('signature_invalid'), undefined, 'miss');
      const verified = ports.lane.run(() => verifyToken(jws, issuer, keys), request.waitMs);
      return after(verified, (token) => settle(token, keys, request));
    });
  }

  function settle(token: Step<VerifiedToken>, keys: readonly VerificationKey[], request: TokenRequest): Answer {
    if (token instanceof Stop) {
      if (token.reason === 'signature_invalid') rejected.add(request.token, keys, ports.now());
      return refused(token, undefined, 'miss');
    }
    cache.set(request.token, token);
    return judge(token, request, { nowMs: ports.now(), cache: 'miss' });
  }

  /** The answer is remembered where it was asked for: it is good for a short time only. */
  async function ask(issuer: Issuer, request: TokenRequest): Promise<Answer> {
    const token = await ports.introspect(issuer, request.token, request.waitMs);
    return token instanceof Stop ? refused(token) : judge(token, request, { nowMs: ports.now(), cache: undefined });
  }

  return verify;
}

/**
 * The same checks but for key and signature, for policy tests and `explain` with claims: whoever asks has written the claims himself.
 * Never part of `serve`.
 */
export function createUnsignedVerifier(now: () => number, limits: Pick<TokenLimits, 'maxTokenBytes'>): TokenVerifier {
  return (request) => {
    if (request.token.length > limits.maxTokenBytes) return refused(new Stop('token_too_large'));
    if (findIntrospector(request) !== undefined) return refused(notAsked);
    const admitted = admit(request);
    if (admitted instanceof Stop) return refused(admitted);
    const token = readToken(admitted.jws, admitted.issuer, undefined);
    return token instanceof Stop ? refused(token) : judge(token, request, { nowMs: now(), cache: undefined });
  };
}

const notAsked = new Stop('keys_unavailable', 'introspection: no issuer is asked here');

/** Undefined: the token is none that anybody is asked about. */
function findIntrospector({ token, rule, snapshot }: TokenRequest): Issuer | undefined {
  return isOpaque(token) ? introspectorOf(snapshot, rule) : undefined;
}

interface Judging {
  readonly nowMs: number;
  readonly cache: 'hit' | 'miss' | undefined;
}

/** What depends on the moment and the policy, and is asked for every request. */
function judge(token: VerifiedToken, { snapshot }: TokenRequest, { nowMs, cache }: Judging): GoodToken | RefusedToken {
  const stop = findInvalidity(token, nowMs) ?? findRevocation(token, snapshot, nowMs);
  return stop === undefined ? { token, cache } : refused(stop, token, cache);
}

function findRevocation(token: VerifiedToken, { revocations }: PolicySnapshot, nowMs: number): Stop | undefined {
  const { claims, issuer, raw, kid } = token;
  const { jti, subject, clientId, issuedAt } = claims;
  const sid = member(raw, 'sid');
  const sessionId = typeof sid === 'string' ? sid : undefined;
  const found = revocations.find(
    { issuer: issuer.name, jti, subject, clientId, sessionId, kid, issuedAt },
    nowMs / 1000,
  );
  return found === undefined ? undefined : new Stop('token_revoked');
}

interface Admitted {
  readonly jws: UnverifiedJws;
  readonly issuer: Issuer;
  readonly hint: KeyHint;
}

function admit({ token, rule, snapshot }: TokenRequest): Step<Admitted> {
  const jws = parseJws(token);
  if (jws instanceof Stop) return jws;
  const issuer = findIssuer(jws, rule, snapshot);
  if (issuer instanceof Stop) return issuer;
  const hint = admitToken(jws, issuer);
  return hint instanceof Stop ? hint : { jws, issuer, hint };
}

/** BCP-08: the issuer, and with it the keys, is chosen by `iss` among the configured ones (JWT-08: code point by code point). */
function findIssuer(jws: UnverifiedJws, rule: Rule, snapshot: PolicySnapshot): Step<Issuer> {
  const name = member(jws.claims, 'iss');
  const issuer = typeof name === 'string' ? snapshot.issuers.get(name) : undefined;
  return issuer === undefined
    ? new Stop('issuer_untrusted', 'iss is no issuer of the policy')
    : checkListed(issuer, rule);
}

function checkListed(issuer: Issuer, rule: Rule): Step<Issuer> {
  if (rule.issuers === undefined || rule.issuers.has(issuer.name)) return issuer;
  return new Stop('issuer_untrusted', `the rule does not list issuer ${issuer.name}`);
}

function refused(stop: Stop, token?: VerifiedToken, cache?: 'hit' | 'miss'): RefusedToken {
  return { stop, token, cache };
}
