/**
 * Promises: the Authorization that the upstream gets where the rule injects one: an access token of our own, in place of whatever the
 * caller sent. It is asked for when everything else has passed, and waited for no longer than the check may last.
 * Leaves to others: getting tokens (egress/), taking the caller's credentials away (identity-headers.ts).
 */
import type { Header } from '../decision/decision.ts';
import { type Step, Stop } from '../decision/step.ts';
import type { Rule } from '../policy/snapshot.ts';
import { hasQueryToken } from '../token/bearer.ts';
import type { ResolveClientToken } from '../token/oauth-client.ts';

/** The headers to set; none without `inject`. `target` is path and query as they came. */
export function upstreamAuthorization(
  { inject }: Rule,
  target: string,
  waitMs: number,
  resolve: ResolveClientToken,
): Step<readonly Header[]> | Promise<Step<readonly Header[]>> {
  if (inject === undefined) return [];
  // An upstream that reads tokens of the query would get the caller's own.
  if (hasQueryToken(queryOf(target))) return new Stop('credentials_malformed', 'a token in the query, beside `inject`');
  const token = resolve(inject, waitMs);
  return token instanceof Promise ? token.then(toHeaders) : toHeaders(token);
}

function toHeaders(token: Step<string>): Step<readonly Header[]> {
  return token instanceof Stop ? token : [['authorization', `Bearer ${token}`]];
}

function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark + 1);
}
