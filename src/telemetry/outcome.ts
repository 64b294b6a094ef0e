/**
 * Promises: the one word for a decision in logs and metrics. A document of ours (RFC 9728) is a deny: the upstream is not called.
 */
import { Allow, type Decision } from '../decision/decision.ts';

export function outcome(decision: Decision): 'allow' | 'deny' {
  return Allow.isAllow(decision) ? 'allow' : 'deny';
}
