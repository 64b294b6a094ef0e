/**
 * Promises: short ways to a policy with tests, without YAML.
 */
import type { PolicySnapshot, PolicyTest } from '../../../src/policy/snapshot.ts';
import type { Outcome, Rehearsal } from '../../../src/rehearsal/rehearsal.ts';
import { type PolicyObject, snapshotOf } from '../policy/policy-text.ts';

export const nowMs = Date.parse('2026-11-24T12:00:00Z');

type Expectation = Partial<PolicyTest['expect']> & Pick<PolicyTest['expect'], 'decision'>;

export interface TestFields extends Partial<Omit<PolicyTest, 'expect'>> {
  readonly expect: Expectation;
}

export function policyTest({ expect, ...fields }: TestFields): PolicyTest {
  return {
    name: 'a test',
    place: { file: 'policy.yaml', line: 7, column: 5 },
    method: 'GET',
    host: 'shop.test',
    target: '/orders',
    headers: {},
    nowMs: undefined,
    token: undefined,
    ...fields,
    expect: { status: undefined, reason: undefined, rule: undefined, headers: {}, ...expect },
  };
}

export function withTests(policy: PolicyObject, ...tests: readonly TestFields[]): PolicySnapshot {
  return { ...snapshotOf(policy), tests: tests.map(policyTest) };
}

export interface RehearsalFields {
  readonly test?: TestFields;
  readonly actual?: Partial<Outcome>;
  readonly passed?: boolean;
  readonly why?: string;
}

/** One that failed, unless told otherwise: a deny was expected and it is an allow. */
export function rehearsalOf({ test, actual, passed = false, why = 'because' }: RehearsalFields = {}): Rehearsal {
  return {
    test: policyTest(test ?? { expect: { decision: 'deny', status: 403, reason: 'insufficient_scope' } }),
    actual: { decision: 'allow', status: 200, reason: 'allowed', rule: 'orders', headers: new Map(), ...actual },
    passed,
    why,
  };
}
