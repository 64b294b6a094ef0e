/**
 * Promises: a `when` as the operator wrote it becomes something that can be evaluated, or all its mistakes at their places; neither
 * compiling nor evaluating ever throws, and both are bounded (interface section 4).
 */
import { parse } from '@bufbuild/cel';
import { Check } from './check.ts';
import type { Condition, ConditionFailure, ConditionInput, ConditionProblem } from './condition.ts';
import { checkConstants } from './constant.ts';
import { nameDashedHeaders } from './dashed-header.ts';
import { diagnose, tooDeep } from './diagnose.ts';
import { type Evaluate, planExpression } from './engine.ts';
import { attempt } from './evaluation.ts';
import { children, type Expression, literalText, memberName, type Parsed } from './expression.ts';
import { unexpected } from './failure.ts';
import { Findings } from './findings.ts';
import { meter } from './meter.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { rewrite } from './rewrite.ts';
import { scan, type Word } from './scan.ts';
import { maxNodes, tooLarge } from './size.ts';
import { claimsValue, requestValue, tokenValue } from './value.ts';

/** UTF-16 code units; 2,000 nodes with names and blanks need fewer. */
const maxLength = 32_768;

export function compileCondition(source: string): Condition | readonly ConditionProblem[] {
  const compiled = compile(source);
  return 'evaluate' in compiled ? compiled : nameDashedHeaders(compiled, scan(source.slice(0, maxLength)).words);
}

function compile(source: string): Condition | readonly ConditionProblem[] {
  const parsed = read(source);
  if (isProblems(parsed)) return parsed;
  const findings = new Findings(source, parsed.sourceInfo);
  try {
    new Check(findings).condition(parsed.expr);
    const patterns = literalPatterns(parsed.expr);
    if (findings.problems.length === 0) checkConstants(parsed.expr, findings, patterns);
    if (findings.problems.length > 0) return findings.problems.toSorted((a, b) => a.offset - b.offset);
    return createCondition(source, parsed.expr, findings, patterns);
  } catch {
    // The bounds above leave room on any stack that is not nearly full; a caller that is deep down gets an answer all the same.
    return [{ offset: 0, message: 'the condition is too complex' }];
  }
}

function isProblems(value: Parsed | readonly ConditionProblem[]): value is readonly ConditionProblem[] {
  return Array.isArray(value);
}

function read(source: string): Parsed | readonly ConditionProblem[] {
  if (source.length > maxLength) return [{ offset: maxLength, message: `longer than ${maxLength} characters` }];
  const { words, fault, withoutComments } = scan(source);
  if (fault !== undefined) return [diagnose(words, fault.offset, false) ?? fault];
  const refused = tooDeep(words) ?? tooLarge(words);
  // What is wrong besides says more than a limit.
  if (refused !== undefined) return [diagnose(words, source.length, true) ?? refused];
  return parseWords(withoutComments, words);
}

function parseWords(text: string, words: readonly Word[]): Parsed | readonly ConditionProblem[] {
  try {
    const parsed = parse(text);
    const nodes = Object.keys(parsed.sourceInfo?.positions ?? {}).length;
    return nodes > maxNodes ? [{ offset: 0, message: `${nodes} nodes, at most ${maxNodes} are allowed` }] : parsed;
  } catch (error) {
    return [syntaxProblem(words, text.length, error)];
  }
}

function syntaxProblem(words: readonly Word[], end: number, error: unknown): ConditionProblem {
  const found = diagnose(words, end, true);
  if (found !== undefined) return found;
  const message = 'this cannot be read as CEL';
  return { offset: Math.min(placeOf(error) ?? 0, end), message };
}

/** Where the library's parser stopped. */
function placeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('location' in error)) return undefined;
  const { location } = error;
  if (typeof location !== 'object' || location === null || !('start' in location)) return undefined;
  const { start } = location;
  if (typeof start !== 'object' || start === null || !('offset' in start)) return undefined;
  return typeof start.offset === 'number' ? start.offset : undefined;
}

function createCondition(
  source: string,
  expression: Expression,
  { reads, pathNames }: Findings,
  patterns: ReadonlyMap<string, Pattern>,
): Condition {
  const compiled: Compiled = {
    run: planExpression(rewrite(expression)),
    roots: new Set([...reads].map((name) => name.split('.')[0] ?? name)),
    names: memberNames(expression),
    patterns,
  };
  return { source, reads, pathNames, evaluate: (input) => evaluate(compiled, input) };
}

interface Compiled {
  readonly run: Evaluate;
  /** Variables that are read at all. */
  readonly roots: ReadonlySet<string>;
  /** `claims.tenant` and its like, by the id of the expression. */
  readonly names: ReadonlyMap<bigint, string>;
  readonly patterns: ReadonlyMap<string, Pattern>;
}

function evaluate({ run, roots, names, patterns }: Compiled, input: ConditionInput): boolean | ConditionFailure {
  meter.start(patterns);
  const result = attempt(
    () =>
      run({
        ...(roots.has('claims') ? { claims: claimsValue(input.claims) } : {}),
        ...(roots.has('request') ? { request: requestValue(input.request) } : {}),
        ...(roots.has('token') ? { token: tokenValue(input.token) } : {}),
      }),
    names,
  );
  if (!('value' in result)) return result;
  return typeof result.value === 'boolean' ? result.value : unexpected;
}

/** Members that are named from a variable on: a failure may name them, since they stand in the operator's own text. */
function memberNames(expression: Expression, names = new Map<bigint, string>()): ReadonlyMap<bigint, string> {
  for (const child of children(expression)) memberNames(child, names);
  const name = memberName(expression);
  if (name !== undefined) names.set(expression.id, name);
  return names;
}

function literalPatterns(expression: Expression, patterns = new Map<string, Pattern>()): ReadonlyMap<string, Pattern> {
  for (const child of children(expression)) literalPatterns(child, patterns);
  const { exprKind } = expression;
  if (exprKind.case !== 'callExpr' || exprKind.value.function !== 'matches') return patterns;
  const source = literalText(exprKind.value.args[0]);
  const pattern = source === undefined ? undefined : compilePattern(source);
  if (source !== undefined && typeof pattern === 'object') patterns.set(source, pattern);
  return patterns;
}
