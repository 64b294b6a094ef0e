/**
 * Promises: why a request of a test came to its answer, in one line for the operator: the text of its own policy and fixed words.
 */
import { Allow, type Decision, type Deny } from '../decision/decision.ts';
import { denyRow } from '../decision/deny-reason.ts';
import type { PolicyTest, Rule } from '../policy/snapshot.ts';
import { oneLine } from './wording.ts';

export function whyDecided(decision: Decision, test: PolicyTest, rules: readonly Rule[]): string {
  const { rule = '' } = decision.told;
  if (Allow.isAllow(decision)) {
    return decision.reason === 'allowed_public'
      ? `rule ${rule} is \`access: public\``
      : `rule ${rule} covers the request and has all that it requires`;
  }
  return 'status' in decision ? whyDenied(decision, test, rules) : '`defaults.resourceMetadata` answers this path';
}

function whyDenied(deny: Deny, { method, host, target }: PolicyTest, rules: readonly Rule[]): string {
  const { reason, detail, missingScopes, told } = deny;
  if (reason === 'no_rule') return oneLine(`no rule covers ${method} https://${host}${target}`);
  if (missingScopes.length > 0) return `the token lacks ${missingScopes.join(' ')}`;
  const isCondition = reason === 'condition_false' || reason === 'condition_error';
  const condition = isCondition ? rules.find(({ name }) => name === told.rule)?.require.condition : undefined;
  const meaning = denyRow(reason).meaning.replace(/\.$/, '');
  const more = detail === undefined ? '' : ` (${detail})`;
  return oneLine(`${meaning}${more}${condition === undefined ? '' : `: ${condition.source}`}`);
}

/** A fault of ours while the test ran. */
export function whyFaulty(fault: unknown): string {
  return oneLine(`Scopegate failed: ${fault instanceof Error ? fault.message : String(fault)}`);
}
