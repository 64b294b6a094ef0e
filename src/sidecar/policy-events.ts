/**
 * Promises: what becomes of a ConfigMap told where an operator looks first, as an Event on it: once for each version (interface section 9).
 * Leaves to others: whether it may be written, and how often (kubernetes/).
 */
import type { PolicyEvent } from '../kubernetes/cluster-ports.ts';
import { formatProblem, type Problem } from '../policy/problem.ts';
import type { Member } from './origin.ts';
import type { Refusal } from './standings.ts';

/** The policy as it is in force. */
export interface PolicyCounts {
  readonly hash: string;
  readonly rules: number;
  readonly issuers: number;
  readonly warnings: number;
}

export interface PolicyEvents {
  entered(member: Member, counts: PolicyCounts): void;
  left(member: Member): void;
  refused(refusal: Refusal): void;
  deleted(member: Member): void;
}

export type RecordEvent = (event: PolicyEvent) => void;

/** Problems in one Event; it holds 1 KiB, and the log has them all. */
const maxProblems = 3;
const maxProblemLength = 280;

export function createPolicyEvents(record: RecordEvent): PolicyEvents {
  function tell({ configMap }: Member, reason: PolicyEvent['reason'], note: string): void {
    if (configMap !== undefined) record({ configMap, reason, note });
  }

  return {
    entered: (member, { hash, rules, issuers, warnings }) => {
      const counts = [count(rules, 'rule'), count(issuers, 'issuer'), count(warnings, 'warning')].join(', ');
      tell(member, 'PolicyApplied', `in force as part of policy ${hash}: ${counts}`);
    },
    left: (member) => tell(member, 'PolicyDeleted', 'no longer selected: its rules are out of force'),
    refused: ({ member, problems, hasActive, isLeaving }) => {
      const stays = hasActive ? 'the last good version stays in force' : 'nothing of it is in force';
      const [reason, what] = isLeaving
        ? ([
            'PolicyDeleted',
            'no longer selected, but its rules stay in force: the rest would be bad without them',
          ] as const)
        : (['PolicyRejected', `refused, ${stays}`] as const);
      // In one line with the first of them: `kubectl get events` shows no other.
      tell(member, reason, `${what}: ${problemLines(problems).join('\n')}`);
    },
    deleted: (member) => tell(member, 'PolicyDeleted', 'deleted, but its last good version stays in force'),
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function problemLines(problems: readonly Problem[]): readonly string[] {
  const lines = problems.slice(0, maxProblems).map((problem) => cut(formatProblem(problem)));
  const more = problems.length - lines.length;
  return more === 0 ? lines : [...lines, `and ${more} more`];
}

function cut(line: string): string {
  return line.length <= maxProblemLength ? line : `${line.slice(0, maxProblemLength - 1).toWellFormed()}…`;
}
