/**
 * Promises: the marked parts of README.md, and the deny table as it must stand there.
 */
import { readFileSync } from 'node:fs';
import { type DenyReason, denyReasons, denyRow } from '../../src/decision/deny-reason.ts';

export const readme: string = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** What stands between `<!-- name -->` and `<!-- /name -->`; a code fence around it is taken off. */
export function section(name: string): string {
  const [, inner] = new RegExp(`<!-- ${name} -->\\n([^]*?)\\n?<!-- /${name} -->`).exec(readme) ?? [];
  if (inner === undefined) {
    throw new Error(`README.md has no part ${name}`);
  }
  return inner.replace(/^```\w*\n/, '').replace(/\n?```$/, '');
}

/** The rows of `denyReasons`, in their order. */
export function denyTable(): string {
  const rows = Object.keys(denyReasons)
    .filter((reason): reason is DenyReason => Object.hasOwn(denyReasons, reason))
    .map((reason) => {
      const { http, challenge, meaning } = denyRow(reason);
      return `| \`${reason}\` | ${http} | ${challengeCell(challenge)} | ${meaning} |`;
    });
  return ['| reason | status | challenge | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function challengeCell(challenge: string | undefined): string {
  if (challenge === undefined) {
    return '';
  }
  return challenge === 'none' ? 'without an error' : `\`${challenge}\``;
}
