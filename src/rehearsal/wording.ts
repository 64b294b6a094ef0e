/**
 * Promises: what a test wanted and what came of it, each in one line, with the same words in the same order so that they can be compared
 * at a glance.
 */
import type { Outcome, Rehearsal } from './rehearsal.ts';

/** `deny 403 insufficient_scope`, `allow by rule orders-read, x-user-id: ada, no x-tenant`: what the test says, and nothing else. */
export function expectedWords({ test }: Rehearsal): string {
  const { headers, ...rest } = test.expect;
  return words({ ...rest, headers: Object.entries(headers) });
}

/** The same of what happened; of the headers those that the test names. */
export function actualWords({ test, actual }: Rehearsal): string {
  const named = Object.keys(test.expect.headers);
  return words({ ...actual, headers: named.map((name) => [name, actual.headers.get(name) ?? null] as const) });
}

interface Words extends Pick<Outcome, 'decision' | 'rule'> {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
}

function words({ decision, status, reason, rule, headers }: Words): string {
  const verdict = [decision, ...[status, reason].filter((word) => word !== undefined)].join(' ');
  const byRule = rule === undefined ? '' : ` by rule ${rule}`;
  const said = headers.map(([name, value]) => (value === null ? `no ${name}` : `${name}: ${value}`));
  return oneLine([`${verdict}${byRule}`, ...said].join(', '));
}

/** No character of a policy may begin a line or colour a terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
