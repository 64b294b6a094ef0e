/**
 * Promises: what a rule requires, its condition compiled, with every mistake in it at its place inside the text.
 * Leaves to others: the language of conditions (condition/).
 */
import type { Condition, ConditionProblem } from '../condition/condition.ts';
import { compileCondition } from '../condition/language.ts';
import type { PlacedRoute } from './compile-routes.ts';
import { durationSeconds } from './duration.ts';
import { type Report, type Spot, within } from './report.ts';
import type { RuleContent } from './schema.ts';
import type { PolicySnapshot, Requirement } from './snapshot.ts';
import { didYouMean } from './suggestion.ts';
import { quote } from './wording.ts';

/** Conditions by their text; rules share one when they say the same. */
export type ConditionCompiler = (source: string) => Condition | readonly ConditionProblem[];

/** Those of the policy before need not be compiled again. */
export function createConditionCompiler(previous: PolicySnapshot | undefined): ConditionCompiler {
  const compiled = new Map<string, Condition | readonly ConditionProblem[]>();
  for (const { require } of previous?.rules ?? []) {
    if (require.condition !== undefined) compiled.set(require.condition.source, require.condition);
  }
  return (source) => {
    const condition = compiled.get(source) ?? compileCondition(source);
    compiled.set(source, condition);
    return condition;
  };
}

type RequirementContent = NonNullable<RuleContent['require']>;

export function compileRequirement(
  content: RequirementContent | undefined,
  conditions: ConditionCompiler,
  spot: Spot,
  report: Report,
): Requirement {
  const { scopes, anyScope, acr, maxAuthAge, when } = content ?? {};
  return {
    scopes: scopes ?? [],
    anyScope: anyScope ?? [],
    acr: acr ?? [],
    maxAuthAgeSeconds: maxAuthAge === undefined ? undefined : durationSeconds(maxAuthAge),
    condition: when === undefined ? undefined : reportedCondition(conditions(when), within(spot, 'when'), report),
  };
}

function reportedCondition(
  compiled: Condition | readonly ConditionProblem[],
  spot: Spot,
  report: Report,
): Condition | undefined {
  if (!isProblems(compiled)) return compiled;
  for (const { offset, message, hint } of compiled) report.error(spot, 'condition', message, { hint, offset });
  return undefined;
}

function isProblems(compiled: Condition | readonly ConditionProblem[]): compiled is readonly ConditionProblem[] {
  return Array.isArray(compiled);
}

/** A template value that one of the paths does not have would deny every request of that path, unless the condition asks for it. */
export function checkPathNames(
  { condition }: Requirement,
  routes: readonly PlacedRoute[],
  spot: Spot,
  report: Report,
): void {
  for (const [name, offset] of condition?.pathNames ?? []) {
    const without = routes.filter(({ path }) => !namesOf(path).includes(name));
    const [lacking] = without;
    const isAskedFor = condition !== undefined && without.length < routes.length && asksFor(condition.source, name);
    if (lacking === undefined || isAskedFor) continue;
    const message = `path ${quote(lacking.text)} of the rule has no ${quote(`{${name}}`)}`;
    report.error(within(spot, 'when'), 'condition', message, { hint: didYouMean(name, namesOf(lacking.path)), offset });
  }
}

/** Names of templates hold nothing that a pattern could take for its own. */
function asksFor(source: string, name: string): boolean {
  return new RegExp(`has\\(\\s*request\\.path\\.${name}\\s*\\)|(["'])${name}\\1 in request\\.path`).test(source);
}

function namesOf({ segments }: PlacedRoute['path']): readonly string[] {
  return segments.filter(({ kind }) => kind === 'parameter').map(({ text }) => text);
}
