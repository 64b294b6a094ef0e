/**
 * Promises: a claim path as its member names, or why it is none. Dots split a text; a list names one member an item.
 */
import type { ClaimPath } from '../token/issuer.ts';
import type { Report, Spot } from './report.ts';
import type { ClaimPathContent } from './schema.ts';

/** JWT-14: names that reach a prototype instead of a claim, wherever one forgets to look for own members only. */
const reserved: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** The path, also when it is refused: then the report has an error, and nothing is made of it. */
export function compileClaimPath(content: ClaimPathContent, spot: Spot, report: Report): ClaimPath {
  const path = typeof content === 'string' ? content.split('.') : content;
  if (typeof content === 'string' && content.includes('://')) {
    const hint = 'dots split a claim path; write a claim whose name is a URL as a list of one';
    report.error(spot, 'claim_path', 'not a claim path', { hint });
  } else if (path.includes('')) {
    report.error(spot, 'claim_path', 'not a claim path, a member name is empty');
  } else if (path.some((member) => reserved.has(member))) {
    report.error(spot, 'claim_path', 'not a claim path, `__proto__`, `constructor` and `prototype` are refused');
  }
  return path;
}
