/**
 * Promises: the library, with our functions in place of its own.
 */
import { type CelInput, type CelResult, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import type { Expression } from './expression.ts';
import { functions } from './functions.ts';

export type Evaluate = (variables: Record<string, CelInput>) => CelResult;

const environment = celEnv({ funcs: functions });

export function planExpression(expression: Expression): Evaluate {
  return plan(environment, expression);
}

const readers: ReadonlyMap<string, Evaluate> = new Map(
  ['timestamp', 'duration'].map((name) => [name, planExpression(parse(`${name}(x)`).expr)]),
);

/** Whether `timestamp(…)` or `duration(…)` can read a text. */
export function canRead(name: string, value: string): boolean {
  const reader = readers.get(name);
  return reader === undefined || !isCelError(reader({ x: value }));
}
