/**
 * Promises: the decisions of a log against a candidate policy, line by line, in the order of the log and in constant memory.
 */
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { createBaseline } from './baseline.ts';
import { readLines } from './lines.ts';
import { type Candidate, outlookOf } from './outlook.ts';
import { type RecordedDecision, readRecord } from './record.ts';
import { createRevocationOutlook } from './revocation-outlook.ts';
import { createTally, type Summary } from './summary.ts';
import { type Compared, compare } from './verdict.ts';

export interface Replay {
  /** Reads a log to its end; rejects when it cannot be read. */
  log(name: string, chunks: AsyncIterable<unknown>): Promise<void>;
  summary(): Summary;
}

/** One line of a log with its verdict. */
export interface ReplayedLine {
  readonly log: string;
  /** From 1. */
  readonly line: number;
  readonly record: RecordedDecision;
  readonly compared: Compared;
}

export interface Policies {
  readonly candidate: PolicySnapshot;
  /** The one that decided, if it is at hand. */
  readonly current: PolicySnapshot | undefined;
}

export interface ReplayPorts {
  readonly told: (line: ReplayedLine) => void;
  /** Called now and then; the log is read on when it resolves. */
  readonly pause: () => Promise<void>;
}

export function createReplay({ candidate, current }: Policies, { told, pause }: ReplayPorts): Replay {
  const tally = createTally();
  const revocations = createRevocationOutlook(candidate.revocations.entries);
  const alone: Candidate = { snapshot: candidate, revocations, baseline: undefined };
  const compared: Candidate = { ...alone, baseline: current && createBaseline(current, candidate) };

  function take(text: string | undefined, log: string, line: number): void {
    if (text !== undefined && text.trim() === '') return;
    const record = text === undefined ? 'broken' : readRecord(text);
    if (record === 'other') tally.other();
    else if (record === 'broken') tally.broken();
    else {
      const outlook = outlookOf(record, isKnown(record) ? compared : alone);
      tell({ log, line, record, compared: compare(record, outlook) });
    }
  }

  /** A policy before the current one tells as little as none. */
  function isKnown({ policy }: RecordedDecision): boolean {
    return policy !== undefined && (policy === current?.hash || policy === candidate.hash);
  }

  function tell(line: ReplayedLine): void {
    if (!isKnown(line.record)) tally.byOtherPolicy();
    tally.decided(line.record, line.compared);
    told(line);
  }

  return {
    log: async (name, chunks) => {
      let line = 0;
      for await (const batch of readLines(chunks)) {
        for (const text of batch) {
          line += 1;
          take(text, name, line);
        }
        await pause();
      }
    },
    summary: tally.summary,
  };
}
