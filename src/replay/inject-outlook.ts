/**
 * Promises: whether a token of our own that could not be had for a recorded request would be missing under a rule again.
 */
import type { Rule } from '../policy/snapshot.ts';
import type { RecordedDecision } from './record.ts';
import type { CheckOutlook } from './token-outlook.ts';

export function injectOutlook({ reason, detail }: RecordedDecision, { inject }: Pick<Rule, 'inject'>): CheckOutlook {
  if (inject === undefined || reason !== 'upstream_token_unavailable') return {};
  if (detail?.startsWith(`client ${inject.name}: `) === true) return { must: reason };
  return { may: [reason], lacks: `whether client ${inject.name} had a token` };
}
