/**
 * Promises: one decision with its reasons. The decision is the one of the authorizer that serves the mesh; the explanation is derived
 * from it and from what it was made of.
 */
import type { Authorizer } from '../authorizer/authorize.ts';
import { decodeValues } from '../authorizer/requirements.ts';
import { Allow, type Decision } from '../decision/decision.ts';
import { type DenyReason, denyReasons, denyRow } from '../decision/deny-reason.ts';
import { describeMetadata, describeRefusal } from '../envoy/check-response.ts';
import type { MetadataValue } from '../envoy/struct.ts';
import { printable } from '../report/printable.ts';
import { type CheckRow, checks } from './checks.ts';
import { considerRules } from './considered-rules.ts';
import type {
  Answer,
  ConsideredRules,
  ExplainedClaim,
  ExplainedHeaders,
  ExplainedStep,
  ExplainedToken,
  Explanation,
  SetHeader,
  StepResult,
} from './explanation.ts';
import { type Facts, gatherFacts, type Question } from './facts.ts';

export async function explain(question: Question, authorizer: Authorizer, waitMs: number): Promise<Explanation> {
  const decision = await authorizer.authorize(question.request, waitMs);
  return explainDecision(gatherFacts(question, decision));
}

function explainDecision(facts: Facts): Explanation {
  const { decision, request } = facts;
  const { told } = decision;
  const answer = answerOf(facts);
  return {
    decision: Allow.isAllow(decision) ? 'allow' : 'deny',
    status: answer?.status ?? 200,
    reason: decision.reason,
    meaning: meaningOf(decision),
    rule: told.rule ?? null,
    request: {
      method: request.method,
      rawPath: request.path.split('?', 1)[0] ?? '',
      rawHost: request.host,
      path: told.path ?? null,
      host: told.host ?? null,
      parameters: parametersOf(facts),
    },
    rules: rulesOf(facts),
    shadow: told.shadow,
    token: tokenOf(facts),
    steps: stepsOf(facts),
    headers: headersOf(facts),
    answer,
    metadata: metadataOf(facts),
  };
}

const allowedMeanings: Readonly<Record<string, string>> = {
  allowed: 'The token has all that the rule requires.',
  allowed_public: 'The rule says `access: public`.',
  resource_metadata: 'Scopegate answers with the document of RFC 9728.',
};

function meaningOf({ reason }: Decision): string {
  return isDenyReason(reason) ? denyRow(reason).meaning : (allowedMeanings[reason] ?? '');
}

function isDenyReason(reason: string): reason is DenyReason {
  return Object.hasOwn(denyReasons, reason);
}

/** Own properties whatever their names. */
function parametersOf({ match }: Facts): Readonly<Record<string, string | null>> {
  const parameters = [...(match?.parameters ?? [])];
  return Object.fromEntries(
    parameters.map(([name, value]) => [name, decodeValues(new Map([[name, value]]))?.get(name) ?? null]),
  );
}

function rulesOf({ decision, request, snapshot }: Facts): ConsideredRules {
  const { path, host } = decision.told;
  if (path === undefined || host === undefined) return { considered: [], omitted: 0 };
  return considerRules(snapshot.routes.routes, { path, host, method: request.method });
}

function tokenOf({ token, decision, isSigned, showClaims }: Facts): ExplainedToken | null {
  const { jws, issuer } = token ?? {};
  if (jws === undefined) return null;
  const isVerified = decision.told.caller !== undefined;
  const names = Object.keys(jws.claims).toSorted();
  const claims = names.map((name) => explainClaim(name, showClaims ? jws.claims[name] : undefined));
  return {
    state: isSigned ? (isVerified ? 'verified' : 'not_verified') : 'given',
    issuer: issuer?.name ?? null,
    claims,
  };
}

function explainClaim(name: string, value: unknown): ExplainedClaim {
  return value === undefined
    ? { name: printable(name) }
    : { name: printable(name), value: printable(JSON.stringify(value)) };
}

function stepsOf(facts: Facts): readonly ExplainedStep[] {
  const last = lastCheck(facts);
  const isOpen = facts.rule?.access === 'public';
  return checks.flatMap((row, at) => {
    if (row.isFor?.(facts) === false) return [];
    if (at > last) return { check: row.check, result: 'not_reached' };
    // A public rule that injects goes on to the end, past all that is about the caller's token.
    if (isOpen && at !== last && row.isOfToken !== false)
      return { check: row.check, result: 'skipped', found: 'no token is looked at' };
    return step(row, at === last ? lastResult(facts) : 'pass', facts);
  });
}

/** The check at which the decision was made. */
function lastCheck(facts: Facts): number {
  const { reason } = facts.decision;
  if (reason === 'allowed') return checks.length - 1;
  if (reason === 'allowed_public' && facts.rule?.inject === undefined) {
    return checks.findIndex(({ check }) => check === 'access');
  }
  if (reason === 'allowed_public') return checks.length - 1;
  return checks.findIndex(({ reasons, isHere }) => reasons.some((one) => one === reason) && (isHere?.(facts) ?? true));
}

function lastResult({ decision }: Facts): StepResult {
  if (Allow.isAllow(decision)) return 'pass';
  return decision.reason === 'resource_metadata' ? 'answered' : 'fail';
}

function step(row: CheckRow, result: StepResult, facts: Facts): ExplainedStep {
  const { check, isOfJwt, describe } = row;
  const introspector = facts.token?.introspector;
  if (isOfJwt === true && introspector !== undefined && result === 'pass')
    return { check, result: 'skipped', found: `no JWT, issuer ${introspector.name} is asked` };
  const lacking = facts.isSigned ? undefined : lackingOfClaims(row);
  if (lacking !== undefined) return { check, result: 'skipped', found: lacking };
  const detail = result === 'fail' && facts.detail !== undefined ? { detail: facts.detail } : {};
  return { check, result, ...detail, ...describe(facts) };
}

/** What claims that somebody typed do not have, and a token that was sent would. */
function lackingOfClaims({ isOfSignature, isOfSender }: CheckRow): string | undefined {
  if (isOfSignature === true) return 'claims have no signature';
  return isOfSender === true ? 'claims come without proof and certificate' : undefined;
}

function headersOf({ decision, rule, showClaims }: Facts): ExplainedHeaders {
  if (!Allow.isAllow(decision)) return { set: {}, removed: [] };
  const claims = new Map(rule?.headers.map(({ name, claim }) => [name, claim.join('.')]));
  const set = decision.setHeaders.map(([name, value]): [string, SetHeader] => [
    name,
    name === 'authorization' && rule?.inject !== undefined
      ? { client: rule.inject.name }
      : { claim: claims.get(name) ?? '', ...(showClaims && { value }) },
  ]);
  return { set: Object.fromEntries(set), removed: decision.removeHeaders };
}

function answerOf({ decision, request }: Facts): Answer | null {
  if (Allow.isAllow(decision)) return null;
  const { status, code, headers, body } = describeRefusal(decision, request);
  return { status, grpcCode: code, headers, body };
}

/** Members that are values of claims. */
const claimMembers: ReadonlySet<string> = new Set(['subject', 'client_id', 'scopes']);

function metadataOf({ decision, showClaims }: Facts): Readonly<Record<string, MetadataValue>> {
  const members = describeMetadata(decision.told, decision.reason);
  return Object.fromEntries(
    members.map(([name, value]) => [name, claimMembers.has(name) && !showClaims ? '(not shown)' : value]),
  );
}
