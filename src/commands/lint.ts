/**
 * Promises: `scopegate lint FILE…`: what is wrong with a policy before it is applied. The result goes to stdout, and one line that sums it
 * up to stderr.
 */
import type { PolicyFilesCommand, PolicyFilesPorts, PolicyFilesQuestion } from './policy-files.ts';

const help = `
Examples:
  scopegate lint policy.yaml
      says what is wrong, one line a problem: file:line:column: error[code]: message
  scopegate lint base.yaml team-a.yaml team-b.yaml
      checks them together: one policy, as they would be in the mesh
  kubectl get configmap policy -o yaml | scopegate lint -
      checks what is in the cluster
  scopegate lint --format sarif policy.yaml > scopegate.sarif
      for code scanning; --format github writes annotations of a workflow

All files make one policy, and its tests are run, as serve does before it puts one in force.
What was found goes to stdout, and one line that sums it up to stderr.

Exit codes: 0 clean or only warnings, 1 errors, 2 bad usage or a file that cannot be read.
`;

export const lintCommand: PolicyFilesCommand = {
  name: 'lint',
  summary: 'check policy files',
  description:
    'Checks policy files: spelling, types, what one part says of another, rules that clash, and the tests in them.',
  help,
  formats: ['text', 'json', 'sarif', 'github'],
  run: runLint,
};

async function runLint({ result, files, format }: PolicyFilesQuestion, ports: PolicyFilesPorts): Promise<number> {
  const { failedTests } = await import('../rehearsal/test-check.ts');
  const { byPlace } = await import('../policy/problem.ts');
  const { count, countWords, githubCommands, problemLines, problemsJson } = await import('../report/problems.ts');
  const { paintFor } = await import('../report/paint.ts');
  const { sarifLog } = await import('../report/sarif.ts');
  const failed = failedTests([...result.rehearsals, ...result.failing]);
  const problems = [...result.problems, ...failed].toSorted(byPlace);
  const reports: Readonly<Record<string, () => string>> = {
    json: () => problemsJson(problems, files),
    sarif: () => sarifLog(problems, ports.version),
    github: () => githubCommands(problems),
  };
  const report = reports[format ?? ''] ?? (() => problemLines(problems, paintFor(ports.isColored)));
  ports.writeOut(report());
  ports.writeError(`scopegate lint: ${countWords(problems)} in ${count(files, 'file')}\n`);
  return problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}
