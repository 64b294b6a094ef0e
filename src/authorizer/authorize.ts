/**
 * Promises: request × policy × keys × time → Decision (the PDP). The start is deny; the only place of the code base that makes an Allow is
 * here, and stands at the end of every check.
 * Leaves to others: the wire (envoy/), logs and metrics (telemetry/).
 */
import { Allow, type Decision, type Deny, type Header, type ShadowVerdict, type Told } from '../decision/decision.ts';
import { denyRow } from '../decision/deny-reason.ts';
import type { RequestAttributes } from '../decision/request.ts';
import { type Awaitable, after, type Step, Stop } from '../decision/step.ts';
import { canonicalHost, canonicalPath, checkMethod } from '../policy/path.ts';
import { missingScopes } from '../policy/scope.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import { hasCredentials } from '../token/bearer.ts';
import type { ResolveClientToken } from '../token/oauth-client.ts';
import { challengesFor } from './challenge.ts';
import { callerOf, createGrants, type GrantRequest, newChanges } from './grant.ts';
import { resourceMetadata } from './resource-metadata.ts';
import { createRuleCheck, type RuleOutcome, type RuleQuestion } from './rule-check.ts';
import type { SenderCheck } from './sender.ts';
import { askShadow } from './shadow.ts';
import type { TokenVerifier } from './token-verifier.ts';
import { upstreamAuthorization } from './upstream-token.ts';

export interface AuthorizerOptions {
  /** The current policy; undefined before the first good one. */
  readonly policy: () => PolicySnapshot | undefined;
  readonly verify: TokenVerifier;
  readonly checkSender: SenderCheck;
  /** Tokens of our own, for rules that inject one. */
  readonly clientToken: ResolveClientToken;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Authorizer {
  /** Decides. Waits for keys and for tokens of our own only, at most `waitMs` in all; throws or rejects only for a fault of ours. */
  authorize(request: RequestAttributes, waitMs: number): Awaitable<Decision>;
  /** The answer when a request could not even be asked about. */
  refuse(stop: Stop): Deny;
}

/** Everything that the rule wants is there. */
type Passed = Progress & { readonly rule: Rule };

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
  readonly waitMs: number;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly place?: Place;
  readonly rule?: Rule;
  readonly outcome?: RuleOutcome;
  /** Filled after the decision is made. */
  readonly shadow: ShadowVerdict[];
}

export function createAuthorizer({ policy, verify, checkSender, clientToken, now }: AuthorizerOptions): Authorizer {
  const check = createRuleCheck({ verify, checkSender, now });

  const changesOf = createGrants();

  function authorize(request: RequestAttributes, waitMs: number): Awaitable<Decision> {
    const snapshot = policy();
    if (snapshot === undefined) return refuse(new Stop('policy_unavailable'));
    const start: Progress = { request, snapshot, waitMs, startMs: now(), shadow: [] };
    const place = readPlace(request, snapshot);
    if (place instanceof Stop) return deny(place, start);
    const decision = decide({ ...start, place }, place);
    const match = snapshot.shadowRoutes.match(place.host, place.path, place.method);
    return match === undefined ? decision : withShadow(decision, start, { match, host: place.host });
  }

  /** INVARIANT: the decision is made; the shadow is only told of. */
  async function withShadow(
    decided: Awaitable<Decision>,
    start: Progress,
    at: Pick<RuleQuestion, 'match' | 'host'>,
  ): Promise<Decision> {
    const decision = await decided;
    const verdict = await askShadow({ ...start, ...at }, check);
    if (verdict !== undefined) start.shadow.push(verdict);
    return decision;
  }

  function decide(start: Progress, { method, host, path }: Place): Awaitable<Decision> {
    const { snapshot, request } = start;
    const body = resourceMetadata(snapshot, method, path);
    if (body !== undefined) return { reason: 'resource_metadata', told: tell(start), body };
    const match = snapshot.routes.match(host, path, method);
    if (match === undefined) return deny(noRule(request), start);
    const { rule } = match;
    if (rule.access === 'deny') return deny(new Stop('rule_deny'), { ...start, rule });
    if (rule.access === 'public') return allow('allowed_public', [], { ...start, rule });
    return after(check({ ...start, match, host }), (outcome) => {
      const progress = { ...start, rule, outcome };
      const { result } = outcome;
      if (result instanceof Stop) return deny(result, progress);
      return allow('allowed', result, progress);
    });
  }

  /** What the client claims to be is removed on public rules too (EA-13). */
  function allow(reason: Allow['reason'], headers: readonly Header[], progress: Passed): Awaitable<Decision> {
    const { request, rule } = progress;
    if (rule.inject === undefined) return new Allow(reason, tell(progress), changesOf(grantOf(headers, progress)));
    return after(
      upstreamAuthorization(rule, request.path, waitLeftMs(progress, now()), clientToken),
      (authorization) => {
        if (authorization instanceof Stop) return deny(authorization, progress);
        return new Allow(reason, tell(progress), newChanges(grantOf([...headers, ...authorization], progress)));
      },
    );
  }

  function refuse(stop: Stop): Deny {
    return denial(stop, { ...nothingTold, policy: policy()?.hash });
  }

  return { authorize, refuse };
}

const nothingTold: Told = {
  policy: undefined,
  rule: undefined,
  path: undefined,
  host: undefined,
  caller: undefined,
  tokenCache: undefined,
  shadow: [],
};

/** Everything that is ambiguous is refused before any rule is looked at (EA-48, EA-49, EA-61). */
function readPlace(request: RequestAttributes, snapshot: PolicySnapshot): Step<Place> {
  const path = canonicalPath(request.path, snapshot.pathParameters);
  if (path instanceof Stop) return path;
  const host = canonicalHost(request.host);
  if (host instanceof Stop) return host;
  const method = checkMethod(request.method);
  return method instanceof Stop ? method : { method, host, path };
}

/** A clock that was set back, or forward, must not make the wait longer than it may be. */
function waitLeftMs({ waitMs, startMs }: Progress, nowMs: number): number {
  return Math.min(waitMs, Math.max(0, waitMs - (nowMs - startMs)));
}

function grantOf(setHeaders: readonly Header[], { rule, snapshot, request, outcome }: Passed): GrantRequest {
  return { token: outcome?.token, rule, snapshot, headers: request.headers, setHeaders, nonce: outcome?.nonce };
}

function noRule(request: RequestAttributes): Stop {
  return new Stop('no_rule', undefined, hasCredentials(request.headers) ? undefined : 401);
}

function deny(stop: Stop, progress: Progress): Deny {
  const { rule, outcome, snapshot } = progress;
  const token = outcome?.token;
  const isScope = stop.reason === 'insufficient_scope' && rule !== undefined && token !== undefined;
  return {
    ...denial(stop, tell(progress)),
    nonce: outcome?.nonce,
    challenges: challengesFor(stop, { snapshot, rule, scheme: outcome?.scheme ?? 'Bearer' }),
    missingScopes: isScope ? missingScopes(rule.require, token.claims.scopes) : [],
  };
}

function denial(stop: Stop, told: Told): Deny {
  const { reason, detail } = stop;
  return {
    reason,
    status: stop.status ?? denyRow(reason).http,
    told,
    challenges: [],
    nonce: undefined,
    detail,
    missingScopes: [],
  };
}

function tell({ snapshot, rule, place, outcome, shadow }: Progress): Told {
  const token = outcome?.token;
  return {
    policy: snapshot.hash,
    rule: rule?.name,
    path: place?.path,
    host: place?.host,
    caller: token === undefined ? undefined : callerOf(token),
    tokenCache: outcome?.tokenCache,
    shadow,
  };
}
