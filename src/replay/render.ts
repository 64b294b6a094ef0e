/**
 * Promises: a replay as text for a person or as JSON lines for a program; nothing of a log can steer a terminal.
 */
import type { Paint } from '../report/paint.ts';
import { printable } from '../report/printable.ts';
import { assumptions, issuerAssumption } from './outlook.ts';
import type { ReplayedLine } from './replay.ts';
import type { ShadowCounts, Summary, VerdictCounts } from './summary.ts';
import type { Verdict } from './verdict.ts';

const styles = { same: 'dim', changed: 'red', undecidable: 'yellow' } as const satisfies Record<Verdict, string>;

export function renderLine({ log, line, record, compared }: ReplayedLine, paint: Paint): string {
  const { verdict, now, unknown } = compared;
  const { method = '-', host = '-', path = '', decision, reason, rule } = record;
  const then = words(decision, [reason], rule);
  const later = verdict === 'same' ? '' : ` -> ${words(now.decision, now.reasons, now.rule)}`;
  const lacks = unknown.length === 0 ? '' : `; not in the log: ${unknown.join('; ')}`;
  const text = printable(`${log}:${line}  ${method} ${host}${path}  ${then}${later}${lacks}`);
  return `${paint(styles[verdict], verdict.padEnd(11))}  ${text}\n`;
}

function words(decision: string | undefined, reasons: readonly string[], rule: string | undefined): string {
  const shown = reasons.length > 3 ? [] : reasons;
  const by = rule === undefined ? [] : [`by ${rule}`];
  return [decision ?? 'allow or deny', shown.join(' or '), ...by].filter((word) => word !== '').join(' ');
}

export function renderJsonLine({ log, line, record, compared }: ReplayedLine): string {
  const { verdict, now, unknown } = compared;
  const { method, host, path, requestId, decision, reason, rule } = record;
  return jsonLine({
    verdict,
    log,
    line,
    request: { method, host, path, requestId },
    old: { decision, reason, rule: rule ?? null },
    new: { decision: now.decision ?? null, reasons: now.reasons, rule: now.rule ?? null },
    unknown,
  });
}

export function renderSummary(summary: Summary, paint: Paint): string {
  const { decisions, same, changed, undecidable, otherLines, brokenLines } = summary;
  const rows = [...summary.rules].toSorted(byChanges).map(([name, counts]) => ruleRow(name, counts));
  return [
    `${number(decisions)} decisions: ${number(same)} same, ${paint(changed > 0 ? 'red' : 'dim', `${number(changed)} changed`)}, ${number(undecidable)} undecidable\n`,
    ...directions(summary),
    otherLines + brokenLines === 0
      ? ''
      : `skipped: ${number(otherLines)} lines that are no decisions, ${number(brokenLines)} that cannot be read\n`,
    rows.length === 0 ? '' : `\n${lines([['rule', 'same', 'changed', 'undecidable'], ...rows.slice(0, maxRows)])}`,
    rows.length > maxRows ? `and ${number(rows.length - maxRows)} more rules\n` : '',
    section(
      'Not in the log',
      summary.unknown.slice(0, maxRows).map(([what, count]) => [number(count), what]),
    ),
    section('Shadow rules of the log', [...summary.shadow].slice(0, maxRows).map(shadowRow)),
    section(
      'Taken for granted',
      assumptionsOf(summary).map((text) => [text]),
    ),
  ].join('');
}

function directions({ changed, undecidable, allowToDeny, denyToAllow, deniedEitherWay }: Summary): readonly string[] {
  const only = changed - allowToDeny - denyToAllow;
  return [
    changed === 0
      ? ''
      : `changed: ${number(allowToDeny)} from allow to deny, ${number(denyToAllow)} from deny to allow, ${number(only)} in reason or rule only\n`,
    undecidable === 0
      ? ''
      : `undecidable: ${number(deniedEitherWay)} refused either way, ${number(undecidable - deniedEitherWay)} allowed or refused\n`,
  ];
}

const maxRows = 40;

function assumptionsOf({ byOtherPolicy }: Summary): readonly string[] {
  return byOtherPolicy === 0 ? assumptions : [issuerAssumption, ...assumptions];
}

function byChanges([, a]: [string, Readonly<VerdictCounts>], [, b]: [string, Readonly<VerdictCounts>]): number {
  return b.changed - a.changed || b.undecidable - a.undecidable || b.same - a.same;
}

function ruleRow(name: string, { same, changed, undecidable }: Readonly<VerdictCounts>): readonly string[] {
  return [name === '' ? '(no rule)' : name, number(same), number(changed), number(undecidable)];
}

function shadowRow([name, { agreed, wouldAllow, wouldDeny }]: [string, ShadowCounts]): readonly string[] {
  const changes = `would have allowed ${number(wouldAllow)} that were refused, refused ${number(wouldDeny)} that were allowed`;
  return [name, `${changes}, agreed with ${number(agreed)}`];
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${lines(rows)}`;
}

/** Columns; numbers to the right. */
function lines(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((cells) => cells.map(printable));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((cells) => cells[column]?.length ?? 0)));
  return (
    clean.map((cells) => `  ${cells.map((cell, at) => pad(cell, widths[at] ?? 0)).join('  ')}`.trimEnd()).join('\n') +
    '\n'
  );
}

function pad(cell: string, width: number): string {
  return /^[\d,]+$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
}

export function renderJsonSummary(summary: Summary): string {
  const { rules, shadow, unknown, ...counts } = summary;
  return jsonLine({
    summary: {
      ...counts,
      rules: [...rules].map(([name, verdicts]) => Object.assign({ rule: name === '' ? null : name }, verdicts)),
      unknown: Object.fromEntries(unknown),
      shadow: Object.fromEntries(shadow),
      assumptions: assumptionsOf(summary),
    },
  });
}

function jsonLine(value: object): string {
  return `${printable(JSON.stringify(value))}\n`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
