import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatProblem, type Problem } from '../../../src/policy/problem.ts';
import { paintFor, plain } from '../../../src/report/paint.ts';
import { countWords, githubCommands, problemLines, problemsJson } from '../../../src/report/problems.ts';
import { sarifLog } from '../../../src/report/sarif.ts';

const error: Problem = {
  severity: 'error',
  file: 'a.yaml',
  line: 3,
  column: 7,
  code: 'unknown_field',
  message: 'unknown field `audience`',
  hint: 'did you mean `audiences`?',
};
const warning: Problem = {
  severity: 'warning',
  file: 'b.yaml',
  line: 1,
  column: 1,
  code: 'unused_issuer',
  message: 'no rule uses issuer `a`',
};

describe('lines', () => {
  it('one a problem, as in the log of serve', () => {
    expect(problemLines([error, warning], plain)).toBe(`${formatProblem(error)}\n${formatProblem(warning)}\n`);
  });

  it('in colours: the same text', () => {
    const colored = problemLines([error, warning], paintFor(true));
    expect(stripVTControlCharacters(colored)).toBe(problemLines([error, warning], paintFor(false)));
    expect(colored).toContain('\u001b[31merror[unknown_field]:\u001b[39m');
    expect(colored).toContain('\u001b[33mwarning[unused_issuer]:\u001b[39m');
  });

  it('no problems: nothing', () => {
    expect(problemLines([], plain)).toBe('');
  });
});

describe('JSON', () => {
  it('errors and warnings apart, a hint only where there is one', () => {
    const { severity: _error, ...errorMembers } = error;
    const { severity: _warning, ...warningMembers } = warning;
    const text = problemsJson([warning, error], 2);
    expect(JSON.parse(text)).toStrictEqual({ files: 2, errors: [errorMembers], warnings: [warningMembers] });
    expect(text.endsWith('}\n')).toBe(true);
  });

  it('no problems: empty lists', () => {
    expect(JSON.parse(problemsJson([], 1))).toStrictEqual({ files: 1, errors: [], warnings: [] });
  });
});

describe('SARIF 2.1.0', () => {
  it('one run, a rule a code, a result a problem', () => {
    expect(JSON.parse(sarifLog([error, { ...error, line: 9 }, warning], '1.2.3'))).toStrictEqual({
      $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'scopegate',
              version: '1.2.3',
              rules: [
                { id: 'unknown_field', shortDescription: { text: 'unknown field' } },
                { id: 'unused_issuer', shortDescription: { text: 'unused issuer' } },
              ],
            },
          },
          columnKind: 'utf16CodeUnits',
          results: [sarifError(3), sarifError(9), sarifWarning],
        },
      ],
    });
  });

  const sarifError = (startLine: number) => ({
    ruleId: 'unknown_field',
    ruleIndex: 0,
    level: 'error',
    message: { text: 'unknown field `audience` (did you mean `audiences`?)' },
    locations: [{ physicalLocation: { artifactLocation: { uri: 'a.yaml' }, region: { startLine, startColumn: 7 } } }],
  });
  const sarifWarning = {
    ruleId: 'unused_issuer',
    ruleIndex: 1,
    level: 'warning',
    message: { text: 'no rule uses issuer `a`' },
    locations: [
      { physicalLocation: { artifactLocation: { uri: 'b.yaml' }, region: { startLine: 1, startColumn: 1 } } },
    ],
  };

  it('no problems: a run without results', () => {
    const { runs } = JSON.parse(sarifLog([], '1.2.3')) as { runs: { results: unknown[] }[] };
    expect(runs.map(({ results }) => results)).toStrictEqual([[]]);
  });

  const uris: Record<string, [file: string, uri: string]> = {
    'a relative name: stays relative': ['deploy/policy.yaml', 'deploy/policy.yaml'],
    'a name from here: without the dot': ['./policy.yaml', 'policy.yaml'],
    'a name from above: as it is': ['../policy.yaml', '../policy.yaml'],
    'an absolute name: a file URI': ['/etc/policy.yaml', 'file:///etc/policy.yaml'],
    'what is no character of a URI: escaped': ['a b/ä#?%.yaml', 'a%20b/%C3%A4%23%3F%25.yaml'],
    'a colon: no scheme': ['c:policy.yaml', 'c%3Apolicy.yaml'],
    'stdin: escaped': ['<stdin>', '%3Cstdin%3E'],
  };
  it.each(Object.entries(uris))('%s', (_name, [file, uri]) => {
    expect(sarifLog([{ ...error, file }], '1')).toContain(`"uri": ${JSON.stringify(uri)}`);
  });
});

describe('GitHub workflow commands', () => {
  it('one a problem, with its place', () => {
    expect(githubCommands([error, warning])).toBe(
      '::error file=a.yaml,line=3,col=7,title=unknown_field::unknown field `audience` (did you mean `audiences`?)\n' +
        '::warning file=b.yaml,line=1,col=1,title=unused_issuer::no rule uses issuer `a`\n',
    );
  });

  it('what would end a line or a property: escaped', () => {
    expect(githubCommands([{ ...warning, file: 'a,b:c%\n.yaml', message: '100%\n::error::x' }])).toBe(
      '::warning file=a%2Cb%3Ac%25%0A.yaml,line=1,col=1,title=unused_issuer::100%25%0A::error::x\n',
    );
  });
});

it.each<[words: string, problems: readonly Problem[]]>([
  ['no problems', []],
  ['1 error', [error]],
  ['2 warnings', [warning, warning]],
  ['2 errors, 1 warning', [error, warning, error]],
])('in a word: %s', (words, problems) => {
  expect(countWords(problems)).toBe(words);
});
