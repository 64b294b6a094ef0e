/**
 * Promises: what a rule requires of a good token, in the order of interface section 7: step-up, scopes,
 * condition, headers.
 */
import type { ConditionInput } from '../condition/condition.ts';
import type { Header } from '../decision/decision.ts';
import type { RequestAttributes } from '../decision/request.ts';
import { type Step, Stop } from '../decision/step.ts';
import { claimHeaders } from '../policy/claim-header.ts';
import type { Match } from '../policy/match.ts';
import { missingScopes } from '../policy/scope.ts';
import type { Requirement } from '../policy/snapshot.ts';
import type { VerifiedToken } from '../token/verify.ts';

/** Ends with the headers to set, which is as far as a token can get. */
export function checkRequirements(match: Match, token: VerifiedToken, at: Moment): Step<readonly Header[]> {
  const { require, headers } = match.rule;
  const stop =
    checkStepUp(require, token, at.nowMs / 1000) ?? checkScopes(require, token) ?? checkCondition(match, token, at);
  return stop ?? (match.rule.mode === 'shadow' ? claimHeaders(headers, token.raw) : rememberedHeaders(headers, token));
}

const remembered = new WeakMap<
  VerifiedToken,
  { readonly headers: Headers; readonly result: Step<readonly Header[]> }
>();
type Headers = Match['rule']['headers'];

/** Of the rule that was asked for last: the same list as long as nothing changes, so that others can tell by it. */
function rememberedHeaders(headers: Headers, token: VerifiedToken): Step<readonly Header[]> {
  const known = remembered.get(token);
  if (known?.headers === headers) return known.result;
  const result = claimHeaders(headers, token.raw);
  remembered.set(token, { headers, result });
  return result;
}

/** The request as the rule's condition may read it. */
export interface Moment {
  readonly request: RequestAttributes;
  readonly host: string;
  readonly nowMs: number;
}

function checkScopes(require: Requirement, { claims }: VerifiedToken): Stop | undefined {
  return missingScopes(require, claims.scopes).length > 0 ? new Stop('insufficient_scope') : undefined;
}

function checkCondition({ rule, parameters }: Match, token: VerifiedToken, at: Moment): Stop | undefined {
  const { condition } = rule.require;
  if (condition === undefined) return undefined;
  const input = readConditionInput(parameters, token, at);
  if (input === undefined) return new Stop('condition_error', 'a value of the path template is no UTF-8');
  const result = condition.evaluate(input);
  if (typeof result !== 'boolean') return new Stop(result.reason, result.detail);
  return result ? undefined : new Stop('condition_false');
}

/** What a condition sees; undefined when a value of the path template is no UTF-8. */
export function readConditionInput(
  parameters: Match['parameters'],
  token: Pick<VerifiedToken, 'issuer' | 'claims' | 'raw'>,
  at: Moment,
): ConditionInput | undefined {
  const path = decodeValues(parameters);
  if (path === undefined) return undefined;
  const { request, host, nowMs: timeMs } = at;
  const { method, path: target, headers } = request;
  const { clientId, subject, scopes } = token.claims;
  return {
    claims: token.raw,
    request: { method, host, path, target, header: (name) => joined(headers.values(name)), timeMs },
    token: { issuer: token.issuer.name, clientId, subject, scopes },
  };
}

/** EA-40, EA-41: several values as Envoy's map encoding joins them; one that is no text makes all of them unreadable. */
function joined(values: readonly (string | undefined)[]): string | undefined {
  return values.length === 0 || values.includes(undefined) ? undefined : values.join(',');
}

/** Decoded once; undefined when a value is no UTF-8. */
export function decodeValues(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined {
  try {
    return new Map([...parameters].map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return undefined;
  }
}

/** SU-02: `auth_time` has no substitute, least of all `iat`. */
function checkStepUp(require: Requirement, { claims, issuer }: VerifiedToken, now: number): Stop | undefined {
  if (require.acr.length > 0 && (claims.acr === undefined || !require.acr.includes(claims.acr))) {
    return new Stop('insufficient_user_authentication', 'acr');
  }
  if (require.maxAuthAgeSeconds === undefined) return undefined;
  const oldest = now - require.maxAuthAgeSeconds - issuer.clockSkewSeconds;
  if (claims.authenticatedAt === undefined || claims.authenticatedAt < oldest) {
    return new Stop('insufficient_user_authentication', 'auth_time');
  }
  return undefined;
}
