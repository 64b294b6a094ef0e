/**
 * Promises: whether a rule that injects a token of our own would refuse a recorded request for it: none could be had, or the request brings
 * one in its query.
 */
import type { Rule } from '../policy/snapshot.ts';
import type { RecordedDecision } from './record.ts';
import type { CheckOutlook } from './token-outlook.ts';

export function injectOutlook({ reason, detail }: RecordedDecision, { inject }: Pick<Rule, 'inject'>): CheckOutlook {
  if (inject === undefined) return {};
  if (reason === 'credentials_malformed') return queryOutlook(detail);
  if (reason !== 'upstream_token_unavailable') return {};
  if (detail?.startsWith(`client ${inject.name}: `) === true) return { must: reason };
  return { may: [reason], lacks: `whether client ${inject.name} had a token` };
}

/** `undefined`: a log of denials alone may leave it out. */
function queryOutlook(detail: string | undefined): CheckOutlook {
  if (detail === undefined) return { may: ['credentials_malformed'], lacks: 'the query, for a token in it' };
  return isQueryToken(detail) ? { must: 'credentials_malformed' } : {};
}

function isQueryToken(detail: string): boolean {
  return detail.startsWith('a token in the query') || detail === 'a token in the header and in the query';
}

/** Found on a rule with `inject`, where the header was not looked at. */
export function isBesideInject({ reason, detail }: RecordedDecision): boolean {
  return reason === 'credentials_malformed' && detail?.startsWith('a token in the query') === true;
}
