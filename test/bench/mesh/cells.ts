/**
 * Promises: what is asked of an authorizer, a row each: which tokens, of how many rules, how fast, and what happens meanwhile.
 */
import type { BenchAlgorithm } from './tokens.ts';

/** What happens while requests are made. */
export type Event = 'reload' | 'outage' | 'flood' | 'throttle';

export interface Cell {
  readonly name: string;
  readonly algorithm: BenchAlgorithm;
  /** Distinct ones, in turn. */
  readonly tokens: number;
  readonly rules: number;
  /** Asks for its tokens before it is measured; else for another one, so that the code is warm and the tokens are new. */
  readonly isWarm: boolean;
  /** Requests a second; 0: closed loop. */
  readonly rate: number;
  /** Each token once: it is seen for the first time. */
  readonly once: boolean;
  readonly event: Event | undefined;
  /** Of the default length of a sample. */
  readonly seconds: number | undefined;
  /** Authorizers that look at no token are measured too. */
  readonly forAll: boolean;
}

const hot: Omit<Cell, 'name'> = {
  algorithm: 'ES256',
  tokens: 1,
  rules: 10,
  isWarm: true,
  rate: 0,
  once: false,
  event: undefined,
  seconds: undefined,
  forAll: false,
};
const first: Omit<Cell, 'name'> = { ...hot, tokens: 4000, isWarm: false, once: true };

export function cellsOf(rate: number): readonly Cell[] {
  const open = { ...hot, rate };
  return [
    { ...hot, name: 'hot', forAll: true },
    { ...hot, name: 'many', tokens: 10_000, forAll: true },
    { ...first, name: 'first RS256', algorithm: 'RS256' },
    { ...first, name: 'first ES256' },
    { ...first, name: 'first EdDSA', algorithm: 'EdDSA' },
    { ...hot, name: '10000 rules', rules: 10_000 },
    { ...open, name: 'open', forAll: true },
    { ...open, name: 'reload', rules: 3000, event: 'reload' },
    { ...open, name: 'outage', event: 'outage' },
    { ...open, name: 'flood', event: 'flood' },
    // More than a process can do that is let run for a quarter of the time, as a CPU limit of a container does it.
    { ...hot, name: 'throttled', event: 'throttle' },
    { ...hot, name: 'overload', event: 'throttle', rate: 3 },
    { ...hot, name: 'soak', tokens: 10_000, seconds: 600, forAll: true },
  ];
}

/** Those that make the table of targets; the others are asked for by name. */
export const usualCells = 'hot,many,first RS256,first ES256,first EdDSA,10000 rules,open';
