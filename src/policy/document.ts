/**
 * Promises: the text of a policy file as checked documents, with every problem of a single value at the place of the node that has
 * it. What is well-formed in a document with problems is kept for the checks of compile.ts, so that an operator sees all at once; such
 * a document is not complete and never becomes a policy.
 * Leaves to others: YAML (yaml.ts), the shape (schema.ts), what takes several values to check (compile.ts).
 */

import { type Mistake, readMistakes, wordIssue } from './mistake.ts';
import { byPlace, limitProblems, maxProblems, type Problem, restNotChecked } from './problem.ts';
import { type PolicyContent, partialPolicySchema, policySchema } from './schema.ts';
import { inOneGo, type Slices } from './slices.ts';
import { type Place, type ToPlace, type Tree, type TreePath, valueAt } from './tree.ts';
import { readYaml } from './yaml.ts';

/** One text that may hold policy documents. */
export interface PolicyFile {
  /** File, or `configmap/NAMESPACE/NAME/KEY`; it names the place of problems. */
  readonly name: string;
  readonly text: string;
  /** For a text that is a part of a larger one: where an offset into it stands in that. */
  readonly toPlace?: ToPlace;
}

export interface PolicyDocument {
  readonly file: string;
  readonly content: Omit<PolicyContent, 'apiVersion' | 'kind'>;
  /** Nothing was left out for a problem. */
  readonly isComplete: boolean;
  /** Names that its issuers have in the text, good or bad; undefined: the text could not be read. */
  readonly issuerNames: ReadonlySet<string> | undefined;
  /** Likewise of its rules. */
  readonly ruleNames: ReadonlySet<string> | undefined;
  /** Likewise of its clients. */
  readonly clientNames: ReadonlySet<string> | undefined;
  readonly place: Tree['place'];
  readonly placesIn: Tree['placesIn'];
  /** Something in the mapping or list at this path, at any depth, was left out. */
  readonly isDamaged: (path: TreePath) => boolean;
  /** This very node was left out: it seems to be missing, and is not. */
  readonly isLeftOut: (path: TreePath) => boolean;
}

export interface ParsedFile {
  readonly documents: readonly PolicyDocument[];
  /** Sorted by place. */
  readonly problems: readonly Problem[];
}

/** All problems are errors; there are not more than anybody reads. */
export function parseDocuments(file: PolicyFile): ParsedFile {
  return inOneGo(parsing(file));
}

/** The same, with a pause between the text and its checks. */
export function* parsing(file: PolicyFile): Slices<ParsedFile> {
  return limited(yield* parsingAll(file));
}

export function limited({ documents, problems }: ParsedFile): ParsedFile {
  return { documents, problems: limitProblems(problems) };
}

/** With every problem, for a text that is a part of a larger one. */
export function parseAll(file: PolicyFile): ParsedFile {
  return inOneGo(parsingAll(file));
}

function* parsingAll({ name, text, toPlace }: PolicyFile): Slices<ParsedFile> {
  const { trees, problems } = readYaml(name, text, toPlace);
  yield;
  return gather(
    problems,
    parseParts(name, trees, (tree) => parseDocument(name, tree, problems.length === 0)),
  );
}

/** One after the other; from too many problems on the rest stands for a document that could not be read. */
export function parseParts<Part>(
  file: string,
  parts: readonly Part[],
  parse: (part: Part, index: number) => ParsedFile,
): readonly ParsedFile[] {
  const parsed: ParsedFile[] = [];
  let count = 0;
  for (const [index, part] of parts.entries()) {
    const last = parsed.at(-1)?.problems.at(-1);
    if (count >= maxProblems && last !== undefined) {
      parsed.push({ documents: [unreadableDocument(file)], problems: [restNotChecked(last)] });
      break;
    }
    const next = parse(part, index);
    parsed.push(next);
    count += next.problems.length;
  }
  return parsed;
}

/** `problems` are those of the text itself. */
export function gather(problems: readonly Problem[], parts: readonly ParsedFile[]): ParsedFile {
  return {
    documents: parts.flatMap(({ documents }) => documents),
    problems: [...problems, ...parts.flatMap((part) => part.problems)].toSorted(byPlace),
  };
}

/** One document; undefined stands for one that could not be read. `isReadable`: nothing was wrong with the text around it. */
export function parseDocument(file: string, tree: Tree | undefined, isReadable: boolean): ParsedFile {
  if (tree === undefined) return { documents: [unreadableDocument(file)], problems: [] };
  const { document, mistakes } = checkTree(file, tree, isReadable);
  return { documents: [document], problems: mistakes.map((mistake) => toProblem(file, mistake)) };
}

function toProblem(file: string, { place, code, message, hint }: Mistake): Problem {
  return { severity: 'error', file, ...place, code, message, ...(hint === undefined ? {} : { hint }) };
}

interface CheckedTree {
  readonly document: PolicyDocument;
  readonly mistakes: readonly Mistake[];
}

function checkTree(file: string, tree: Tree, isReadable: boolean): CheckedTree {
  const parsed = policySchema.safeParse(tree.value, { error: wordIssue });
  const known = {
    file,
    issuerNames: namesOf(valueAt(tree, ['issuers'])),
    ruleNames: namesOf(valueAt(tree, ['rules'])),
    clientNames: namesOf(valueAt(tree, ['clients'])),
    place: tree.place,
    placesIn: tree.placesIn,
  };
  if (parsed.success) {
    return { document: { ...known, ...undamaged, content: parsed.data, isComplete: isReadable }, mistakes: [] };
  }
  const mistakes = readMistakes(tree, parsed.error.issues);
  const salvaged = salvage(tree, mistakes);
  const document = salvaged === undefined ? unreadableDocument(file) : { ...known, ...salvaged, isComplete: false };
  return { document, mistakes };
}

const undamaged = { isDamaged: () => false, isLeftOut: () => false };

/** Each pass takes out what is wrong; what then lacks a member is taken out by the next. The schema is less deep than this. */
const maxPasses = 8;

/** What is left of a document with mistakes. */
type Salvaged = Pick<PolicyDocument, 'content' | 'isDamaged' | 'isLeftOut'>;

function salvage(tree: Tree, mistakes: readonly Mistake[]): Salvaged | undefined {
  const damage: Damage = { containers: new Set(), members: new Map() };
  let found = mistakes;
  for (let pass = 0; pass < maxPasses; pass += 1) {
    takeOut(tree, found, damage);
    const parsed = partialPolicySchema.safeParse(tree.value);
    if (parsed.success) return { content: parsed.data, ...reportDamage(tree, damage) };
    found = readMistakes(tree, parsed.error.issues);
  }
  return undefined;
}

interface Damage {
  /** Mappings and lists that something was left out of, at any depth. */
  readonly containers: Set<object>;
  /** What was left out of each mapping, by the names that were meant. */
  readonly members: Map<object, Set<PropertyKey>>;
}

function reportDamage(tree: Tree, damage: Damage): Pick<PolicyDocument, 'isDamaged' | 'isLeftOut'> {
  return {
    isDamaged: (path) => damage.containers.has(tree.container(path) ?? tree),
    isLeftOut: (path) => {
      const step = path.at(-1);
      return step !== undefined && damage.members.get(tree.container(path.slice(0, -1)) ?? tree)?.has(step) === true;
    },
  };
}

function takeOut(tree: Tree, mistakes: readonly Mistake[], damage: Damage): void {
  for (const mistake of mistakes) noteDamage(tree, mistake, damage);
  // From the end: taking out an item moves those after it.
  const paths = mistakes.map(({ path }) => path).toSorted((a, b) => comparePaths(b, a));
  for (const [index, path] of paths.entries()) {
    const before = paths[index - 1];
    if (before === undefined || comparePaths(before, path) !== 0) tree.remove(path);
  }
}

function noteDamage(tree: Tree, { path, meant }: Mistake, { containers, members }: Damage): void {
  for (let depth = 0; depth <= path.length; depth += 1) {
    const container = tree.container(path.slice(0, depth));
    if (container !== undefined) containers.add(container);
  }
  const parent = tree.container(path.slice(0, -1));
  const step = path.at(-1);
  if (parent === undefined || step === undefined || Array.isArray(parent)) return;
  const leftOut = members.get(parent) ?? new Set();
  members.set(parent, leftOut.add(step).add(meant ?? step));
}

/** In the order of the text, a list before its items. */
function comparePaths(a: TreePath, b: TreePath): number {
  for (const [depth, step] of a.entries()) {
    const other = b[depth];
    if (other === undefined) return 1;
    if (step !== other)
      return typeof step === 'number' && typeof other === 'number' ? step - other : compareSteps(step, other);
  }
  return a.length - b.length;
}

function compareSteps(a: PropertyKey, b: PropertyKey): number {
  return String(a) < String(b) ? -1 : 1;
}

function namesOf(list: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  for (const item of Array.isArray(list) ? list : []) {
    const name: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, 'name') : undefined;
    if (typeof name === 'string') names.add(name);
  }
  return names;
}

function unreadableDocument(file: string): PolicyDocument {
  return {
    file,
    content: {},
    isComplete: false,
    issuerNames: undefined,
    ruleNames: undefined,
    clientNames: undefined,
    place: firstPlace,
    placesIn: () => firstPlace,
    isDamaged: () => true,
    isLeftOut: () => true,
  };
}

function firstPlace(): Place {
  return { line: 1, column: 1 };
}
