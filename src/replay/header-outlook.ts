/**
 * Promises: whether the claim headers of a rule may refuse a recorded request. The values of claims are in no log, but for some it tells
 * them, or that they were there.
 */
import { claimHeaderValue } from '../policy/claim-header.ts';
import type { ClaimHeader } from '../policy/snapshot.ts';
import type { Issuer } from '../token/issuer.ts';
import type { RecordedDecision } from './record.ts';
import type { CheckOutlook } from './token-outlook.ts';

export function headerOutlook(record: RecordedDecision, headers: readonly ClaimHeader[], issuer: Issuer): CheckOutlook {
  // Of this token a claim is known to be one that cannot be passed on; which one, is not.
  const isTroubled = record.reason === 'claim_header_refused' || record.reason === 'claim_invalid';
  if (isTroubled) return openOutlook(headers);
  const required = headers.filter((header) => header.required);
  const fates = required.map((header) => fateOf(header, record, issuer));
  const end = fates.indexOf('refused');
  const open = required.filter((_header, at) => fates[at] === 'unknown' && (end === -1 || at < end));
  return { ...openOutlook(open), ...(end === -1 ? {} : { must: 'claim_header_refused' }) };
}

function openOutlook(headers: readonly ClaimHeader[]): CheckOutlook {
  if (headers.length === 0) return {};
  const names = headers.map(({ claim }) => claim.join('.')).join(', ');
  return { may: ['claim_header_refused', 'claim_invalid'], lacks: `the claims ${names}, for headers` };
}

type Fate = 'passed' | 'refused' | 'unknown';

/** Of a required header. */
function fateOf(header: ClaimHeader, { subject, jti }: RecordedDecision, { issuer }: Issuer): Fate {
  const [name] = header.claim;
  if (header.claim.length !== 1) return 'unknown';
  if (name === 'iss' || name === 'jti') {
    return typeof claimHeaderValue(header, { iss: issuer, jti }) === 'string' ? 'passed' : 'refused';
  }
  // A number in every accepted token.
  if (name === 'exp') return 'passed';
  if (name !== 'sub') return 'unknown';
  if (subject === undefined) return 'refused';
  // A subject is hashed in a log. It may be all spaces, which a header cannot carry, but JSON puts quotes around it; its size is limited.
  return header.format === 'csv' ? 'unknown' : 'passed';
}
