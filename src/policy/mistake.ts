/**
 * Promises: what the schema found wrong in a tree, in our words, each at the node that has it: the key of an unknown field, the value
 * of a wrong one, the mapping that lacks one.
 * Leaves to others: everything that is not about one value alone.
 */
import { z } from 'zod';
import { suggest } from '../condition/suggestion.ts';
import { maxProblems } from './problem.ts';
import { policySchema } from './schema.ts';
import { didYouMean } from './suggestion.ts';
import { type Place, type Tree, type TreePath, valueAt } from './tree.ts';
import { quote } from './wording.ts';

export interface Mistake {
  /** The node to take out, so that the rest can be checked. */
  readonly path: TreePath;
  readonly place: Place;
  readonly code: 'unknown_field' | 'missing_field' | 'wrong_type' | 'wrong_value';
  readonly message: string;
  readonly hint?: string;
  /** The field that an unknown one was probably meant to be. */
  readonly meant?: string;
  /** The field that the mapping at `path` lacks. */
  readonly missing?: string;
}

type Issue = z.core.$ZodIssue;

/** The message of what the schema itself has no words for. */
export function wordIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => quote(String(value))).join(', ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'expected text that is not empty' : 'expected at least one entry';
    case 'too_big':
      return `expected at most ${issue.maximum} characters`;
    default:
      return 'not a valid value';
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  boolean: '`true` or `false`',
  number: 'a number',
  int: 'a whole number',
  null: 'null',
};

/** A misspelled field is two issues and becomes one mistake. */
const maxIssues = 2 * maxProblems;

export function readMistakes(tree: Tree, issues: readonly Issue[]): readonly Mistake[] {
  const mistakes = issues.flatMap((issue, index) => readIssue(tree, issue, issue.path, index < maxIssues));
  return withoutMisspelled(mistakes);
}

/** A misspelled field is one mistake, not also a missing one. */
function withoutMisspelled(mistakes: readonly Mistake[]): readonly Mistake[] {
  const meant = new Set(
    mistakes.flatMap((mistake) => (mistake.meant === undefined ? [] : [fieldKey(parentOf(mistake), mistake.meant)])),
  );
  return mistakes.filter(({ path, missing }) => missing === undefined || !meant.has(fieldKey(path, missing)));
}

function parentOf({ path }: Mistake): TreePath {
  return path.slice(0, -1);
}

function fieldKey(parent: TreePath, field: string): string {
  return JSON.stringify([...parent.map(String), field]);
}

/** `isTold`: a suggestion costs time, and nobody sees that of a mistake behind a thousand others. */
function readIssue(tree: Tree, issue: Issue, path: TreePath, isTold: boolean): readonly Mistake[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key, index) => unknownField(tree, path, key, isTold && index < maxProblems));
  const value = valueAt(tree, path);
  if (value === undefined && path.length > 0) return [missingField(tree, path)];
  const branch = issue.code === 'invalid_union' ? issue.errors.find(isAboutParts) : undefined;
  if (branch === undefined) return [wrongValue(tree, issue, path)];
  return withoutMisspelled(branch.flatMap((part) => readIssue(tree, part, [...path, ...part.path], isTold)));
}

/** The alternative whose type fits, so that what is wrong lies in its parts. */
function isAboutParts(issues: readonly Issue[]): boolean {
  return issues.every(({ code, path }) => path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value'));
}

function unknownField(tree: Tree, parent: TreePath, key: string, isTold: boolean): Mistake {
  const path = [...parent, key];
  const meant = isTold ? suggest(key, fieldsAt(parent)) : undefined;
  const mistake = {
    path,
    place: tree.place(path, 'key'),
    code: 'unknown_field',
    message: `unknown field ${quote(key)}`,
  } as const;
  if (isRule(parent) && ofRequire.has(key)) return { ...mistake, hint: `${quote(key)} belongs into \`require\`` };
  return meant === undefined ? mistake : { ...mistake, meant, hint: `did you mean ${quote(meant)}?` };
}

/** Fields that are looked for in a rule, and stand one level below. */
const ofRequire: ReadonlySet<string> = new Set(['scopes', 'anyScope', 'when', 'acr', 'maxAuthAge']);

function isRule(path: TreePath): boolean {
  return path.length === 2 && path[0] === 'rules';
}

function missingField(tree: Tree, path: TreePath): Mistake {
  const parent = path.slice(0, -1);
  const missing = String(path.at(-1));
  const message = `${quote(missing)} is required`;
  return { path: parent, place: tree.place(parent), code: 'missing_field', message, missing };
}

function wrongValue(tree: Tree, issue: Issue, path: TreePath): Mistake {
  const value = valueAt(tree, path);
  const code = issue.code === 'invalid_type' || issue.code === 'invalid_union' ? 'wrong_type' : 'wrong_value';
  const hint = hintFor(issue, value);
  const mistake = { path, place: tree.place(path), code, message: issue.message } as const;
  return hint === undefined ? mistake : { ...mistake, hint };
}

function hintFor(issue: Issue, value: unknown): string | undefined {
  if (issue.code === 'invalid_type') return typeHints[issue.message]?.(value);
  // `none` and HS* have a message of their own, and are never a misspelling of what is accepted.
  const isChoice = issue.code === 'invalid_value' && issue.values.length > 1 && issue.message.startsWith('expected');
  return isChoice && typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : undefined;
}

const typeHints: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  'expected text': (value) =>
    typeof value === 'number' || typeof value === 'boolean' ? 'put it in quotes' : undefined,
  'expected a list': (value) => (typeof value === 'string' ? 'put it in square brackets' : undefined),
};

/** The fields that the schema knows at a path. */
function fieldsAt(path: TreePath): readonly string[] {
  const schema = unwrap(path.reduce<unknown>(childSchema, policySchema));
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function childSchema(parent: unknown, step: PropertyKey): unknown {
  const schema = unwrap(parent);
  if (schema instanceof z.ZodObject) return Reflect.get(schema.shape, step);
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodRecord ? schema.valueType : undefined;
}

/** Through `optional`, and to the mapping among alternatives. */
function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap());
  return schema instanceof z.ZodUnion ? schema.options.find((option) => option instanceof z.ZodObject) : schema;
}
