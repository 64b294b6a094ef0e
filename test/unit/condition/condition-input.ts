/**
 * Promises: a request and a token for the tests of conditions, and compiling that fails the test when there are problems.
 */
import { compileCondition } from '../../../src/condition/compile-condition.ts';
import type { Condition, ConditionFailure, ConditionInput } from '../../../src/condition/condition.ts';

const headers: ReadonlyMap<string, string> = new Map([
  ['x-region', 'eu'],
  ['x-many', 'a,b'],
  ['x-empty', ''],
]);

export function inputOf(claims: Readonly<Record<string, unknown>>): ConditionInput {
  return {
    claims,
    request: {
      method: 'GET',
      host: 'orders.test',
      path: new Map([
        ['id', 'acme'],
        ['note', 'ä/b'],
      ]),
      target: '/api/acme/%C3%A4%2Fb?x=1',
      header: (name) => headers.get(name),
      timeMs: Date.UTC(2026, 2, 29, 1, 30, 15, 250),
    },
    token: { issuer: 'corp', clientId: 'web', subject: undefined, scopes: ['orders:read', 'orders:write'] },
  };
}

/** The condition, or a failure that says what is wrong with it. */
export function compiled(source: string): Condition {
  const condition = compileCondition(source);
  if ('evaluate' in condition) return condition;
  throw new Error(condition.map(({ offset, message }) => `${source} at ${offset}: ${message}`).join('\n'));
}

/** True, false, or the detail of the failure. */
export function outcome(source: string, input: ConditionInput): boolean | string {
  return told(compiled(source).evaluate(input));
}

export function told(result: boolean | ConditionFailure): boolean | string {
  return typeof result === 'boolean' ? result : result.detail;
}
