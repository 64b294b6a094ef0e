import { describe, expect, it } from 'vitest';
import { isLabelSelector } from '../../../src/config/label-selector.ts';
import { policySource } from '../../../src/config/policy-source.ts';

const longName = Array.from({ length: 4 }, () => 'a'.repeat(63))
  .join('.')
  .slice(0, 253);

const sources: Record<string, object> = {
  'policy.yaml': { kind: 'path', path: 'policy.yaml' },
  '/etc/a:b': { kind: 'path', path: '/etc/a:b' },
  './a:b.yaml': { kind: 'path', path: './a:b.yaml' },
  'configmap:shop/orders': { kind: 'configMap', namespace: 'shop', name: 'orders' },
  'configmap:shop/orders.v2': { kind: 'configMap', namespace: 'shop', name: 'orders.v2' },
  [`configmap:0/${longName}`]: { kind: 'configMap', namespace: '0', name: longName },
  'configmaps:shop?app=orders': { kind: 'configMaps', namespace: 'shop', selector: 'app=orders' },
  'configmaps:shop?scopegate.dev/policy': { kind: 'configMaps', namespace: 'shop', selector: 'scopegate.dev/policy' },
  'configmaps:shop?tier in (a, b),!test': { kind: 'configMaps', namespace: 'shop', selector: 'tier in (a, b),!test' },
};

it.each(Object.entries(sources))('%s: taken', (text, expected) => {
  expect(policySource(text)).toStrictEqual({ value: { ...expected, text } });
});

const mistakes: Record<string, string> = {
  '': 'expected a FILE or a DIR,',
  'http://policy.test/': 'expected a FILE or a DIR (',
  'config-map:shop/orders': 'expected a FILE or a DIR (',
  'configmap:shop': 'expected configmap:NAMESPACE/NAME',
  'configmap:/orders': 'expected configmap:NAMESPACE/NAME',
  'configmap:Shop/orders': 'expected configmap:NAMESPACE/NAME',
  'configmap:shop/orders/policy.yaml': 'expected configmap:NAMESPACE/NAME',
  'configmap:shop/../orders': 'expected configmap:NAMESPACE/NAME',
  [`configmap:shop/${longName}a`]: 'expected configmap:NAMESPACE/NAME',
  'configmap:a.b/orders': 'expected configmap:NAMESPACE/NAME',
  'configmaps:shop': 'expected configmaps:NAMESPACE?SELECTOR',
  'configmaps:shop?': 'expected configmaps:NAMESPACE?SELECTOR',
  'configmaps:?a=b': 'expected configmaps:NAMESPACE?SELECTOR',
  'configmaps:shop?a=b&limit=1': 'expected a label selector',
};

it.each(Object.entries(mistakes))('%s: refused', (text, starts) => {
  const parsed = policySource(text);
  expect('problem' in parsed ? parsed.problem.slice(0, starts.length) : parsed).toBe(starts);
});

describe('label selectors', () => {
  it.each([
    'a',
    '!a',
    '! a',
    'a=b',
    'a==b',
    'a!=b',
    'a=',
    'a!=',
    ' a = b , c ',
    'example.com/A_b.c=D-e.f',
    'a in (b)',
    'a in (b,c),d notin (e, f),!g',
    'a in ()',
    'in in (in)',
    'a>1',
    'a < 20',
    `${'a'.repeat(63)}=${'b'.repeat(63)}`,
  ])('%s: one', (text) => {
    expect(isLabelSelector(text)).toBe(true);
  });

  it.each([
    '',
    ' ',
    ',',
    'a,',
    ',a',
    'a,,b',
    'a=b=c',
    'a===b',
    'a b',
    'a=b c',
    'a in b',
    'a in (b',
    'a in(b) c',
    'a in (b))',
    '(a)',
    'a>b',
    'a>',
    '!a=b',
    '-a',
    'a-',
    'a=-b',
    'a/b/c',
    '/a',
    'Example.com/a',
    'a=b/c',
    "a='b'",
    'ä',
    'a'.repeat(64),
    `a=${'b'.repeat(64)}`,
    `${'a.'.repeat(127)}/b`,
    Array.from({ length: 300 }, () => 'abc=').join(),
  ])('%s: none', (text) => {
    expect(isLabelSelector(text)).toBe(false);
  });
});
