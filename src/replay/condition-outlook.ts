/**
 * Promises: what the condition of a rule may say of a recorded request. One that reads nothing but what the log holds is evaluated.
 */
import type { ConditionInput } from '../condition/condition.ts';
import type { Match } from '../policy/match.ts';
import type { RecordedDecision } from './record.ts';
import type { CheckOutlook } from './token-outlook.ts';

/** What a line of the log holds as it was when the decision was made. */
const recorded: ReadonlySet<string> = new Set([
  'request.method',
  'request.host',
  'request.path',
  'token.issuer',
  'token.clientId',
  'token.scopes',
]);

export function conditionOutlook(record: RecordedDecision, { rule, parameters }: Match): CheckOutlook {
  const { condition } = rule.require;
  if (condition === undefined) return {};
  const missing = [...condition.reads].filter((name) => !recorded.has(name));
  if (record.scopes === undefined && condition.reads.has('token.scopes')) missing.push('token.scopes');
  if (missing.length > 0) {
    const lacks = `${missing.toSorted().join(', ')}, which the condition of ${rule.name} reads`;
    return { may: ['condition_false', 'condition_error', 'claim_invalid'], lacks };
  }
  const path = decode(parameters);
  if (path === undefined) return { must: 'condition_error' };
  const result = condition.evaluate(inputOf(record, path));
  if (typeof result !== 'boolean') return { must: result.reason };
  return result ? {} : { must: 'condition_false' };
}

function inputOf(record: RecordedDecision, path: ReadonlyMap<string, string>): ConditionInput {
  const { method = '', host = '', issuer = '', clientId, scopes = [] } = record;
  return {
    claims: {},
    request: { method, host, path, target: '', header: () => undefined, timeMs: 0 },
    token: { issuer, clientId, subject: undefined, scopes },
  };
}

function decode(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined {
  try {
    return new Map([...parameters].map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return undefined;
  }
}
