import { parse } from '@bufbuild/cel';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../../src/condition/compile-condition.ts';
import { scan } from '../../../src/condition/scan.ts';
import { leastNodes } from '../../../src/condition/size.ts';
import { inputOf, told } from './condition-input.ts';

type Suite = typeof tests;

interface Case {
  readonly name: string;
  readonly source: string;
  /** `error`: an expression that must not have a result. */
  readonly wanted: boolean | 'error';
}

/** Suites of the specification that are about what a condition can say; the others are about protobuf messages and extensions. */
const suites = new Set(
  'basic comparisons conversions fields fp_math integer_math lists logic macros parse plumbing string timestamps'.split(
    ' ',
  ),
);

/** How a value of the test data is written; undefined for what has no literal. */
function literal(value: unknown): string | undefined {
  const [[kind, content] = ['', undefined]] = Object.entries(value as Readonly<Record<string, unknown>>);
  switch (kind) {
    case 'int64Value':
      return String(content);
    case 'uint64Value':
      return `${String(content)}u`;
    case 'doubleValue':
      return typeof content === 'number' && Number.isFinite(content) ? `double("${content}")` : undefined;
    case 'stringValue':
    case 'boolValue':
      return JSON.stringify(content);
    case 'nullValue':
      return 'null';
    default:
      return undefined;
  }
}

function caseOf(path: string, original: Readonly<Record<string, unknown>>): Case | undefined {
  if (original['bindings'] !== undefined || original['container'] !== undefined || original['typeEnv'] !== undefined) {
    return undefined;
  }
  const expression = String(original['expr']);
  const name = `${path}/${String(original['name'])}`;
  if (original['evalError'] !== undefined) return { name, source: expression, wanted: 'error' };
  const value = (original['value'] ?? { boolValue: true }) as Readonly<Record<string, unknown>>;
  if (typeof value['boolValue'] === 'boolean') return { name, source: expression, wanted: value['boolValue'] };
  const written = literal(value);
  // The end of a comment, if the expression ends in one, needs its own line.
  return written === undefined ? undefined : { name, source: `(${expression}\n) == ${written}`, wanted: true };
}

function casesOf(suite: Suite, path: string): readonly Case[] {
  const own = (suite.tests ?? []).map(({ original }) => caseOf(path, original)).filter((each) => each !== undefined);
  return [...own, ...(suite.suites ?? []).flatMap((inner) => casesOf(inner, `${path}/${inner.name}`))];
}

const cases = (tests.suites ?? [])
  .filter(({ name }) => suites.has(name))
  .flatMap((suite) => casesOf(suite, suite.name));

/** A condition is stricter than the language: these are refused at load, each with its reason, instead of having a result. */
const refusals: readonly RegExp[] = [
  /^there is no (?:variable|function) /,
  /^messages cannot be made here$/,
  /^a macro cannot stand in the body of another one$/,
  /^"`" means nothing here$/,
  /cannot compare (?:a double with an int|a uint with an int|a list of \w+ with a list of \w+)$/,
  /^`(?:&&|\|\|)` wants a bool/,
  /^the branches of `\?` are /,
  /^whether this is true or false is known at run time only$/,
];

describe('the conformance tests of the CEL specification', () => {
  it('no expression has another result than the specification says, and few are refused', () => {
    const wrong: string[] = [];
    let right = 0;
    for (const { name, source, wanted } of cases) {
      const condition = compileCondition(source);
      const problem = 'evaluate' in condition ? undefined : condition[0]?.message;
      const result = 'evaluate' in condition ? told(condition.evaluate(inputOf({}))) : 'error';
      const outcome = typeof result === 'boolean' ? result : 'error';
      if (outcome === wanted) right += 1;
      else if (problem === undefined || !refusals.some((refusal) => refusal.test(problem))) {
        wrong.push(`${name}: ${source} is ${String(result)} (${problem ?? 'evaluated'}), not ${String(wanted)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(right).toBeGreaterThan(850);
    expect(right / cases.length).toBeGreaterThan(0.9);
  });

  it('none has fewer nodes than its words are taken for', () => {
    const counted = cases.flatMap(({ source }) => {
      const { words } = scan(source);
      // The name of a message is one node, and no condition can make one.
      const isMessage = words.some(
        ({ kind, text }, at) => kind === 'name' && text !== 'in' && words[at + 1]?.text === '{',
      );
      const nodes = isMessage ? undefined : nodesOf(source);
      return nodes === undefined ? [] : [{ source, least: leastNodes(words), nodes }];
    });
    expect(counted.filter(({ least, nodes }) => least > nodes)).toEqual([]);
    expect(counted.filter(({ least, nodes }) => least === nodes).length).toBeGreaterThan(500);
  });
});

/** Undefined for what cannot be parsed. */
function nodesOf(source: string): number | undefined {
  try {
    return Object.keys(parse(source).sourceInfo?.positions ?? {}).length;
  } catch {
    return undefined;
  }
}
