/**
 * Promises: every mistake that the types of a condition show, at its place, before anything is evaluated; a condition without
 * problems gives a bool or fails. Claims are known at run time only.
 * Leaves to others: calls and operators (check-call.ts).
 */
import { checkCall } from './check-call.ts';
import {
  type Comprehension,
  type Constant,
  type Expression,
  isMember,
  literalText,
  readMacro,
  type Select,
  type Struct,
} from './expression.ts';
import type { Findings } from './findings.ts';
import { holderOf, membersOf, reservedNames, typeNames, variables } from './member.ts';
import { didYouMean } from './suggestion.ts';
import { any, bool, fits, isHolder, join, listOf, mapOf, oneOf, type Type, text } from './type.ts';

/** Levels of an expression; `a + b + c` has two. */
const maxDepth = 200;

/** The name that a macro gives to an item. */
export interface Local {
  readonly name: string;
  readonly type: Type;
}

export class Check {
  readonly findings: Findings;
  /** INVARIANT: there is at most one, since macros do not nest. */
  #local: Local | undefined;
  #depth = 0;

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** The whole condition. */
  condition(expression: Expression): void {
    const type = this.value(expression);
    if (this.findings.problems.length > 0 || type.kind === 'bool') return;
    const start = this.findings.startOf(expression);
    if (type.kind !== 'any') this.findings.add(start, `a condition is true or false, this is ${oneOf(type)}`);
    else this.findings.add(start, 'whether this is true or false is known at run time only', 'compare it: `… == true`');
  }

  /** The type of what can be a value. */
  value(expression: Expression): Type {
    const type = this.type(expression);
    if (!isHolder(type)) return type;
    const what = type.kind === 'headers' ? 'headers can only be asked for by name' : `\`${type.kind}\` is no value`;
    const hint = type.kind === 'headers' ? 'write `request.headers["x-name"]`' : `name a member of \`${type.kind}\``;
    this.findings.add(this.findings.at(expression), what, hint);
    return any;
  }

  /** The type of a value, or of what has members only. */
  type(expression: Expression): Type {
    if (this.#depth >= maxDepth) {
      this.findings.add(this.findings.at(expression), `the condition is nested deeper than ${maxDepth}`);
      return any;
    }
    this.#depth += 1;
    const type = this.#typeOf(expression);
    this.#depth -= 1;
    return type;
  }

  /** Says so when a value is not what is wanted. */
  expect(expression: Expression, wanted: Type, by: string): void {
    const type = this.value(expression);
    if (fits(type, wanted)) return;
    const message = `${by} wants ${oneOf(wanted)}, this is ${oneOf(type)}`;
    this.findings.add(this.findings.startOf(expression), message);
  }

  #typeOf(expression: Expression): Type {
    const { exprKind } = expression;
    switch (exprKind.case) {
      case 'constExpr':
        return this.#constant(expression, exprKind.value);
      case 'identExpr':
        return this.#name(expression, exprKind.value.name);
      case 'selectExpr':
        return this.#select(expression, exprKind.value);
      case 'callExpr':
        return checkCall(this, expression, exprKind.value);
      case 'listExpr':
        return listOf(this.#joined(exprKind.value.elements));
      case 'structExpr':
        return this.#map(expression, exprKind.value);
      case 'comprehensionExpr':
        return this.#macro(expression, exprKind.value);
      default:
        return any;
    }
  }

  #constant(expression: Expression, { constantKind }: Constant): Type {
    const { case: kind } = constantKind;
    if (kind === 'int64Value' && BigInt.asIntN(64, constantKind.value) !== constantKind.value) {
      this.#outOfRange(expression, 'an int');
    } else if (kind === 'uint64Value' && BigInt.asUintN(64, constantKind.value) !== constantKind.value) {
      this.#outOfRange(expression, 'a uint');
    } else if (kind === 'doubleValue' && !Number.isFinite(constantKind.value)) {
      this.#outOfRange(expression, 'a double');
    }
    return (kind === undefined ? undefined : constantTypes[kind]) ?? any;
  }

  #outOfRange(expression: Expression, type: string): void {
    this.findings.add(this.findings.at(expression), `this number does not fit ${type}`);
  }

  #name(expression: Expression, name: string): Type {
    if (this.#local?.name === name) return this.#local.type;
    const type = variables.get(name);
    if (name === 'claims') this.findings.reads.add(name);
    if (type !== undefined) return type;
    if (typeNames.has(name)) return { kind: 'type' };
    const holder = holderOf(name);
    const known = [...variables.keys(), ...(this.#local === undefined ? [] : [this.#local.name])];
    const hint = holder === undefined ? didYouMean(name, known) : `did you mean \`${holder}.${name}\`?`;
    const claim = 'the variables are `claims`, `request` and `token`';
    this.findings.add(this.findings.at(expression), `there is no variable \`${name}\``, hint ?? claim);
    return any;
  }

  #select(expression: Expression, select: Select): Type {
    const { operand, field, testOnly } = select;
    const owner = operand === undefined ? any : this.type(operand);
    const at = this.findings.memberAt(expression.id, select);
    if (isMember(operand, 'request', 'path')) this.pathName(field, at);
    const type = this.member(owner, field, at);
    return testOnly ? bool : type;
  }

  /** The type of a member by its name. */
  member(owner: Type, name: string, at: number): Type {
    if (owner.kind === 'request' || owner.kind === 'token') return this.#memberOf(owner.kind, name, at);
    if (owner.kind === 'headers') return this.header(name, at);
    if (fits(owner, mapOf(text, any))) this.memberName(name, at);
    else this.findings.add(at, `${oneOf(owner)} has no member \`${name}\``);
    return owner.kind === 'map' ? (owner.item ?? any) : any;
  }

  #memberOf(holder: 'request' | 'token', name: string, at: number): Type {
    const members = membersOf(holder);
    const type = members.get(name);
    if (type === undefined) {
      const hint =
        didYouMean(name, members.keys()) ?? `it has ${[...members.keys()].map((m) => `\`${m}\``).join(', ')}`;
      this.findings.add(at, `\`${holder}\` has no member \`${name}\``, hint);
    } else {
      this.findings.reads.add(`${holder}.${name}`);
    }
    return type ?? any;
  }

  /** A name that is never there would make `!("X" in request.headers)` always true. */
  header(name: string, at: number): Type {
    if (name !== name.toLowerCase()) {
      this.findings.add(at, 'names of headers are in lower case here', `write \`"${name.toLowerCase()}"\``);
    } else if (!/^[!#$%&'*+.^_`|~a-z0-9-]+$/.test(name)) {
      this.findings.add(at, 'no header can have this name');
    }
    return text;
  }

  /** To ask for a name that is never there is a mistake, or an attempt. */
  memberName(name: string, at: number): void {
    if (reservedNames.has(name)) this.findings.add(at, `no member can be named \`${name}\``);
  }

  pathName(name: string, at: number): void {
    if (!this.findings.pathNames.has(name)) this.findings.pathNames.set(name, at);
  }

  #map(expression: Expression, { messageName, entries }: Struct): Type {
    if (messageName !== '') this.findings.add(this.findings.at(expression), 'messages cannot be made here');
    const keys: Expression[] = [];
    for (const { keyKind } of entries) if (keyKind.case === 'mapKey') keys.push(keyKind.value);
    for (const key of keys) this.#mapKey(key);
    return mapOf(
      this.#joined(keys),
      this.#joined(entries.flatMap(({ value }) => (value === undefined ? [] : [value]))),
    );
  }

  #mapKey(key: Expression): void {
    const { kind } = this.value(key);
    this.memberName(literalText(key) ?? '', this.findings.at(key));
    if (['any', 'string', 'int', 'uint', 'bool'].includes(kind)) return;
    this.findings.add(this.findings.startOf(key), `a ${kind} cannot be the key of a map`);
  }

  #joined(expressions: readonly Expression[]): Type {
    const [first, ...others] = expressions.map((expression) => this.value(expression));
    return others.reduce((joined, type) => join(joined, type) ?? any, first ?? any);
  }

  #macro(expression: Expression, loop: Comprehension): Type {
    const at = this.findings.memberAt(expression.id, { testOnly: false });
    if (this.#local !== undefined) {
      this.findings.add(at, 'a macro cannot stand in the body of another one', 'ask for one thing at a time');
      return any;
    }
    const type = this.#itemType(loop.iterRange, at);
    if (variables.has(loop.iterVar))
      this.findings.add(at, `\`${loop.iterVar}\` is a variable, give the item another name`);
    this.#local = { name: loop.iterVar, type };
    const { test, item } = readMacro(loop);
    if (test !== undefined) this.expect(test, bool, 'the test of a macro');
    const result = item === undefined ? bool : listOf(this.value(item));
    this.#local = undefined;
    return result;
  }

  #itemType(range: Expression | undefined, at: number): Type {
    const type = range === undefined ? any : this.value(range);
    if (type.kind === 'list') return type.item ?? any;
    if (type.kind === 'map') return type.key ?? any;
    if (type.kind !== 'any') this.findings.add(at, `${oneOf(type)} has no items`, 'a list has, and a map has keys');
    return any;
  }
}

const constantTypes: Readonly<Record<string, Type>> = {
  boolValue: bool,
  int64Value: { kind: 'int' },
  uint64Value: { kind: 'uint' },
  doubleValue: { kind: 'double' },
  stringValue: text,
  bytesValue: { kind: 'bytes' },
  nullValue: { kind: 'null' },
};
