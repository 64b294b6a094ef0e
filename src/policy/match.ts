/** STUB for the types; see the policy room's task. */
import type { Rule } from './snapshot.ts';

/** The rule that applies, with the values of its path template, still percent-encoded. */
export interface Match {
  readonly rule: Rule;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Finds the most specific rule. Arguments are canonical (path.ts). */
export interface RouteIndex {
  match(host: string, path: string, method: string): Match | undefined;
}
