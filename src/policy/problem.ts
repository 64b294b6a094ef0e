/**
 * Promises: what an operator is told about a mistake in a policy: where it is, what is wrong, what to do. Never thrown; lists of
 * problems travel whole, sorted by place.
 */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** File, or `configmap/NAMESPACE/NAME/KEY`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** snake_case; the same for one kind of mistake whatever its text. */
  readonly code: string;
  /** What is wrong, without place. */
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string;
}

/** `file:line:column: error[code]: message (hint)`. */
export function formatProblem(problem: Problem): string {
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.severity}[${problem.code}]: ${problem.message}${hint}`;
}

export function byPlace(a: Problem, b: Problem): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.code, b.code);
}

/** Code unit order: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Problems of one file that are told; nobody reads more of them. */
export const maxProblems = 1000;

/** The first of each file, errors and warnings for themselves, and one problem more that says how many were left out. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= maxProblems) return problems;
  const groups = Map.groupBy(problems, ({ file, severity }) => `${severity} ${file}`);
  return [...groups.values()].flatMap(limitGroup).toSorted(byPlace);
}

function limitGroup(group: readonly Problem[]): readonly Problem[] {
  const problems = group.filter(({ code }) => code !== notChecked);
  const [first] = problems.slice(maxProblems);
  if (first === undefined) return group;
  const { severity, file, line, column } = first;
  const message = `and ${problems.length - maxProblems} more`;
  const more = { severity, file, line, column, code: 'more_problems', message };
  return [...problems.slice(0, maxProblems), ...group.filter(({ code }) => code === notChecked), more];
}

const notChecked = 'not_checked';

/** Stands for what follows `last` in its file. */
export function restNotChecked({ file, line, column }: Problem): Problem {
  const message = 'what follows in this file is not checked, too much is wrong before';
  return { severity: 'error', file, line, column, code: notChecked, message };
}
