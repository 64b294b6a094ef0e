/**
 * Promises: the problems of a policy as a SARIF 2.1.0 log (OASIS), for code scanning: one run, a rule for each code that occurs, a
 * result for each problem.
 */
import { compareText, type Problem } from '../policy/problem.ts';
import { printableJson } from './printable.ts';

const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** `version` is that of Scopegate. */
export function sarifLog(problems: readonly Problem[], version: string): string {
  const codes = [...new Set(problems.map(({ code }) => code))].toSorted(compareText);
  const rules = codes.map((id) => ({ id, shortDescription: { text: id.replaceAll('_', ' ') } }));
  const run = {
    tool: { driver: { name: 'scopegate', version, rules } },
    columnKind: 'utf16CodeUnits',
    results: problems.map((problem) => resultOf(problem, codes.indexOf(problem.code))),
  };
  return printableJson({ $schema: schema, version: '2.1.0', runs: [run] });
}

function resultOf({ severity, file, line, column, code, message, hint }: Problem, ruleIndex: number): object {
  const region = { startLine: line, startColumn: column };
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text: hint === undefined ? message : `${message} (${hint})` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, region } }],
  };
}

/** SARIF 3.4.3: a relative name stays relative, so that it is found in whichever checkout the log is shown beside. */
function uriOf(file: string): string {
  const path = file
    .replace(/^(?:\.\/+)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
  return file.startsWith('/') ? `file://${path}` : path;
}
