/**
 * Promises: why an evaluation failed, as a text of a fixed set. Messages of the library hold values of claims: none is passed on.
 */
import type { CelError } from '@bufbuild/cel';
import type { ConditionFailure } from './condition.ts';
import type { Fault } from './meter.ts';

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^(?:field not found|unresolved attribute)/, 'a member is absent'],
  [/^index .* out of bounds/, 'an index is out of range'],
  [/overload|type mismatch|unsupported key type/, 'a value has the wrong type'],
  [/divide by zero|modulus by zero/, 'division by zero'],
  [/overflow|out of range/, 'a number or time is out of range'],
  [/pattern/, 'a pattern cannot be read'],
  [/parse|convert|not a (?:whole )?number|decode/i, 'a text cannot be converted'],
  [/key conflict/, 'a key stands twice in a map'],
];

/** `names`: what stands in the condition, by the id of its expression. */
export function failureOf({ message, exprId }: CelError, names: ReadonlyMap<bigint, string>): ConditionFailure {
  const kind = kinds.find(([pattern]) => pattern.test(message))?.[1] ?? 'it cannot be evaluated';
  const name = exprId === undefined ? undefined : names.get(exprId);
  return { reason: 'condition_error', detail: name === undefined ? kind : `${kind}: ${name}` };
}

export const unexpected: ConditionFailure = { reason: 'condition_error', detail: 'it cannot be evaluated' };

const faults: Readonly<Record<Fault, ConditionFailure>> = {
  cost: { reason: 'condition_error', detail: 'evaluating it costs too much' },
  inexact_number: { reason: 'condition_error', detail: 'a number is too large to be exact' },
  lone_surrogate: { reason: 'claim_invalid', detail: 'a claim that the condition reads holds a lone surrogate' },
};

export function faultFailure(fault: Fault): ConditionFailure {
  return faults[fault];
}
