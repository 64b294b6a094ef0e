/**
 * Promises: an explanation as text for a person, or as JSON: aligned, one thing a line, nothing in it that could steer a terminal.
 */
import type { Paint } from '../report/paint.ts';
import { printable, printableJson } from '../report/printable.ts';
import type {
  ConsideredRule,
  ExplainedOperand,
  ExplainedStep,
  Explanation,
  ReadClaim,
  SetHeader,
  StepResult,
} from './explanation.ts';
import { quoted } from './wording.ts';

export function renderExplanation(explanation: Explanation, paint: Paint): string {
  const parts = [
    verdict(explanation, paint),
    section('Request', requestLines(explanation), paint),
    section('Rules', ruleLines(explanation, paint), paint),
    section('Shadow rules', shadowLines(explanation), paint),
    section('Checks', stepLines(explanation.steps, paint), paint),
    section('Token', tokenLines(explanation), paint),
    section('Headers for the upstream', headerLines(explanation), paint),
    section('Answer to the client', answerLines(explanation), paint),
    section('Dynamic metadata for Envoy', metadataLines(explanation), paint),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** The same for programs: one JSON document, in which JSON's own escapes stand for what could steer a terminal. */
export function renderJson(explanation: Explanation): string {
  return printableJson(explanation);
}

function verdict({ decision, status, reason, rule, meaning }: Explanation, paint: Paint): string {
  const word = paint(decision === 'allow' ? 'green' : 'red', decision.toUpperCase());
  const facts = [
    ...(decision === 'allow' ? [] : [String(status)]),
    reason,
    ...(rule === null ? [] : [`by rule ${rule}`]),
  ];
  return `${word} ${paint('bold', printable(facts.join(' ')))}\n${printable(meaning)}\n`;
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return lines.length === 0 ? '' : `${paint('bold', title)}\n${lines.map((line) => `  ${line.trimEnd()}\n`).join('')}`;
}

/** Rows of cells in columns; the last cell may be of any length. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const clean = rows.map((cells) => cells.map(printable));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((cells) => cells[column]?.length ?? 0)));
  return clean.map((cells) =>
    cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  '),
  );
}

function requestLines({ request }: Explanation): readonly string[] {
  const { method, rawHost, rawPath, host, path, parameters } = request;
  return table([
    ['method', method],
    ['host', canonical(rawHost, host)],
    ['path', canonical(rawPath, path)],
    ...Object.entries(parameters).map(([name, value]) => [`{${name}}`, value === null ? 'no UTF-8' : quoted(value)]),
  ]);
}

function canonical(raw: string, value: string | null): string {
  if (value === null) return `${raw}, not canonicalised`;
  return raw === value ? value : `${value}, sent as ${raw}`;
}

const outcomeWords = { chosen: 'decides', less_specific: 'less specific', no_match: 'no match' } as const;

function ruleLines({ rules }: Explanation, paint: Paint): readonly string[] {
  const rows = table(rules.considered.map(ruleCells));
  const lines = rows.map((line, at) => (rules.considered[at]?.outcome === 'chosen' ? line : paint('dim', line)));
  return rules.omitted === 0 ? lines : [...lines, `and ${rules.omitted} more of this kind`];
}

function ruleCells({ rule, methods, host, path, outcome, because }: ConsideredRule): readonly string[] {
  const place = `${methods?.join(',') ?? 'any method'} ${host ?? 'any host'} ${path}`;
  return [rule, place, outcome === 'chosen' ? outcomeWords[outcome] : `${outcomeWords[outcome]}: ${because}`];
}

function shadowLines({ shadow }: Explanation): readonly string[] {
  return table(shadow.map(({ rule, decision, reason }) => [rule, `would ${decision}: ${reason}`]));
}

const resultWords: Readonly<Record<StepResult, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  answered: 'here',
  skipped: 'skip',
  not_reached: '-',
};

function stepLines(steps: readonly ExplainedStep[], paint: Paint): readonly string[] {
  const reached = steps.filter(({ result }) => result !== 'not_reached');
  const rows = table(reached.map((step) => [resultWords[step.result], step.check, stepWords(step)]));
  const lines = rows.flatMap((line, at) => {
    const of = reached[at] ?? nothing;
    return [paintStep(line, of.result, paint)].concat(partLines(of));
  });
  const others = steps.slice(reached.length).map(({ check }) => check);
  return others.length === 0 ? lines : [...lines, paint('dim', `not reached: ${others.join(', ')}`)];
}

const nothing: Pick<ExplainedStep, 'result' | 'operands' | 'claims'> = { result: 'pass' };

/** Below their check. */
function partLines({ operands = [], claims = [] }: typeof nothing): readonly string[] {
  return table([...operands.map(operandCells), ...claims.map(claimCells)]).map((line) => `        ${line}`);
}

function operandCells({ source, result }: ExplainedOperand): readonly string[] {
  return [source, `is ${result}`];
}

function claimCells({ name, isPresent, value }: ReadClaim): readonly string[] {
  return [`claim ${name}`, isPresent ? `is ${value ?? 'present'}` : 'is absent'];
}

function paintStep(line: string, result: StepResult, paint: Paint): string {
  if (result === 'fail') return paint('red', line);
  if (result === 'pass') return paint('green', line.slice(0, 4)) + line.slice(4);
  return paint('dim', line);
}

function stepWords({ result, wanted, found, detail }: ExplainedStep): string {
  if (result !== 'fail') return [found, wanted && `(wanted: ${wanted})`].filter(isText).join(' ');
  return [wanted && `wanted: ${wanted}`, found && `found: ${found}`, detail].filter(isText).join('; ');
}

function isText(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

const tokenStates = {
  verified: 'verified',
  given: 'claims as given, what is missing filled in, no signature',
  not_verified: 'not verified',
} as const;

function tokenLines({ token }: Explanation): readonly string[] {
  if (token === null) return [];
  const { state, issuer, claims } = token;
  const isShown = claims.some(({ value }) => value !== undefined);
  const head = [`${tokenStates[state]}${issuer === null ? '' : `, of issuer ${issuer}`}`];
  if (!isShown) return [...head, `claims: ${claims.map(({ name }) => name).join(', ')} (values: --show-claims)`];
  return [...head, ...table(claims.map(({ name, value }) => [name, value ?? '']))];
}

function headerLines({ decision, headers }: Explanation): readonly string[] {
  if (decision === 'deny') return [];
  const set = Object.entries(headers.set).map(([name, header]) => [`set ${name}`, sourceOf(header)]);
  const removed = headers.removed.length === 0 ? [] : [`removed: ${headers.removed.join(', ')}`];
  return [...table(set), ...removed];
}

function sourceOf({ claim = '', client, value }: SetHeader): string {
  if (client !== undefined) return `to an access token of client ${client}`;
  return value === undefined ? `from claim ${claim}` : `${value} (claim ${claim})`;
}

function answerLines({ answer }: Explanation): readonly string[] {
  if (answer === null) return ["the upstream's own (Envoy is answered with code 0, OK)"];
  const lines = [
    `HTTP ${answer.status} (Envoy is answered with code ${answer.grpcCode})`,
    ...answer.headers.map(([name, value]) => `${name}: ${value}`),
    ...(answer.body === '' ? [] : [answer.body]),
  ];
  return lines.map(printable);
}

function metadataLines({ metadata }: Explanation): readonly string[] {
  return table(
    Object.entries(metadata).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
