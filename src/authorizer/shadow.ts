/**
 * Promises: what the shadow rule of a request would have said. It is asked after the decision is made, never waits for keys, and what
 * goes wrong in it is a verdict too, so it can change no answer.
 */
import type { ShadowVerdict } from '../decision/decision.ts';
import { Stop } from '../decision/step.ts';
import { hasCredentials } from '../token/bearer.ts';
import type { RuleCheck, RuleQuestion } from './rule-check.ts';

/** The verdict of `match`, a shadow rule; undefined when no credentials came (interface section 7). */
export async function askShadow(question: RuleQuestion, check: RuleCheck): Promise<ShadowVerdict | undefined> {
  const { rule } = question.match;
  if (!hasCredentials(question.request.headers)) return undefined;
  if (rule.access === 'public') return { rule: rule.name, decision: 'allow', reason: 'allowed_public' };
  if (rule.access === 'deny') return { rule: rule.name, decision: 'deny', reason: 'rule_deny' };
  const reason = await reasonOf({ ...question, waitMs: 0 }, check);
  return { rule: rule.name, decision: reason === 'allowed' ? 'allow' : 'deny', reason };
}

async function reasonOf(question: RuleQuestion, check: RuleCheck): Promise<string> {
  try {
    const { result } = await check(question);
    return result instanceof Stop ? result.reason : 'allowed';
  } catch {
    return 'internal_error';
  }
}
