/**
 * Promises: the cost of one evaluation stays bounded, whatever the claims and the request hold, and what ends an evaluation ends it
 * for good: `||` takes an error of CEL for false, but not this.
 * INVARIANT: an evaluation is synchronous and starts no other one, so that one meter serves all.
 */
import type { Pattern } from './pattern.ts';

/** What can end an evaluation. */
export type Fault = 'cost' | 'lone_surrogate' | 'inexact_number';

/**
 * One unit is one step: a node evaluated, an item visited, 64 characters read, one instruction of a pattern at one character.
 * 200,000 of the dearest kind take some 20 ms, a tenth of Envoy's default timeout; everyday conditions need fewer than a thousand.
 */
const maxCost = 200_000;

class Meter {
  #left = 0;
  #fault: Fault | undefined;
  #patterns: ReadonlyMap<string, Pattern> = new Map();

  start(patterns: ReadonlyMap<string, Pattern>): void {
    this.#left = maxCost;
    this.#fault = undefined;
    this.#patterns = patterns;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Compiled at load, because it stands in the condition. */
  pattern(source: string): Pattern | undefined {
    return this.#patterns.get(source);
  }

  /** Pay before the work is done. */
  charge(units: number): void {
    this.#left -= units;
    if (this.#left < 0) this.fail('cost');
  }

  chargeText(...values: readonly string[]): void {
    for (const { length } of values) this.charge(1 + length / 64);
  }

  fail(fault: Fault): never {
    this.#fault ??= fault;
    throw new Error(fault);
  }
}

export const meter = new Meter();
