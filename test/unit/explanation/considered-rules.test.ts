import { expect, it } from 'vitest';
import { considerRules } from '../../../src/explanation/considered-rules.ts';
import { corp, snapshotOf } from '../policy/policy-text.ts';

const routes = snapshotOf({
  issuers: [corp],
  rules: [
    { name: 'tree', paths: ['/api/**'] },
    { name: 'exact', paths: ['/api/orders', '/api/orders/{id}'], methods: ['GET', 'HEAD'] },
    { name: 'any-method', paths: ['/api/orders'] },
    { name: 'write', paths: ['/api/orders/{id}'], methods: ['POST'] },
    { name: 'me', paths: ['/api/orders/me'] },
    { name: 'hosted', hosts: ['a.shop.test', '*.shop.test'], paths: ['/api/**'] },
    { name: 'wild', hosts: ['*.test'], paths: ['/api/**'] },
    { name: 'slash', paths: ['/api/orders/'] },
    { name: 'deep', paths: ['/x/{a}/c/d'] },
  ],
}).routes.routes;

const cases: Record<string, [request: string, considered: readonly string[]]> = {
  'the method decides': [
    'GET other /api/orders',
    [
      'exact chosen: the most specific rule that matches',
      'any-method less_specific: no methods are less specific than GET, HEAD of exact',
      'tree less_specific: segment 2: `/**` is less specific than `orders` of exact',
      'hosted no_match: host other is not a.shop.test',
      'wild no_match: host other is not *.test',
    ],
  ],
  'a literal before a template, a template before a tree': [
    'GET other /api/orders/me',
    [
      'me chosen: the most specific rule that matches',
      'exact less_specific: segment 3: `{id}` is less specific than `me` of me',
      'tree less_specific: segment 2: `/**` is less specific than `orders` of me',
      'write no_match: method GET is not POST',
      'hosted no_match: host other is not a.shop.test',
      'wild no_match: host other is not *.test',
    ],
  ],
  'the host before the path; of a rule with two hosts the one that matches best': [
    'GET a.shop.test /api/orders',
    [
      'hosted chosen: the most specific rule that matches',
      'wild less_specific: *.test is less specific than a.shop.test of hosted',
      'exact less_specific: no host is less specific than a.shop.test of hosted',
      'any-method less_specific: no host is less specific than a.shop.test of hosted',
      'tree less_specific: no host is less specific than a.shop.test of hosted',
    ],
  ],
  'a longer wildcard before a shorter one': [
    'GET b.shop.test /api/x',
    [
      'hosted chosen: the most specific rule that matches',
      'wild less_specific: *.test is less specific than *.shop.test of hosted',
      'tree less_specific: no host is less specific than *.shop.test of hosted',
    ],
  ],
  'a slash at the end': [
    'GET other /api/orders/',
    [
      'slash chosen: the most specific rule that matches',
      'tree less_specific: segment 2: `/**` is less specific than `orders` of slash',
      'hosted no_match: host other is not a.shop.test',
      'wild no_match: host other is not *.test',
    ],
  ],
  'no rule for the path: those that begin alike': ['GET other /x/1/c', ['deep no_match: its path does not match']],
  'nothing in common: none': ['GET other /y', []],
};

it.each(Object.entries(cases))('EA-64 %s', (_name, [request, expected]) => {
  const [method = '', host = '', path = ''] = request.split(' ');
  const { considered, omitted } = considerRules(routes, { method, host, path });
  expect(considered.map(({ rule, outcome, because }) => `${rule} ${outcome}: ${because}`)).toEqual(expected);
  expect(omitted).toBe(0);
});

it('many rules of one path: a short list, and how many are not on it', () => {
  const rules = Array.from({ length: 30 }, (_, at) => ({ name: `r${at}`, hosts: [`h${at}.test`], paths: ['/a'] }));
  const { considered, omitted } = considerRules(snapshotOf({ issuers: [corp], rules }).routes.routes, {
    method: 'GET',
    host: 'h7.test',
    path: '/a',
  });
  expect([considered[0]?.rule, considered.length, omitted]).toEqual(['r7', 8, 22]);
});

it('a route is shown as the policy has it', () => {
  const { considered } = considerRules(routes, { method: 'GET', host: 'other', path: '/api/orders/7' });
  expect(considered[0]).toMatchObject({ methods: ['GET', 'HEAD'], host: null, path: '/api/orders/{id}' });
  expect(considered.at(-1)).toMatchObject({ methods: null, host: '*.test', path: '/api/**' });
});
