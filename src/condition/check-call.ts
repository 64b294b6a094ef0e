/**
 * Promises: the types of operators and functions, and of literals that a function reads (patterns, times, durations, zones) that they
 * can be read.
 */
import type { Check } from './check.ts';
import { checkIn, checkIndex } from './check-lookup.ts';
import { type Call, type Expression, literalText, macroNames, memberName } from './expression.ts';
import { literalFault } from './literal.ts';
import { formsOf, functionNames, resultOf } from './signature.ts';
import { didYouMean } from './suggestion.ts';
import { any, bool, fits, join, oneOf, type Type, typeName } from './type.ts';

type Checker = (check: Check, expression: Expression, call: Call) => Type;

const operators: Readonly<Record<string, Checker>> = {
  '_&&_': (check, _expression, { args }) => checkLogic(check, args, '`&&`'),
  '_||_': (check, _expression, { args }) => checkLogic(check, args, '`||`'),
  '_?_:_': checkChoice,
  '_==_': checkEquality,
  '_!=_': checkEquality,
  '@in': checkIn,
  '_[_]': checkIndex,
};

export function checkCall(check: Check, expression: Expression, call: Call): Type {
  const operator = Object.hasOwn(operators, call.function) ? operators[call.function] : undefined;
  return (operator ?? checkFunction)(check, expression, call);
}

function checkLogic(check: Check, sides: readonly Expression[], by: string): Type {
  for (const side of sides) check.expect(side, bool, by);
  return bool;
}

function checkChoice(check: Check, expression: Expression, { args }: Call): Type {
  const [test, ...branches] = args;
  if (test !== undefined) check.expect(test, bool, '`?`');
  const [yes = any, no = any] = branches.map((branch) => check.value(branch));
  const type = join(yes, no);
  if (type !== undefined) return type;
  const message = `the branches of \`?\` are ${oneOf(yes)} and ${oneOf(no)}`;
  check.findings.add(check.findings.startOf(branches[1] ?? expression), message);
  return any;
}

function checkEquality(check: Check, expression: Expression, { args, function: name }: Call): Type {
  const [left = any, right = any] = args.map((side) => check.value(side));
  if (!fits(left, right)) {
    const message = `\`${sign(name)}\` cannot compare ${oneOf(left)} with ${oneOf(right)}`;
    check.findings.add(check.findings.at(expression), message, conversionHint(left, right));
  }
  return bool;
}

function conversionHint(left: Type, right: Type): string | undefined {
  const kinds = new Set([left.kind, right.kind]);
  if (kinds.has('timestamp') && kinds.has('string'))
    return 'a time is written `timestamp("…")`, a length of time `duration("…")`';
  if (kinds.has('duration') && kinds.has('string')) return 'a length of time is written `duration("…")`';
  if (kinds.has('null')) return 'ask with `has(…)` whether a member is there';
  if (kinds.has('list') && kinds.has('string')) return 'ask with `in` whether a list holds a value';
  return kinds.has('string') && kinds.has('int') ? 'convert one of them: `string(…)`, `int(…)`' : undefined;
}

function checkFunction(check: Check, expression: Expression, call: Call): Type {
  const { function: name, target, args } = call;
  const at = placeOf(check, expression, call);
  const owner = target === undefined ? undefined : check.value(target);
  const before = check.findings.problems.length;
  if (!isOperator(name) && !functionNames.includes(name)) {
    reportUnknown(check, name, at);
    return any;
  }
  const parameters = args.map((argument) => check.value(argument));
  const result = resultOf(name, owner, parameters);
  if (result === undefined && check.findings.problems.length === before) {
    reportUnfit(check, { call, at }, owner, parameters);
  }
  checkLiteral(check, call);
  return result ?? any;
}

/** A method stands after its dot. */
function placeOf(check: Check, expression: Expression, { target, function: name }: Call): number {
  if (target === undefined || isOperator(name)) return check.findings.at(expression);
  return check.findings.memberAt(expression.id, { testOnly: false });
}

function isOperator(name: string): boolean {
  return name.startsWith('_') || name.endsWith('_');
}

function sign(name: string): string {
  return name.replaceAll('_', '');
}

function reportUnknown(check: Check, name: string, at: number): void {
  if (name === 'has') {
    check.findings.add(at, '`has` takes one member', 'write `has(claims.email)`');
  } else if (macroNames.includes(name)) {
    check.findings.add(at, `\`${name}\` takes a name and an expression`, `write \`claims.roles.${name}(role, …)\``);
  } else if (['and', 'or', 'not'].includes(name.toLowerCase())) {
    check.findings.add(at, `\`${name}\` is no operator here`, 'write `!(…)`, `… && …`, `… || …`');
  } else {
    const hint = didYouMean(name, [...functionNames, ...macroNames]);
    check.findings.add(at, `there is no function \`${name}\``, hint);
  }
}

interface Named {
  readonly call: Call;
  readonly at: number;
}

function reportUnfit(check: Check, { call, at }: Named, owner: Type | undefined, parameters: readonly Type[]): void {
  const { function: name } = call;
  if (isOperator(name)) {
    const message = `\`${sign(name)}\` does not take ${parameters.map(oneOf).join(' and ')}`;
    check.findings.add(at, message, conversionHint(parameters[0] ?? any, parameters[1] ?? any));
    return;
  }
  const hint = membershipHint(call, owner) ?? formsHint(name);
  const written = `${owner === undefined ? '' : `${typeName(owner)}.`}${name}(${parameters.map(typeName).join(', ')})`;
  check.findings.add(at, `there is no \`${written}\``, hint);
}

function formsHint(name: string): string {
  const forms = formsOf(name).map((form) => `\`${form}\``);
  return `there is ${forms.join(', ')}`;
}

/** A list is no string, although other languages ask both alike. */
function membershipHint({ function: name, target, args }: Call, owner: Type | undefined): string | undefined {
  if (name !== 'contains' || owner?.kind !== 'list') return undefined;
  const item = literalText(args[0]);
  const list = target && memberName(target);
  return `write \`${item === undefined ? '…' : JSON.stringify(item)} in ${list ?? '…'}\``;
}

/** What a function would refuse whenever it is evaluated is refused now. */
function checkLiteral(check: Check, { function: name, args }: Call): void {
  const [argument] = args;
  const literal = literalText(argument);
  if (argument === undefined || literal === undefined) return;
  const fault = literalFault(name, literal);
  if (fault !== undefined) check.findings.add(check.findings.at(argument), fault);
}
