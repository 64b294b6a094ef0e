/**
 * Promises: texts and times as an explanation shows them: on one line, without anything that could steer a terminal.
 */
import { printable } from '../report/printable.ts';
import type { Comparison } from './explanation.ts';

export const notRequired: Comparison = { found: 'the rule requires none' };

const longest = 200;

/** A text that a client sent: quoted, and cut when it is long. */
export function quoted(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return printable(JSON.stringify(cut));
}

/** `a, b, c`; a dash for none. */
export function listed(texts: Iterable<string>): string {
  const all = [...texts];
  return all.length === 0 ? '-' : all.join(', ');
}

/** On one line, each run of blanks as one. */
export function oneSpaced(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

/** `1 scope`, `2 scopes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const units = [
  ['y', 31_536_000],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** The two largest units that are not zero: `1y30d`, `1d2h`, `4m50s`, `0s`. A year has 365 days. */
export function duration(seconds: number): string {
  let rest = Math.round(Math.abs(seconds));
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join('') || '0s';
}

/** `exp in 4m50s`, `iat 10s ago`, `nbf absent`. */
export function moment(name: string, at: number | undefined, now: number): string {
  if (at === undefined) return `${name} absent`;
  const seconds = at - now;
  if (Math.abs(seconds) < 1) return `${name} now`;
  return seconds > 0 ? `${name} in ${duration(seconds)}` : `${name} ${duration(seconds)} ago`;
}
