/**
 * Promises: the ways in which a rule that wants a token may decide on the token of a recorded request, in the order of the checks
 * (interface section 7). A check whose outcome the log does not tell may end it, and the next ones are looked at all the same.
 */
import { introspectorOf } from '../authorizer/introspector.ts';
import type { Match } from '../policy/match.ts';
import { missingScopes } from '../policy/scope.ts';
import type { Rule } from '../policy/snapshot.ts';
import type { Issuer } from '../token/issuer.ts';
import { conditionOutlook } from './condition-outlook.ts';
import type { EvidenceRow } from './evidence.ts';
import { headerOutlook } from './header-outlook.ts';
import { injectOutlook } from './inject-outlook.ts';
import type { Candidate } from './outlook.ts';
import type { RecordedDecision } from './record.ts';

interface Question {
  readonly candidate: Candidate;
  readonly match: Match;
}

interface Reasons {
  readonly reasons: ReadonlySet<string> | undefined;
  readonly unknown: readonly string[];
}

export function tokenOutlook(record: RecordedDecision, row: EvidenceRow, question: Question): Reasons {
  if (row.sawUpTo === 'verified' && record.issuer === undefined) return noIssuer;
  return (
    unchangedOutlook(record, row, question) ??
    perhapsOpaqueOutlook(record, question) ??
    changedOutlook(record, row, question)
  );
}

const noIssuer: Reasons = { reasons: undefined, unknown: ['the issuer of the token, which the line does not name'] };

/** The log does not say of which kind a verified token was. One that was no JWT is good only where the same issuer is asked about it. */
function perhapsOpaqueOutlook({ issuer, kid }: RecordedDecision, { candidate, match }: Question): Reasons | undefined {
  const { baseline, snapshot } = candidate;
  if (issuer === undefined || kid !== undefined || baseline?.hasIntrospection(issuer) !== true) return undefined;
  const isAsked = baseline.keepsIssuer(issuer) && introspectorOf(snapshot, match.rule)?.name === issuer;
  return isAsked ? undefined : { reasons: undefined, unknown: ['whether the token was a JWT'] };
}

/** Where rule and issuer are as they were, the decision is, unless a revocation is new. */
function unchangedOutlook(record: RecordedDecision, row: EvidenceRow, question: Question): Reasons | undefined {
  const { baseline, revocations } = question.candidate;
  if (baseline === undefined || !isUnchanged(record, question)) return undefined;
  if (baseline.keepsRevocations) return only(record.reason);
  if (record.reason === 'token_revoked') return undefined;
  if (!isPastRevocation(record, row)) return only(record.reason);
  const found = revocations.find(record);
  if (typeof found === 'string') return only(found === 'yes' ? 'token_revoked' : record.reason);
  return { reasons: new Set([record.reason, 'token_revoked']), unknown: [lacking(found.lacks)] };
}

function isUnchanged(record: RecordedDecision, { candidate: { baseline }, match }: Question): boolean {
  return baseline?.hasSameRule(record, match) === true && baseline.keepsIssuer(record.issuer);
}

/** The token had been found in no revocation when the decision was made. */
function isPastRevocation({ reason }: RecordedDecision, { sawUpTo, settings }: EvidenceRow): boolean {
  return (
    sawUpTo === 'verified' && settings === undefined && reason !== 'client_not_allowed' && reason !== 'token_revoked'
  );
}

function lacking(claim: string): string {
  return `the token's ${claim}, for a revocation`;
}

function changedOutlook(record: RecordedDecision, row: EvidenceRow, question: Question): Reasons {
  return row.sawUpTo === 'unverified'
    ? unverifiedOutlook(record, row, question)
    : verifiedOutlook(record, row, question);
}

/** Whose token it is, is not in the log, but for one that the rule did not list or that was verified for an earlier request. */
function unverifiedOutlook(record: RecordedDecision, row: EvidenceRow, question: Question): Reasons {
  const name = /^the rule does not list issuer (.+)$/.exec(record.detail ?? '')?.[1];
  if (name !== undefined) {
    const issuer = findIssuer(name, question);
    return 'reasons' in issuer ? issuer : unverified;
  }
  if (!keepsSettings(record, row, question)) return unverified;
  return refusedAgain(record, question);
}

/** An issuer that the candidate has refuses the token for the same reason; whether it has the issuer is another question. */
function refusedAgain({ reason, issuer: name }: RecordedDecision, question: Question): Reasons {
  if (name !== undefined) {
    const issuer = findIssuer(name, question);
    return 'reasons' in issuer ? issuer : only(reason);
  }
  const { baseline, snapshot } = question.candidate;
  const { rule } = question.match;
  const hasAll = baseline !== undefined && [...snapshot.issuers.values()].every((issuer) => isListed(rule, issuer));
  if (hasAll || reason === 'issuer_untrusted') return only(reason);
  return { reasons: new Set([reason, 'issuer_untrusted']), unknown: ['the issuer of the token'] };
}

const unverified: Reasons = { reasons: undefined, unknown: ['a token that was refused before it was verified'] };

function keepsSettings(record: RecordedDecision, { settings }: EvidenceRow, { candidate }: Question): boolean {
  const { baseline } = candidate;
  return baseline === undefined ? settings === 'taken' : baseline.keepsIssuer(record.issuer);
}

function issuerNow(name: string, { candidate }: Question): Issuer | undefined {
  const { baseline, snapshot } = candidate;
  if (baseline !== undefined) return baseline.issuerNow(name);
  for (const issuer of snapshot.issuers.values()) if (issuer.name === name) return issuer;
  return undefined;
}

/** The issuer that goes by this name in the log, where the rule takes its tokens; or what becomes of them. */
function findIssuer(name: string, question: Question): Issuer | Reasons {
  const issuer = issuerNow(name, question);
  if (issuer !== undefined) return isListed(question.match.rule, issuer) ? issuer : only('issuer_untrusted');
  if (question.candidate.baseline !== undefined) return only('issuer_untrusted');
  // It may be the earlier name of an issuer that the candidate has.
  return { reasons: undefined, unknown: [`whether issuer ${name} was renamed`] };
}

function isListed({ issuers }: Rule, { name }: Issuer): boolean {
  return issuers?.has(name) ?? true;
}

function verifiedOutlook(record: RecordedDecision, row: EvidenceRow, question: Question): Reasons {
  const issuer = findIssuer(record.issuer ?? '', question);
  if ('reasons' in issuer) return issuer;
  if (row.settings !== undefined) {
    return keepsSettings(record, row, question) ? only(record.reason) : settingsUnknown(issuer);
  }
  const { baseline } = question.candidate;
  const isChanged = baseline?.keepsIssuer(record.issuer) === false;
  return isChanged ? settingsUnknown(issuer) : acceptedOutlook(record, row, { ...question, issuer });
}

function settingsUnknown({ name }: Issuer): Reasons {
  return { reasons: undefined, unknown: [`the token itself, for the settings of issuer ${name}`] };
}

interface Accepted extends Question {
  readonly issuer: Issuer;
}

/** Of a token that its issuer's settings let through: client, revocation, sender, step-up, scopes, condition, headers. */
function acceptedOutlook(record: RecordedDecision, row: EvidenceRow, question: Accepted): Reasons {
  const reasons = new Set<string>();
  const unknown: string[] = [];
  for (const check of laterChecks) {
    const { may = [], must, lacks } = check(record, row, question);
    for (const reason of may) reasons.add(reason);
    if (lacks !== undefined) unknown.push(lacks);
    if (must !== undefined) return { reasons: reasons.add(must), unknown: reasons.size === 1 ? [] : unknown };
  }
  return { reasons: reasons.add('allowed'), unknown };
}

/** How a check may end a decision, surely or perhaps. */
export interface CheckOutlook {
  /** It ends with this reason, if it comes so far. */
  readonly must?: string;
  /** It may end with one of these. */
  readonly may?: readonly string[];
  /** What would have to be known. */
  readonly lacks?: string;
}

type LaterCheck = (record: RecordedDecision, row: EvidenceRow, question: Accepted) => CheckOutlook;

const passes: CheckOutlook = {};

const laterChecks: readonly LaterCheck[] = [
  clientOutlook,
  revocationOutlook,
  (record, { repeats }) => (repeats === true ? { must: record.reason } : passes),
  stepUpOutlook,
  scopeOutlook,
  (record, _row, { match }) => conditionOutlook(record, match),
  headersOutlook,
  (record, _row, { match }) => injectOutlook(record, match.rule),
];

function clientOutlook({ clientId }: RecordedDecision, _row: EvidenceRow, { issuer }: Accepted): CheckOutlook {
  const { clientIds } = issuer;
  const isRefused = clientIds !== undefined && (clientId === undefined || !clientIds.has(clientId));
  return isRefused ? { must: 'client_not_allowed' } : passes;
}

function revocationOutlook(record: RecordedDecision, row: EvidenceRow, { candidate }: Accepted): CheckOutlook {
  const { baseline, revocations } = candidate;
  if (baseline?.keepsRevocations === true && isPastRevocation(record, row)) return passes;
  const found = revocations.find(record);
  if (found === 'yes') return { must: 'token_revoked' };
  return found === 'no' ? passes : { may: ['token_revoked'], lacks: lacking(found.lacks) };
}

function stepUpOutlook(_record: RecordedDecision, _row: EvidenceRow, { match }: Accepted): CheckOutlook {
  const { acr, maxAuthAgeSeconds } = match.rule.require;
  const claims = [...(acr.length > 0 ? ['acr'] : []), ...(maxAuthAgeSeconds === undefined ? [] : ['auth_time'])];
  if (claims.length === 0) return passes;
  return { may: ['insufficient_user_authentication'], lacks: `the token's ${claims.join(' and ')}` };
}

function scopeOutlook({ scopes }: RecordedDecision, _row: EvidenceRow, { match }: Accepted): CheckOutlook {
  const { require } = match.rule;
  if (scopes === undefined) {
    const isNeeded = require.scopes.length + require.anyScope.length > 0;
    return isNeeded ? { may: ['insufficient_scope'], lacks: "the token's scopes" } : passes;
  }
  return missingScopes(require, scopes).length > 0 ? { must: 'insufficient_scope' } : passes;
}

function headersOutlook(
  record: RecordedDecision,
  _row: EvidenceRow,
  { candidate, match, issuer }: Accepted,
): CheckOutlook {
  const havePassed = record.reason === 'allowed' && candidate.baseline?.hasSameHeaders(record, match) === true;
  return havePassed ? passes : headerOutlook(record, match.rule.headers, issuer);
}

function only(reason: string): Reasons {
  return { reasons: new Set([reason]), unknown: [] };
}
