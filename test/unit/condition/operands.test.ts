import { expect, it } from 'vitest';
import { operandsOf } from '../../../src/condition/operands.ts';
import { compiled, inputOf } from './condition-input.ts';

const rows: Readonly<Record<string, readonly string[]>> = {
  'claims.a == 1': [],
  '!(claims.a == 1 && claims.b == 2)': [],
  'claims.a == 1 ? true && true : false || true': [],
  'claims.a.exists(x, x == 1 && x == 2)': [],
  'claims.a == "x && y"': [],
  'claims.a == 1&&claims.b == 2 && claims.c': ['claims.a == 1', 'claims.b == 2', 'claims.c'],
  'claims.a == 1 && claims.b == 2 || claims.c == 3': ['claims.a == 1 && claims.b == 2', 'claims.c == 3'],
  '(claims.a == 1 || true) && claims["b"] == [1, 2]': ['(claims.a == 1 || true)', 'claims["b"] == [1, 2]'],
  '((claims.a == 1) && (claims.b == 2))': ['(claims.a == 1)', '(claims.b == 2)'],
  'claims.a // && one\n == 1 && true // && two': ['claims.a          \n == 1', 'true'],
};

it.each(Object.entries(rows))('%s', (source, operands) => {
  compiled(source);
  expect(operandsOf(source).map((operand) => operand.source)).toEqual(operands);
});

const claims = { yes: true, no: false, text: 'x' };
const results: Readonly<Record<string, readonly unknown[]>> = {
  'claims.yes && claims.no': [true, false],
  'claims.yes || claims.no': [true, false],
  'claims.text && claims.no': ['a value has the wrong type', false],
  'claims.text || claims.none': ['a value has the wrong type', 'a member is absent: claims.none'],
  'true || 1 / 0 == 1': [true, undefined],
};

it.each(Object.entries(results))('an operand has its own result: %s', (source, wanted) => {
  const found = operandsOf(source).map(({ condition }) => {
    const result = condition?.evaluate(inputOf(claims));
    return typeof result === 'object' ? result.detail : result;
  });
  expect(found).toEqual(wanted);
});
