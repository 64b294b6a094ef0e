import { expect, it } from 'vitest';
import type { DemoRequest, Outcome } from '../../../deploy/demo/requests.ts';
import { isAsExpected, table } from '../../../deploy/demo/table.ts';

const expected: Outcome = { status: 401, reason: 'token_missing', upstream: '-' };
const request: DemoRequest = { method: 'GET', path: '/a', header: ['x-user-id', 'root'], expected };

it('every row as expected: columns aligned, nothing but the rows', () => {
  const other = { method: 'POST', path: '/orders', token: 'orders:read', expected } as const;
  expect(
    table([
      { request, actual: expected, ms: 1.26 },
      { request: other, actual: expected, ms: 10 },
    ]),
  ).toEqual([
    '   request                 token        status  reason         identity that the upstream saw  ms',
    '---------------------------------------------------------------------------------------------------',
    '✓  GET /a x-user-id: root  none         401     token_missing  -                               1.3',
    '✓  POST /orders            orders:read  401     token_missing  -                               10.0',
  ]);
});

const differences: Record<string, Partial<Outcome>> = {
  'another status': { status: 403 },
  'another reason': { reason: 'no_rule' },
  'the upstream was called': { upstream: 'x-user-id=root' },
};
it.each(Object.entries(differences))(
  '%s: the row is marked, and what was expected stands below',
  (_name, difference) => {
    const result = { request, actual: { ...expected, ...difference }, ms: 1 };
    expect(isAsExpected(result)).toBe(false);
    expect(table([result]).slice(2)).toEqual([
      expect.stringMatching(/^✗ {2}GET \/a/),
      '   ^ expected: 401, token_missing, -',
    ]);
  },
);
