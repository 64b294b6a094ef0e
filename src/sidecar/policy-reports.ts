/**
 * Promises: what becomes of the sources of a policy as log lines and metrics, in the same words for every kind of source.
 */
import { formatProblem } from '../policy/problem.ts';
import type { Member } from './origin.ts';
import type { PolicyFeedObserver } from './policy-feed.ts';
import type { Reporting } from './reporting.ts';

type PolicyReports = Omit<PolicyFeedObserver, 'applied' | 'changed' | 'deleted'>;

export function policyReports({ log, metrics, fault }: Reporting): PolicyReports {
  function warnBinary({ source, configMap }: Member): void {
    const keys = configMap?.binaryKeys ?? [];
    if (keys.length > 0) log.warn({ source, keys }, '`binaryData` is never read');
  }

  return {
    fault,
    entered: (member) => {
      warnBinary(member);
      const { source, savedMs } = member;
      if (savedMs === undefined) return;
      log.warn({ source, appliedAt: new Date(savedMs).toISOString() }, 'policy source is served from the saved state');
    },
    left: ({ source }) => log.info({ source }, 'policy source is gone, and its rules with it'),
    refused: ({ member, problems, hasActive, isLeaving }) => {
      metrics.policyRejected();
      warnBinary(member);
      const what = hasActive ? 'its last good version stays' : 'no version of it is in force';
      const message = isLeaving
        ? 'policy source is gone, its rules stay: the rest would be bad without them'
        : `policy refused, ${what}`;
      log.error({ source: member.source, problems: problems.map(formatProblem) }, message);
    },
    unreadable: (source, kind, reason) => {
      if (kind === 'unreadable') metrics.policyRejected();
      const level = kind === 'unavailable' ? 'warn' : 'error';
      log[level]({ source, reason }, 'policy source cannot be read, what was loaded of it before stays');
    },
    readable: (source) => log.info({ source }, 'policy source can be read again'),
  };
}
