/**
 * Promises: the tests of a policy as JUnit XML, which build servers show: a suite for each file. Errors that kept the tests from running
 * are cases with an error, so that no server takes an empty report for a good one.
 */
import type { Problem } from '../policy/problem.ts';
import type { PolicyTest } from '../policy/snapshot.ts';
import type { Rehearsal } from '../rehearsal/rehearsal.ts';
import { actualWords, expectedWords } from '../rehearsal/wording.ts';
import { failureRows, placeOf } from './tests.ts';

interface Case {
  readonly file: string;
  readonly name: string;
  /** Undefined: passed. */
  readonly outcome?: {
    readonly element: 'failure' | 'error';
    readonly type: string;
    readonly message: string;
    readonly text: string;
  };
}

export function junitReport(rehearsals: readonly Rehearsal[], problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const cases = [...errors.map(errorCase), ...rehearsals.map(testCase)];
  const suites = [...Map.groupBy(cases, ({ file }) => file)].map(([file, inFile]) => suiteOf(file, inFile));
  const body = suites.map((suite) => `${suite}\n`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name: 'scopegate', ...countsOf(cases) })}>\n${body}</testsuites>\n`;
}

function errorCase({ file, line, column, code, message, hint }: Problem): Case {
  const text = `${file}:${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
  return { file, name: `${line}:${column} ${code}`, outcome: { element: 'error', type: code, message, text } };
}

function testCase(rehearsal: Rehearsal): Case {
  const { test, passed } = rehearsal;
  const common = { file: test.place.file, name: test.name };
  if (passed) return common;
  const message = `expected ${expectedWords(rehearsal)}, got ${actualWords(rehearsal)}`;
  return {
    ...common,
    outcome: { element: 'failure', type: 'test_failed', message, text: failureText(test, rehearsal) },
  };
}

function failureText(test: PolicyTest, rehearsal: Rehearsal): string {
  return [placeOf(test), ...failureRows(rehearsal).map(([name, text]) => `${name}: ${text}`)].join('\n');
}

function suiteOf(file: string, cases: readonly Case[]): string {
  const rows = cases.map((one) => `    ${caseElement(one)}\n`).join('');
  return `  <testsuite${attributes({ name: file, ...countsOf(cases) })}>\n${rows}  </testsuite>`;
}

function caseElement({ file, name, outcome }: Case): string {
  const start = `<testcase${attributes({ name, classname: file })}`;
  if (outcome === undefined) return `${start}/>`;
  const { element, type, message, text } = outcome;
  return `${start}><${element}${attributes({ message, type })}>${escapeXml(text)}</${element}></testcase>`;
}

function countsOf(cases: readonly Case[]): Readonly<Record<string, number>> {
  const counted = (element: string): number => cases.filter(({ outcome }) => outcome?.element === element).length;
  return { tests: cases.length, failures: counted('failure'), errors: counted('error') };
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll(/[\n\t\r]/g, characterReference)}"`)
    .join('');
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 section 2.2: what is no Char has no spelling at all, not even an escaped one. What could steer a terminal is escaped. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character)
    .replaceAll(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, characterReference);
}

/** Section 3.3.3: a line break in an attribute would be read as a space. */
function characterReference(character: string): string {
  return `&#${character.codePointAt(0) ?? 0};`;
}
