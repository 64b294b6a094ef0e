/**
 * Promises: names for the parts of a parsed expression, and what a macro was before the parser expanded it.
 */
import type { parse } from '@bufbuild/cel';

export type Parsed = ReturnType<typeof parse>;
export type Expression = Parsed['expr'];
type Part = Expression['exprKind'];
export type Constant = Extract<Part, { case: 'constExpr' }>['value'];
export type Select = Extract<Part, { case: 'selectExpr' }>['value'];
export type Call = Extract<Part, { case: 'callExpr' }>['value'];

export type Struct = Extract<Part, { case: 'structExpr' }>['value'];
export type Comprehension = Extract<Part, { case: 'comprehensionExpr' }>['value'];

/** The names that a macro can have. */
export const macroNames: readonly string[] = ['all', 'exists', 'exists_one', 'map', 'filter', 'has'];

export interface Macro {
  /** What an item is asked; undefined in `map` with two arguments. */
  readonly test: Expression | undefined;
  /** What an item becomes; undefined where the result is a bool. */
  readonly item: Expression | undefined;
}

/** The arguments of a macro, out of the loop that the parser made of it. */
export function readMacro({ accuInit, loopStep }: Comprehension): Macro {
  const [first, second, third] = argumentsOf(loopStep);
  // `@result && test` and `@result || test`; `test ? … : @result`; `@result + [item]`.
  if (accuInit?.exprKind.case !== 'listExpr') return { test: third === undefined ? second : first, item: undefined };
  return third === undefined
    ? { test: undefined, item: addedItem(second) }
    : { test: first, item: addedItem(argumentsOf(second)[1]) };
}

function addedItem(list: Expression | undefined): Expression | undefined {
  return list?.exprKind.case === 'listExpr' ? list.exprKind.value.elements[0] : undefined;
}

function argumentsOf(expression: Expression | undefined): readonly Expression[] {
  return expression?.exprKind.case === 'callExpr' ? expression.exprKind.value.args : [];
}

/** The text of a string literal. */
export function literalText(expression: Expression | undefined): string | undefined {
  if (expression?.exprKind.case !== 'constExpr') return undefined;
  const { constantKind } = expression.exprKind.value;
  return constantKind.case === 'stringValue' ? constantKind.value : undefined;
}

export function isName(expression: Expression | undefined, name: string): boolean {
  return expression?.exprKind.case === 'identExpr' && expression.exprKind.value.name === name;
}

/** `request.path` and its like. */
export function isMember(expression: Expression | undefined, holder: string, name: string): boolean {
  if (expression?.exprKind.case !== 'selectExpr') return false;
  const { operand, field, testOnly } = expression.exprKind.value;
  return !testOnly && field === name && isName(operand, holder);
}

/** `claims.tenant`, `claims["a b"].c`: a member that is named from a variable on. */
export function memberName({ exprKind }: Expression): string | undefined {
  if (exprKind.case === 'selectExpr') {
    const owner = holderName(exprKind.value.operand);
    return owner === undefined ? undefined : `${owner}.${exprKind.value.field}`;
  }
  if (exprKind.case !== 'callExpr' || exprKind.value.function !== '_[_]') return undefined;
  const [operand, index] = exprKind.value.args;
  const [owner, member] = [holderName(operand), literalText(index)];
  return owner === undefined || member === undefined ? undefined : `${owner}[${JSON.stringify(member)}]`;
}

function holderName(expression: Expression | undefined): string | undefined {
  if (expression === undefined) return undefined;
  return expression.exprKind.case === 'identExpr' ? expression.exprKind.value.name : memberName(expression);
}

/** The parts of an expression, in the order of the text. */
export function children({ exprKind }: Expression): readonly Expression[] {
  switch (exprKind.case) {
    case 'selectExpr':
      return present([exprKind.value.operand]);
    case 'callExpr':
      return present([exprKind.value.target, ...exprKind.value.args]);
    case 'listExpr':
      return exprKind.value.elements;
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        present([keyKind.case === 'mapKey' ? keyKind.value : undefined, value]),
      );
    case 'comprehensionExpr':
      return present([exprKind.value.iterRange, exprKind.value.loopCondition, exprKind.value.loopStep]);
    default:
      return [];
  }
}

function present(expressions: readonly (Expression | undefined)[]): readonly Expression[] {
  return expressions.filter((expression) => expression !== undefined);
}

/** Nodes of an expression, those of expanded macros included. */
export function countNodes(expression: Expression): number {
  return children(expression).reduce((sum, child) => sum + countNodes(child), 1);
}
