/**
 * Promises: `scopegate test FILE…`: the tests of a policy, run by the authorizer that decides for the mesh. A policy with errors has no
 * tests that mean anything: its errors are the result.
 */
import type { Problem } from '../policy/problem.ts';
import type { PolicyFilesCommand, PolicyFilesPorts, PolicyFilesQuestion } from './policy-files.ts';

const help = `
Examples:
  scopegate test policy.yaml
      runs the tests of the policy; of each failure: what was expected, what came, and why
  scopegate test --format junit base.yaml team-a.yaml > results.xml
      all files make one policy; the results for a build server

A test is an entry under tests: in a document. Its token is made up, and signatures and
sender proofs are not part of it:
  tests:
    - name: a reader cannot write
      request: POST https://orders.example.com/api/orders
      token: { issuer: corp, claims: { sub: ada, scope: "orders:read" } }
      expect: { decision: deny, status: 403, reason: insufficient_scope }

Exit codes: 0 all pass or there are none, 1 a failure or an error of the policy, 2 bad usage
or a file that cannot be read.
`;

export const testCommand: PolicyFilesCommand = {
  name: 'test',
  summary: 'run the tests in policy files',
  description: 'Checks policy files as lint does, then runs the tests in them.',
  help,
  formats: ['text', 'json', 'junit'],
  run: runTest,
};

async function runTest({ result, files, format }: PolicyFilesQuestion, ports: PolicyFilesPorts): Promise<number> {
  const { problems, rehearsals, snapshot } = result;
  const { count, countWords, problemLines } = await import('../report/problems.ts');
  const { testLines, testsJson } = await import('../report/tests.ts');
  const { junitReport } = await import('../report/junit.ts');
  const { paintFor, plain } = await import('../report/paint.ts');
  const paint = paintFor(ports.isColored);
  const errors = problems.filter(isError);
  const reports: Readonly<Record<string, () => string>> = {
    json: () => testsJson(rehearsals, problems),
    junit: () => junitReport(rehearsals, problems),
  };
  const report = reports[format ?? ''] ?? (() => problemLines(errors, paint) + testLines(rehearsals, paint));
  ports.writeOut(report());
  ports.writeError(
    problemLines(
      problems.filter((problem) => !isError(problem)),
      plain,
    ),
  );
  if (snapshot === undefined) {
    ports.writeError(`scopegate test: ${countWords(errors)} in ${count(files, 'file')}; no test was run\n`);
    return 1;
  }
  const failed = rehearsals.filter(({ passed }) => !passed).length;
  const counts = `${rehearsals.length - failed} passed, ${failed} failed`;
  ports.writeError(`scopegate test: ${rehearsals.length === 0 ? 'the policy has no tests' : counts}\n`);
  return failed === 0 ? 0 : 1;
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
