import { expect, it } from 'vitest';
import { formatProblem } from '../../../src/policy/problem.ts';
import { createTestCheck } from '../../../src/rehearsal/test-check.ts';
import { nowMs, withTests } from './policy-tests.ts';

const policy = { rules: [{ name: 'health', paths: ['/healthz'], access: 'public' }] };

it('tests that fail: errors at their place, with what was expected, what came, and why', async () => {
  const snapshot = withTests(
    policy,
    { name: 'good', target: '/healthz', expect: { decision: 'allow' } },
    { name: 'wrong', target: '/healthz', expect: { decision: 'deny', status: 401 } },
    { name: 'two\nlines', place: { file: 'b.yaml', line: 3, column: 9 }, expect: { decision: 'allow' } },
  );
  const problems = await createTestCheck(() => nowMs)(snapshot);
  expect(problems.map(formatProblem)).toEqual([
    'policy.yaml:7:5: error[test_failed]: test `wrong` expects deny 401, and it is allow 200 allowed_public by rule health' +
      ' (rule health is `access: public`)',
    'b.yaml:3:9: error[test_failed]: test `two?lines` expects allow, and it is deny 401 no_rule' +
      ' (no rule covers GET https://shop.test/orders)',
  ]);
});

it('tests that pass: nothing', async () => {
  const snapshot = withTests(policy, { target: '/healthz', expect: { decision: 'allow' } });
  expect(await createTestCheck(() => nowMs)(snapshot)).toEqual([]);
});
