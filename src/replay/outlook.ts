/**
 * Promises: every way in which the candidate policy may decide a recorded request, given what the log tells of it. What the log does not
 * tell makes the ways more, never fewer, but for what `assumptions` says.
 */
import { resourceMetadata } from '../authorizer/resource-metadata.ts';
import { Stop } from '../decision/step.ts';
import type { Match } from '../policy/match.ts';
import { canonicalPath } from '../policy/path.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import type { Baseline } from './baseline.ts';
import { type EvidenceRow, evidence, isRecordedReason } from './evidence.ts';
import { injectOutlook, isBesideInject } from './inject-outlook.ts';
import { opaqueOutlook } from './opaque-outlook.ts';
import type { RecordedDecision } from './record.ts';
import type { RevocationOutlook } from './revocation-outlook.ts';
import { tokenOutlook } from './token-outlook.ts';

export interface Outlook {
  readonly rule: string | undefined;
  /** Undefined: any. */
  readonly reasons: ReadonlySet<string> | undefined;
  /** What would have to be known, in words of the policy; empty when there is one way. */
  readonly unknown: readonly string[];
}

export interface Candidate {
  readonly snapshot: PolicySnapshot;
  readonly revocations: RevocationOutlook;
  /** Of the policy that made the recorded decision; undefined: it is not at hand. */
  readonly baseline: Baseline | undefined;
}

/** What is taken for granted, since neither a log nor a policy tells it. */
export const assumptions: readonly string[] = [
  'serve has the settings and the keys that it had',
  'tokens of clients can be had as they could, and a request to a rule with `inject` has none in its query',
  'a claim for a header that is not required is none that cannot be passed on, such as one that is too long',
];

/** What is taken for granted besides where the policy that decided is not at hand. */
export const issuerAssumption =
  'an issuer with the name or the `iss` of an earlier one is that one, with its keys and clock skew, and takes the tokens that it took (--current FILE compares them)';

export function outlookOf(record: RecordedDecision, candidate: Candidate): Outlook {
  const { snapshot } = candidate;
  // One policy and one request, one decision.
  if (record.policy === snapshot.hash) return certain(record.rule, record.reason);
  const row = evidenceOf(record);
  if (row === undefined) return anything('the reason is one of another version');
  if (row.sawUpTo === 'nothing') return anything('no policy was asked');
  if (row.sawUpTo === 'path') return malformedOutlook(record, snapshot);
  const { method, host, path } = record;
  if (method === undefined || host === undefined || path === undefined) return anything('the line has no full request');
  return requestOutlook(record, row, { candidate, place: { method, host, path } });
}

/** The row of the reason, told apart further where one reason has several causes. */
function evidenceOf(record: RecordedDecision): EvidenceRow | undefined {
  const { reason, issuer, detail } = record;
  if (!isRecordedReason(reason)) return undefined;
  if (reason === 'token_malformed') return malformedTokenEvidence(detail);
  // On a public rule no token was looked at.
  const isOfPublic = reason === 'upstream_token_unavailable' && issuer === undefined;
  if (isOfPublic || isBesideInject(record)) return evidence.allowed_public;
  if (reason === 'claim_invalid' && issuer !== undefined) return invalidClaimEvidence(detail);
  return evidence[reason];
}

/** The form of the signature comes later than that of the rest. */
function malformedTokenEvidence(detail: string | undefined): EvidenceRow {
  const isOfSignature = detail === undefined || detail.startsWith('signature');
  return isOfSignature ? { sawUpTo: 'unverified', settings: 'taken' } : evidence.token_malformed;
}

/** Of a verified token: among its times, or where a condition or a header uses the claim. */
function invalidClaimEvidence(detail: string | undefined): EvidenceRow {
  const isOfTimes = detail === undefined || detail.startsWith('iat ');
  return isOfTimes ? { sawUpTo: 'verified', settings: 'open' } : { sawUpTo: 'verified' };
}

/** A path that was refused is in no log; `;` is the one thing that a policy can admit. */
function malformedOutlook({ detail }: RecordedDecision, { pathParameters }: PolicySnapshot): Outlook {
  const isSettled = pathParameters === 'reject' || (detail !== undefined && !detail.includes('`;`'));
  return isSettled ? certain(undefined, 'request_malformed') : anything('the path, which may be one with `;`');
}

interface Asked {
  readonly candidate: Candidate;
  readonly place: { readonly method: string; readonly host: string; readonly path: string };
}

function requestOutlook(record: RecordedDecision, row: EvidenceRow, { candidate, place }: Asked): Outlook {
  const { snapshot } = candidate;
  const { method, host } = place;
  const path = canonicalPath(place.path, snapshot.pathParameters);
  if (path instanceof Stop) return certain(undefined, path.reason);
  if (resourceMetadata(snapshot, method, path) !== undefined) return certain(undefined, 'resource_metadata');
  const match = snapshot.routes.match(host, path, method);
  if (match === undefined) return certain(undefined, 'no_rule');
  const { name, access } = match.rule;
  if (access === 'deny') return certain(name, 'rule_deny');
  if (access === 'public') return { rule: name, ...publicOutlook(record, match.rule) };
  return { rule: name, ...credentialOutlook(record, row, { candidate, match }) };
}

type Reasons = Omit<Outlook, 'rule'>;

function publicOutlook(record: RecordedDecision, rule: Rule): Reasons {
  const { may = [], must, lacks } = injectOutlook(record, rule);
  if (must !== undefined) return only(must);
  return { reasons: new Set([...may, 'allowed_public']), unknown: lacks === undefined ? [] : [lacks] };
}

function credentialOutlook(
  record: RecordedDecision,
  row: EvidenceRow,
  { candidate, match }: { readonly candidate: Candidate; readonly match: Match },
): Reasons {
  const opaque = opaqueOutlook(record, candidate.snapshot, match.rule);
  const isSame = candidate.baseline?.hasSameRule(record, match) === true && candidate.baseline.keepsIssuer(undefined);
  if (opaque !== undefined && !isSame) return opaque;
  if (row.sawUpTo === 'credentials') return only(record.reason);
  if (row.sawUpTo !== 'rule') return tokenOutlook(record, row, { candidate, match });
  // No Bearer or DPoP credentials came with these; still two of another scheme may have.
  if (record.reason === 'no_rule' && record.status === 401) {
    return { reasons: new Set(['token_missing', 'credentials_malformed']), unknown: [] };
  }
  return { reasons: undefined, unknown: ['the credentials, which were not looked at'] };
}

function certain(rule: string | undefined, reason: string): Outlook {
  return { rule, ...only(reason) };
}

function only(reason: string): Reasons {
  return { reasons: new Set([reason]), unknown: [] };
}

function anything(unknown: string): Outlook {
  return { rule: undefined, reasons: undefined, unknown: [unknown] };
}
