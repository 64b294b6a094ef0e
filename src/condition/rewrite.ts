/**
 * Promises: the expression as it is evaluated: `has` asks our function, a failing index names its member, loops pay for their turns before the first, and the lists
 * that `map` and `filter` make grow in place instead of being copied at every turn.
 * Leaves to others: whether the expression is any good (check.ts).
 */
import { type Call, type Comprehension, countNodes, type Expression, isName, literalText } from './expression.ts';
import { internal } from './functions.ts';

/** The name that the parser gives to the result of a loop. */
const resultName = '@result';

export function rewrite(expression: Expression): Expression {
  const { id, exprKind } = expression;
  switch (exprKind.case) {
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      if (operand === undefined) return expression;
      const owner = rewrite(operand);
      if (testOnly) return call(id, internal.has, [owner, constant(id, { case: 'stringValue', value: field })]);
      return { ...expression, exprKind: { case: 'selectExpr', value: { ...exprKind.value, operand: owner } } };
    }
    case 'callExpr':
      return rewriteIndex(id, exprKind.value) ?? replaced(id, rewriteCall(exprKind.value));
    case 'listExpr': {
      const elements = exprKind.value.elements.map(rewrite);
      return { ...expression, exprKind: { case: 'listExpr', value: { ...exprKind.value, elements } } };
    }
    case 'structExpr':
      return rewriteStruct(expression);
    case 'comprehensionExpr':
      return { ...expression, exprKind: { case: 'comprehensionExpr', value: rewriteLoop(id, exprKind.value) } };
    default:
      return expression;
  }
}

/** `a["b"]` is `a.b`, whose failure names the member. */
function rewriteIndex(id: bigint, { function: name, args }: Call): Expression | undefined {
  const [operand, index] = args;
  const field = literalText(index);
  if (name !== '_[_]' || operand === undefined || field === undefined) return undefined;
  const value = { $typeName: 'cel.expr.Expr.Select', operand: rewrite(operand), field, testOnly: false } as const;
  return { $typeName: 'cel.expr.Expr', id, exprKind: { case: 'selectExpr', value } };
}

function rewriteCall({ target, args, ...rest }: Call): Call {
  const rewritten = args.map(rewrite);
  return target === undefined ? { ...rest, args: rewritten } : { ...rest, args: rewritten, target: rewrite(target) };
}

function rewriteStruct(expression: Expression): Expression {
  if (expression.exprKind.case !== 'structExpr') return expression;
  const struct = expression.exprKind.value;
  const entries = struct.entries.map(({ keyKind, value, ...entry }) => ({
    ...entry,
    keyKind: keyKind.case === 'mapKey' ? { ...keyKind, value: rewrite(keyKind.value) } : keyKind,
    ...(value === undefined ? {} : { value: rewrite(value) }),
  }));
  return { ...expression, exprKind: { case: 'structExpr', value: { ...struct, entries } } };
}

function rewriteLoop(id: bigint, loop: Comprehension): Comprehension {
  const { iterRange, accuInit, loopStep } = loop;
  if (iterRange === undefined || accuInit === undefined || loopStep === undefined) return loop;
  const nodes = constant(id, { case: 'int64Value', value: BigInt(countNodes(loopStep)) });
  const isListMade = accuInit.exprKind.case === 'listExpr';
  return {
    ...loop,
    iterRange: call(id, internal.each, [rewrite(iterRange), nodes]),
    accuInit: isListMade ? call(accuInit.id, internal.list, []) : accuInit,
    loopStep: isListMade ? rewriteStep(loopStep) : rewrite(loopStep),
  };
}

/** `@result + [x]`, alone or as a branch of `?`. */
function rewriteStep(step: Expression): Expression {
  if (step.exprKind.case !== 'callExpr') return step;
  const { args } = step.exprKind.value;
  const [first, second, third] = args;
  if (third !== undefined && first !== undefined && second !== undefined) {
    const value = { ...step.exprKind.value, args: [rewrite(first), rewriteStep(second), third] };
    return { ...step, exprKind: { case: 'callExpr', value } };
  }
  const item = second?.exprKind.case === 'listExpr' ? second.exprKind.value.elements[0] : undefined;
  if (first === undefined || item === undefined || !isName(first, resultName)) return rewrite(step);
  return call(step.id, internal.append, [first, rewrite(item)]);
}

function call(id: bigint, name: string, args: Expression[]): Expression {
  return replaced(id, { $typeName: 'cel.expr.Expr.Call', function: name, args });
}

function replaced(id: bigint, value: Call): Expression {
  return { $typeName: 'cel.expr.Expr', id, exprKind: { case: 'callExpr', value } };
}

type ConstantKind = Extract<Expression['exprKind'], { case: 'constExpr' }>['value']['constantKind'];

function constant(id: bigint, constantKind: ConstantKind): Expression {
  const value = { $typeName: 'cel.expr.Constant', constantKind } as const;
  return { $typeName: 'cel.expr.Expr', id, exprKind: { case: 'constExpr', value } };
}
