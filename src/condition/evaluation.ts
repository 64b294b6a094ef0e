/**
 * Promises: an evaluation never throws: it has a value, or a failure that says why not.
 * Leaves to others: starting the meter that bounds it.
 */
import { type CelResult, type CelValue, isCelError } from '@bufbuild/cel';
import type { ConditionFailure } from './condition.ts';
import { failureOf, faultFailure, unexpected } from './failure.ts';
import { meter } from './meter.ts';

/** `names`: what stands in the condition, by the id of its expression. */
export function attempt(
  run: () => CelResult,
  names: ReadonlyMap<bigint, string>,
): { readonly value: CelValue } | ConditionFailure {
  const { stackTraceLimit } = Error;
  try {
    // An error is a value of CEL like others, and its stack trace is nine tenths of what it costs.
    Error.stackTraceLimit = 0;
    const value = run();
    if (meter.fault !== undefined) return faultFailure(meter.fault);
    return isCelError(value) ? failureOf(value, names) : { value };
  } catch {
    return unexpected;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
