/**
 * Promises: the tests of a policy as `test` prints them: for a person, each failure with what was expected, what came and why; and JSON
 * (interface section 6). JUnit is in junit.ts.
 */
import type { Problem } from '../policy/problem.ts';
import type { PolicyTest } from '../policy/snapshot.ts';
import type { Rehearsal } from '../rehearsal/rehearsal.ts';
import { actualWords, expectedWords, oneLine } from '../rehearsal/wording.ts';
import type { Paint } from './paint.ts';
import { printable, printableJson } from './printable.ts';
import { problemMembers } from './problems.ts';

/** A line for each test, in their order, then the failures. */
export function testLines(rehearsals: readonly Rehearsal[], paint: Paint): string {
  const lines = rehearsals.map(({ test, passed }) => {
    const mark = passed ? paint('green', '✓') : paint('red', '✗');
    return `${mark} ${oneLine(test.name)}\n`;
  });
  const failures = rehearsals.filter(({ passed }) => !passed).map((rehearsal) => failureLines(rehearsal, paint));
  return [...lines, ...failures].join('');
}

function failureLines(rehearsal: Rehearsal, paint: Paint): string {
  const { test } = rehearsal;
  const head = `\n${paint('bold', `${placeOf(test)}:`)} ${paint('red', oneLine(test.name))}\n`;
  const rows = failureRows(rehearsal).map(([name, text]) => `  ${paint('dim', name.padEnd(9))} ${text}\n`);
  return head + rows.join('');
}

/** What a person needs to know of a failure, in rows. */
export function failureRows(rehearsal: Rehearsal): readonly (readonly [name: string, text: string])[] {
  const { test, why } = rehearsal;
  return [
    ['request', oneLine(`${test.method} https://${test.host}${test.target}`)],
    ...Object.entries(test.headers).map(([name, value]) => ['header', oneLine(`${name}: ${value}`)] as const),
    ['token', tokenWords(test)],
    ['expected', expectedWords(rehearsal)],
    ['got', actualWords(rehearsal)],
    ['why', why],
  ];
}

/** `file:line:column`. */
export function placeOf({ place: { file, line, column } }: PolicyTest): string {
  return `${printable(file)}:${line}:${column}`;
}

function tokenWords({ token }: PolicyTest): string {
  return token === undefined ? 'none' : oneLine(`${token.issuer} ${JSON.stringify(token.claims)}`);
}

/** `{"passed", "failed", "results"}`, and `errors` where they kept the tests from running. */
export function testsJson(rehearsals: readonly Rehearsal[], problems: readonly Problem[]): string {
  const { errors } = problemMembers(problems);
  const passed = rehearsals.filter((rehearsal) => rehearsal.passed).length;
  const results = rehearsals.map(resultMembers);
  const document = { passed, failed: results.length - passed, results, ...(errors.length > 0 ? { errors } : {}) };
  return printableJson(document);
}

function resultMembers({ test, passed, actual, why }: Rehearsal): object {
  const { file, line, column } = test.place;
  const { headers: expectedHeaders, ...expected } = test.expect;
  const isAboutHeaders = Object.keys(expectedHeaders).length > 0;
  return {
    file,
    line,
    column,
    name: test.name,
    passed,
    expected: { ...expected, ...(isAboutHeaders ? { headers: expectedHeaders } : {}) },
    actual: { ...actual, headers: Object.fromEntries(actual.headers) },
    why,
  };
}
