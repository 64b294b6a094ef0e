/**
 * Promises: what could not be translated, each thing once however many operations share it. An error: something was left out or is
 * refused for it. A warning: it was translated, and the operator should know how.
 */
import { byPlace, type Problem } from '../policy/problem.ts';
import type { Cursor } from './cursor.ts';

export interface FindingOptions {
  readonly hint?: string;
  /** What the finding is about: a name, or (default) a value. */
  readonly part?: 'key' | 'value';
}

export type ReportFinding = (cursor: Cursor, code: string, message: string, options?: FindingOptions) => void;

export interface Findings {
  readonly error: ReportFinding;
  readonly warn: ReportFinding;
  /** `file:line:column` of a node. */
  readonly placeName: (cursor: Cursor, part?: 'key' | 'value') => string;
  /** Sorted by place. */
  readonly problems: () => readonly Problem[];
}

export function createFindings(file: string): Findings {
  const found = new Map<string, Problem>();
  const add =
    (severity: Problem['severity']): ReportFinding =>
    ({ tree, path }, code, message, { hint, part } = {}) => {
      const place = tree.place(path, part);
      const problem = { severity, file, ...place, code, message, ...(hint === undefined ? {} : { hint }) };
      found.set(JSON.stringify(problem), problem);
    };
  return {
    error: add('error'),
    warn: add('warning'),
    placeName: ({ tree, path }, part) => {
      const { line, column } = tree.place(path, part);
      return `${file}:${line}:${column}`;
    },
    problems: () => [...found.values()].toSorted(byPlace),
  };
}
