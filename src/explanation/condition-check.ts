/**
 * Promises: what a condition compared: each operand of its outermost `&&` or `||` with its own result, and the claims that were read.
 * The result of the whole is that of the decision.
 */
import { readConditionInput } from '../authorizer/requirements.ts';
import type { Condition, ConditionInput } from '../condition/condition.ts';
import { operandsOf } from '../condition/language.ts';
import { printable } from '../report/printable.ts';
import type { Comparison, ExplainedOperand, ReadClaim } from './explanation.ts';
import type { Facts } from './facts.ts';
import { notRequired, oneSpaced } from './wording.ts';

/** What came of a condition where it decided; elsewhere it was true. */
const conditionResults: ReadonlyMap<string, string> = new Map([
  ['condition_false', 'false'],
  ['condition_error', 'an error'],
  ['claim_invalid', 'an error'],
]);

export function describeCondition(facts: Facts): Comparison {
  const condition = facts.rule?.require.condition;
  if (condition === undefined) return notRequired;
  const result = failsAtHeaders(facts) ? undefined : conditionResults.get(facts.decision.reason);
  const whole = { wanted: oneSpaced(condition.source), found: result ?? 'true' };
  const input = inputOf(facts);
  return input === undefined ? whole : { ...whole, ...describeParts(condition, input, facts.showClaims) };
}

/** The claim that is invalid is one of a header, and not one of the condition before it. */
export function failsAtHeaders({ decision, detail }: Facts): boolean {
  return decision.reason === 'claim_invalid' && detail?.startsWith('claim of header ') === true;
}

function inputOf({ match, token, request, decision, nowMs }: Facts): ConditionInput | undefined {
  const { issuer, claims, jws } = token ?? {};
  const { host } = decision.told;
  if (match === undefined || issuer === undefined || claims === undefined) return undefined;
  if (jws === undefined || host === undefined) return undefined;
  return readConditionInput(match.parameters, { issuer, claims, raw: jws.claims }, { request, host, nowMs });
}

function describeParts(condition: Condition, input: ConditionInput, showClaims: boolean): Comparison {
  const names = new Set<string>();
  const watched = { ...input, claims: watch(input.claims, names) };
  const operands = operandsOf(condition.source).map(
    (operand): ExplainedOperand => ({
      source: oneSpaced(operand.source),
      result: resultOf(operand.condition, watched),
    }),
  );
  if (operands.length === 0) condition.evaluate(watched);
  const claims = [...names].map((name) => readClaim(name, input.claims, showClaims));
  return { ...(operands.length > 0 && { operands }), ...(claims.length > 0 && { claims }) };
}

/** The same claims, with a note of each that is asked for. */
function watch(claims: ConditionInput['claims'], names: Set<string>): ConditionInput['claims'] {
  return new Proxy(claims, {
    getOwnPropertyDescriptor: (target, name) => {
      if (typeof name === 'string') names.add(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
}

function resultOf(condition: Condition | undefined, input: ConditionInput): string {
  const result = condition?.evaluate(input);
  if (typeof result === 'boolean') return String(result);
  return result === undefined ? 'an error' : `an error: ${result.detail}`;
}

function readClaim(name: string, claims: ConditionInput['claims'], showClaims: boolean): ReadClaim {
  const shown = { name: printable(name) };
  if (!Object.hasOwn(claims, name)) return { ...shown, isPresent: false };
  return { ...shown, isPresent: true, ...(showClaims && { value: printable(JSON.stringify(claims[name])) }) };
}
