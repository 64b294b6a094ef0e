/**
 * Promises: request × policy × keys × time → Decision (the PDP). The start is deny; the only two places of the code base that make an
 * Allow are here, and both stand at the end of every check.
 * Leaves to others: the wire (envoy/), logs and metrics (telemetry/).
 */
import { Allow, type Caller, type Decision, type Deny, type Told } from '../decision/decision.ts';
import { denyRow } from '../decision/deny-reason.ts';
import type { RequestAttributes } from '../decision/request.ts';
import { type Step, Stop } from '../decision/step.ts';
import { canonicalHost, canonicalPath, checkMethod } from '../policy/path.ts';
import { missingScopes } from '../policy/scope.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import { hasCredentials, readCredential } from '../token/bearer.ts';
import type { VerifiedToken } from '../token/verify.ts';
import { challengesFor } from './challenge.ts';
import { headersToRemove } from './identity-headers.ts';
import { checkRequirements } from './requirements.ts';
import { resourceMetadata } from './resource-metadata.ts';
import { createTokenVerifier, type TokenLimits, type TokenVerifierPorts } from './token-verifier.ts';

export interface AuthorizerOptions extends TokenVerifierPorts {
  /** The current policy; undefined before the first good one. */
  readonly policy: () => PolicySnapshot | undefined;
  readonly limits: TokenLimits;
}

export interface Authorizer {
  /** Decides. Waits for keys only, at most `waitMs`; rejects only for a fault of ours. */
  authorize(request: RequestAttributes, waitMs: number): Promise<Decision>;
  /** The answer when a request could not even be asked about. */
  refuse(stop: Stop): Deny;
}

/** A request with its ambiguities refused. */
interface Place {
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

/** What is known while one request is decided; filled in as checks pass. */
interface Progress {
  readonly request: RequestAttributes;
  readonly snapshot: PolicySnapshot;
  readonly place: Place | undefined;
  readonly rule: Rule | undefined;
  readonly token: VerifiedToken | undefined;
  readonly tokenCache: 'hit' | 'miss' | undefined;
  readonly scheme: 'Bearer' | 'DPoP';
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const verify = createTokenVerifier(options, options.limits);

  async function authorize(request: RequestAttributes, waitMs: number): Promise<Decision> {
    const snapshot = options.policy();
    if (snapshot === undefined) return refuse(new Stop('policy_unavailable'));
    const start: Progress = { ...unknown, request, snapshot };
    const place = readPlace(request, snapshot);
    if (place instanceof Stop) return deny(place, start);
    const body = resourceMetadata(snapshot, place.method, place.path);
    if (body !== undefined) return { reason: 'resource_metadata', told: tell({ ...start, place }), body };
    const rule = snapshot.routes.match(place.host, place.path, place.method)?.rule;
    if (rule === undefined) return deny(noRule(request), { ...start, place });
    const progress = { ...start, place, rule };
    if (rule.access === 'deny') return deny(new Stop('rule_deny'), progress);
    return rule.access === 'public' ? allowPublic(progress) : authorizeToken(progress, rule, waitMs);
  }

  async function authorizeToken(start: Progress, rule: Rule, waitMs: number): Promise<Decision> {
    const { request, snapshot } = start;
    const credential = readCredential(request.headers, queryOf(request.path));
    if (credential instanceof Stop) return deny(credential, start);
    const { scheme } = credential;
    const result = await verify({ token: credential.token, rule, snapshot, waitMs });
    const progress = { ...start, scheme, token: result.token, tokenCache: result.cache };
    if ('stop' in result) return deny(result.stop, progress);
    // DP-13: a token that is bound to no key has no business under the scheme DPoP.
    if (scheme === 'DPoP') return deny(new Stop('sender_constraint_failed', 'scheme DPoP'), progress);
    const headers = checkRequirements(rule, result.token, options.now());
    if (headers instanceof Stop) return deny(headers, progress);
    return new Allow('allowed', tell(progress), headers, headersToRemove(snapshot, rule, request.headers, headers));
  }

  return { authorize, refuse };

  function refuse(stop: Stop): Deny {
    const snapshot = options.policy();
    return denial(stop, { ...nothingTold, policy: snapshot?.hash });
  }
}

const unknown = {
  place: undefined,
  rule: undefined,
  token: undefined,
  tokenCache: undefined,
  scheme: 'Bearer',
} as const;

const nothingTold: Told = {
  policy: undefined,
  rule: undefined,
  path: undefined,
  host: undefined,
  caller: undefined,
  tokenCache: undefined,
  shadow: [],
};

/** No token is looked at; what the client claims to be is removed all the same (EA-13). */
function allowPublic(progress: Progress & { readonly rule: Rule }): Allow {
  const { request, rule, snapshot } = progress;
  return new Allow('allowed_public', tell(progress), [], headersToRemove(snapshot, rule, request.headers, []));
}

/** Everything that is ambiguous is refused before any rule is looked at (EA-48, EA-49, EA-61). */
function readPlace(request: RequestAttributes, snapshot: PolicySnapshot): Step<Place> {
  const path = canonicalPath(request.path, snapshot.pathParameters);
  if (path instanceof Stop) return path;
  const host = canonicalHost(request.host);
  if (host instanceof Stop) return host;
  const method = checkMethod(request.method);
  return method instanceof Stop ? method : { method, host, path };
}

function noRule(request: RequestAttributes): Stop {
  return new Stop('no_rule', undefined, hasCredentials(request.headers) ? undefined : 401);
}

function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark + 1);
}

function deny(stop: Stop, progress: Progress): Deny {
  const { rule, token, snapshot, scheme } = progress;
  const missing = stop.reason === 'insufficient_scope' && rule !== undefined && token !== undefined;
  return {
    ...denial(stop, tell(progress)),
    challenges: challengesFor(stop, { snapshot, rule, scheme }),
    missingScopes: missing ? missingScopes(rule.require, token.claims.scopes) : [],
  };
}

function denial(stop: Stop, told: Told): Deny {
  const { reason, detail } = stop;
  return { reason, status: stop.status ?? denyRow(reason).http, told, challenges: [], detail, missingScopes: [] };
}

function tell({ snapshot, rule, place, token, tokenCache }: Progress): Told {
  return {
    policy: snapshot.hash,
    rule: rule?.name,
    path: place?.path,
    host: place?.host,
    caller: token === undefined ? undefined : callerOf(token),
    tokenCache,
    shadow: [],
  };
}

function callerOf({ issuer, claims, kid }: VerifiedToken): Caller {
  const { subject, clientId, scopes, jti } = claims;
  return { issuer: issuer.name, subject, clientId, scopes, jti, kid };
}
