/**
 * Promises: what is found while a condition is checked, with places in the operator's text: problems, and what the condition reads.
 */
import type { ConditionProblem } from './condition.ts';
import { children, type Expression, type Parsed, type Select } from './expression.ts';

export class Findings {
  readonly problems: ConditionProblem[] = [];
  readonly reads = new Set<string>();
  readonly pathNames = new Map<string, number>();
  readonly #source: string;
  readonly #info: Parsed['sourceInfo'];

  constructor(source: string, info: Parsed['sourceInfo']) {
    this.#source = source;
    this.#info = info;
  }

  add(offset: number, message: string, hint?: string): void {
    this.problems.push(hint === undefined ? { offset, message } : { offset, message, hint });
  }

  /** Where the parser says an expression is: a literal or name at its start, an operator at the operator, a member at its dot. */
  at(expression: Expression): number {
    return this.#skipBlanks(this.#position(expression.id));
  }

  /** The first place of an expression. */
  startOf(expression: Expression): number {
    return Math.min(this.at(expression), ...children(expression).map((child) => this.startOf(child)));
  }

  /** Where the name after a dot stands. */
  memberAt(id: bigint, { testOnly }: Pick<Select, 'testOnly'>): number {
    return this.#skipBlanks(this.#position(testOnly ? this.#insideHas(id) : id) + 1);
  }

  /** Of `has(a.b)` the parser keeps the place of `has` and, aside, `a.b` as it was. */
  #insideHas(id: bigint): bigint {
    const kept = this.#info?.macroCalls[String(id)]?.exprKind;
    return (kept?.case === 'callExpr' ? kept.value.args[0]?.id : undefined) ?? id;
  }

  #position(id: bigint): number {
    return this.#info?.positions[String(id)] ?? 0;
  }

  #skipBlanks(offset: number): number {
    const blanks = /^\s*/.exec(this.#source.slice(offset, offset + 1000));
    return offset + (blanks?.[0].length ?? 0);
  }
}
