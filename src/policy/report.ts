/**
 * Promises: the problems that the stages of compile.ts find, gathered, with the place of the node they are about.
 */
import type { PolicyDocument } from './document.ts';
import { byPlace, limitProblems, type Problem } from './problem.ts';
import type { TreePath } from './tree.ts';

/** A node of a document. */
export interface Spot {
  readonly document: PolicyDocument;
  readonly path: TreePath;
}

export type ReportProblem = (spot: Spot, code: string, message: string, options?: ReportOptions) => void;

export interface ReportOptions {
  readonly hint?: string | undefined;
  /** What the problem is about: a name, or (default) a value. */
  readonly part?: 'key' | 'value';
  /** The code unit that the problem is about, of a text. */
  readonly offset?: number | undefined;
}

export interface Report {
  readonly error: ReportProblem;
  readonly warn: ReportProblem;
  readonly hasErrors: () => boolean;
  /** The nodes that errors are about, and those that share their fault. */
  readonly faulty: () => readonly Spot[];
  /** A node that is not wrong by itself, such as the first of two rules that are equal. */
  readonly share: (spot: Spot) => void;
  /** Sorted by place; not more of a file than anybody reads. */
  readonly problems: () => readonly Problem[];
}

export function createReport(): Report {
  const found: Problem[] = [];
  const faulty: Spot[] = [];
  const add =
    (severity: Problem['severity']): ReportProblem =>
    (spot, code, message, { hint, part, offset } = {}) => {
      const { document, path } = spot;
      if (severity === 'error') faulty.push(spot);
      const place = offset === undefined ? document.place(path, part) : document.placesIn(path)(offset);
      found.push({ severity, file: document.file, ...place, code, message, ...(hint === undefined ? {} : { hint }) });
    };
  return {
    error: add('error'),
    warn: add('warning'),
    hasErrors: () => found.some(({ severity }) => severity === 'error'),
    faulty: () => faulty,
    share: (spot) => void faulty.push(spot),
    problems: () => limitProblems(found.toSorted(byPlace)),
  };
}

/** A member or item of the node. */
export function within({ document, path }: Spot, ...steps: TreePath): Spot {
  return { document, path: [...path, ...steps] };
}

/** Where a node is, for messages about another one. */
export function placeName({ document, path }: Spot, part: 'key' | 'value' = 'value'): string {
  const { line, column } = document.place(path, part);
  return `${document.file}:${line}:${column}`;
}
