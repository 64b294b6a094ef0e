/**
 * Promises: whether the claim headers of a rule may refuse a recorded request. The values of claims are in no log, but for some it tells
 * that they were there.
 */
import type { ClaimHeader } from '../policy/snapshot.ts';
import type { RecordedDecision } from './record.ts';
import type { CheckOutlook } from './token-outlook.ts';

export function headerOutlook(record: RecordedDecision, headers: readonly ClaimHeader[]): CheckOutlook {
  if (headers.length === 0) return {};
  // Of this token a claim is known to be one that cannot be passed on; which one, is not.
  const isTroubled = record.reason === 'claim_header_refused' || record.reason === 'claim_invalid';
  const required = headers.filter((header) => header.required);
  const absent = required.find(({ claim }) => presenceOf(claim, record) === 'absent');
  if (absent !== undefined && !isTroubled) return { must: 'claim_header_refused' };
  const open = isTroubled ? headers : required.filter(({ claim }) => presenceOf(claim, record) === 'unknown');
  if (open.length === 0) return {};
  const names = open.map(({ claim }) => claim.join('.')).join(', ');
  return { may: ['claim_header_refused', 'claim_invalid'], lacks: `the claims ${names}, for headers` };
}

/** Claims that every accepted token has, in a form that any format of header can carry. */
const always: ReadonlySet<string> = new Set(['iss', 'exp', 'aud']);

function presenceOf(claim: readonly string[], { subject, jti }: RecordedDecision): 'present' | 'absent' | 'unknown' {
  const [name] = claim;
  if (claim.length !== 1 || name === undefined) return 'unknown';
  if (always.has(name)) return 'present';
  if (name === 'sub') return subject === undefined ? 'absent' : 'present';
  // A jti may be empty, which no header can carry.
  if (name === 'jti') return jti === undefined ? 'absent' : jti === '' ? 'unknown' : 'present';
  return 'unknown';
}
