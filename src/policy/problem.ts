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
