/**
 * Promises: parts of a condition without variables are evaluated at load, once and within the cost of one evaluation, so that what
 * fails at every request is told to the operator and not to the users.
 * Leaves to others: a part that fails where the rest of its constant decides without it, as in `true || 1 / 0 == 1`: it is no mistake.
 */
import { planExpression } from './engine.ts';
import { attempt } from './evaluation.ts';
import { children, type Expression } from './expression.ts';
import type { Findings } from './findings.ts';
import { typeNames } from './member.ts';
import { meter } from './meter.ts';
import type { Pattern } from './pattern.ts';
import { rewrite } from './rewrite.ts';

/** `patterns`: those that stand in the condition, which are paid for already. */
export function checkConstants(
  expression: Expression,
  findings: Findings,
  patterns: ReadonlyMap<string, Pattern>,
): void {
  const constants = new Set<Expression>();
  collect(expression, constants, nothing);
  meter.start(patterns);
  for (const constant of outermost(expression, constants)) {
    const failure = failureAt(constant);
    if (failure === undefined) continue;
    const at = findings.startOf(meter.fault === undefined ? innermost(constant, constants) : constant);
    findings.add(at, `this always fails: ${failure}`);
    // Nothing is left to pay with.
    if (meter.fault !== undefined) return;
  }
}

/** Adds the parts without variables, and gives the names that the whole reads. `locals`: names that macros give. */
function collect(expression: Expression, constants: Set<Expression>, locals: ReadonlySet<string>): ReadonlySet<string> {
  const { exprKind } = expression;
  const names = exprKind.case === 'identExpr' ? readName(exprKind.value.name, locals) : new Set<string>();
  for (const child of children(expression)) {
    const given = namesGivenTo(child, expression);
    const inner = given.size === 0 ? locals : new Set([...locals, ...given]);
    for (const name of collect(child, constants, inner)) if (!given.has(name)) names.add(name);
  }
  if (names.size === 0) constants.add(expression);
  return names;
}

const nothing: ReadonlySet<string> = new Set();

function readName(name: string, locals: ReadonlySet<string>): Set<string> {
  return new Set(typeNames.has(name) && !locals.has(name) ? [] : [name]);
}

/** A macro gives its names to its body, not to the list that it walks. */
function namesGivenTo(child: Expression, { exprKind }: Expression): ReadonlySet<string> {
  if (exprKind.case !== 'comprehensionExpr' || child === exprKind.value.iterRange) return nothing;
  return new Set([exprKind.value.iterVar, exprKind.value.accuVar]);
}

/** Of constants inside each other the whole: it may have a result even though a part has none. */
function outermost(expression: Expression, constants: ReadonlySet<Expression>): readonly Expression[] {
  if (constants.has(expression)) return [expression];
  return children(expression).flatMap((child) => outermost(child, constants));
}

function innermost(failing: Expression, constants: ReadonlySet<Expression>): Expression {
  const cause = children(failing).find(
    (child) => constants.has(child) && meter.fault === undefined && failureAt(child) !== undefined,
  );
  return cause === undefined || meter.fault !== undefined ? failing : innermost(cause, constants);
}

function failureAt(constant: Expression): string | undefined {
  if (!canFail(constant)) return undefined;
  const result = attempt(() => planExpression(rewrite(constant))({}), new Map());
  return 'value' in result ? undefined : result.detail;
}

/** Literals and lists of them cannot: most constants are that, and cost nothing at load. */
function canFail(expression: Expression): boolean {
  const { case: kind } = expression.exprKind;
  return (kind !== 'constExpr' && kind !== 'identExpr' && kind !== 'listExpr') || children(expression).some(canFail);
}
