/**
 * Promises: the problems of a policy as `lint` prints them: lines for a person, JSON (interface section 6), and the annotations of a
 * GitHub workflow. SARIF is in sarif.ts.
 */
import type { Problem } from '../policy/problem.ts';
import type { Paint } from './paint.ts';
import { printable, printableJson } from './printable.ts';

/** `file:line:column: error[code]: message (hint)`, a line each; empty without problems. */
export function problemLines(problems: readonly Problem[], paint: Paint): string {
  return problems.map((problem) => `${problemLine(problem, paint)}\n`).join('');
}

function problemLine({ severity, file, line, column, code, message, hint }: Problem, paint: Paint): string {
  const place = paint('bold', `${printable(file)}:${line}:${column}:`);
  const kind = paint(severity === 'error' ? 'red' : 'yellow', `${severity}[${code}]:`);
  const advice = hint === undefined ? [] : [paint('dim', `(${printable(hint)})`)];
  return [place, kind, printable(message), ...advice].join(' ');
}

/** `{"files", "errors", "warnings"}`. */
export function problemsJson(problems: readonly Problem[], files: number): string {
  const { errors, warnings } = problemMembers(problems);
  return printableJson({ files, errors, warnings });
}

export interface ProblemMembers {
  readonly errors: readonly object[];
  readonly warnings: readonly object[];
}

/** As they stand in JSON: without severity, which the list says. */
export function problemMembers(problems: readonly Problem[]): ProblemMembers {
  const membersOf = (wanted: Problem['severity']): readonly object[] =>
    problems
      .filter(({ severity }) => severity === wanted)
      .map(({ file, line, column, code, message, hint }) => ({ file, line, column, code, message, hint }));
  return { errors: membersOf('error'), warnings: membersOf('warning') };
}

/** Workflow commands: GitHub shows each problem beside the line that it is about. */
export function githubCommands(problems: readonly Problem[]): string {
  return problems
    .map(({ severity, file, line, column, code, message, hint }) => {
      const properties = Object.entries({ file, line, col: column, title: code });
      const inner = properties.map(([name, value]) => `${name}=${escapeProperty(String(value))}`).join();
      const text = escapeData(hint === undefined ? message : `${message} (${hint})`);
      return `${printable(`::${severity} ${inner}::${text}`)}\n`;
    })
    .join('');
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** `2 errors, 1 warning`; `no problems`. */
export function countWords(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const counts = [errors > 0 ? count(errors, 'error') : '', warnings > 0 ? count(warnings, 'warning') : ''];
  return problems.length === 0 ? 'no problems' : counts.filter((words) => words !== '').join(', ');
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
