/**
 * Promises: the language of conditions, loaded when the first policy that has one asks for it: it is a third of what a start would
 * load, and most policies have none.
 * Leaves to others: what the language does (compile-condition.ts, operands.ts).
 */
import type { Condition, ConditionProblem } from './condition.ts';
import type { Operand } from './operands.ts';

interface Language {
  readonly compileCondition: (source: string) => Condition | readonly ConditionProblem[];
  readonly operandsOf: (source: string) => readonly Operand[];
}

let language: Language | undefined;

export async function loadLanguage(): Promise<void> {
  if (language !== undefined) return;
  const [{ compileCondition: compile }, { operandsOf: operands }] = await Promise.all([
    import('./compile-condition.ts'),
    import('./operands.ts'),
  ]);
  language = { compileCondition: compile, operandsOf: operands };
}

export function compileCondition(source: string): Condition | readonly ConditionProblem[] {
  return loaded().compileCondition(source);
}

export function operandsOf(source: string): readonly Operand[] {
  return loaded().operandsOf(source);
}

function loaded(): Language {
  if (language === undefined) throw new Error('the language of conditions is asked for before it was loaded');
  return language;
}
