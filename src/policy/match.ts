/**
 * Promises: the most specific rule for a request, at a cost that does not grow with the number of rules. Hosts are looked up, paths
 * walked down a tree of segments; what is more specific is tried first (interface section 3), and when no method fits there, the walk
 * goes back to what is less specific. Only a policy that has a literal and a `{x}` side by side at many levels makes it visit both.
 * Leaves to others: canonical spelling (path.ts) and that no two routes are equal (compile-routes.ts).
 */
import type { Rule } from './snapshot.ts';

/** The rule that applies, with the values of its path template, still percent-encoded. */
export interface Match {
  readonly rule: Rule;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Finds the most specific rule. Arguments are canonical (path.ts). */
export interface RouteIndex {
  /** What it was built of, for those who explain a choice; matching never walks it. */
  readonly routes: readonly Route[];
  match(host: string, path: string, method: string): Match | undefined;
}

export interface Segment {
  readonly kind: 'literal' | 'parameter';
  /** The text of a literal, the name of a parameter. */
  readonly text: string;
}

export interface PathPattern {
  /** A last literal that is empty stands for a trailing slash. */
  readonly segments: readonly Segment[];
  /** It ends in `/**`: the path itself and all below it. */
  readonly hasRest: boolean;
}

/** One way to a rule: one host, one path, and the methods. */
export interface Route {
  readonly rule: Rule;
  /** A host, `*.suffix`, or undefined for any. */
  readonly host: string | undefined;
  readonly path: PathPattern;
  /** Undefined: any. */
  readonly methods: readonly string[] | undefined;
}

/**
 * What ends at a node: the routes of one path that differ in their methods, hardly ever more than there are methods in use. The rule and
 * the names are held here, and lists and texts that are alike are held once: with many rules it is the memory a match touches that costs.
 */
interface Leaf {
  readonly rule: Rule;
  /** Undefined: any. */
  readonly methods: readonly string[] | undefined;
  /** Of the parameters. */
  readonly names: readonly string[];
  readonly next: Leaf | undefined;
}

interface Node {
  /** The only literal below, which most nodes have one of, if any; undefined: none, or several. */
  text: string | undefined;
  child: Node | undefined;
  literals: Map<string, Node> | undefined;
  parameter: Node | undefined;
  end: Leaf | undefined;
  rest: Leaf | undefined;
}

export function buildRouteIndex(routes: Iterable<Route>): RouteIndex {
  const exact = new Map<string, Node>();
  /** By what follows the `*`, which starts with a dot. */
  const wildcards = new Map<string, Node>();
  const anyHost = createNode();
  const rootFor = (host: string | undefined): Node => {
    if (host === undefined) return anyHost;
    return host.startsWith('*') ? memberOf(wildcards, host.slice(1)) : memberOf(exact, host);
  };
  const all = [...routes];
  const once = createPool();
  for (const route of all) addRoute(rootFor(route.host), route, once);

  return {
    routes: all,
    match: (host, path, method) =>
      findIn(exact.get(host), path, method) ??
      findBelow(wildcards, host, path, method) ??
      findIn(anyHost, path, method),
  };

  function findBelow(
    suffixes: ReadonlyMap<string, Node>,
    host: string,
    path: string,
    method: string,
  ): Match | undefined {
    if (suffixes.size === 0) return undefined;
    // The first dot leaves the longest suffix; at least one label stands before it.
    for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const found = findIn(suffixes.get(host.slice(dot)), path, method);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function createNode(): Node {
  return {
    text: undefined,
    child: undefined,
    literals: undefined,
    parameter: undefined,
    end: undefined,
    rest: undefined,
  };
}

function memberOf(nodes: Map<string, Node>, text: string): Node {
  const node = nodes.get(text) ?? createNode();
  nodes.set(text, node);
  return node;
}

/** The first of texts that are alike, and of lists of such texts. */
interface Pool {
  text(text: string): string;
  list(texts: readonly string[]): readonly string[];
}

function createPool(): Pool {
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  const text = (given: string): string => {
    const known = texts.get(given) ?? given;
    texts.set(known, known);
    return known;
  };
  return {
    text,
    list: (given) => {
      // A space is in no method and no name of a parameter.
      const key = given.join(' ');
      const known = lists.get(key) ?? given.map(text);
      lists.set(key, known);
      return known;
    },
  };
}

function addRoute(root: Node, { rule, path, methods }: Route, once: Pool): void {
  let node = root;
  for (const { kind, text } of path.segments) {
    if (kind === 'literal') node = literalOf(node, once.text(text));
    else node = node.parameter ??= createNode();
  }
  const names = path.segments.filter(({ kind }) => kind === 'parameter').map(({ text }) => text);
  const next = path.hasRest ? node.rest : node.end;
  checkFree(next, methods, rule);
  const leaf: Leaf = { rule, methods: methods && once.list(methods), names: once.list(names), next };
  if (path.hasRest) node.rest = leaf;
  else node.end = leaf;
}

function literalOf(node: Node, text: string): Node {
  if (node.literals !== undefined) return memberOf(node.literals, text);
  if (node.text === text && node.child !== undefined) return node.child;
  const child = createNode();
  if (node.text === undefined || node.child === undefined) {
    node.text = text;
    node.child = child;
  } else {
    node.literals = new Map([
      [node.text, node.child],
      [text, child],
    ]);
    node.text = undefined;
    node.child = undefined;
  }
  return child;
}

function checkFree(leaf: Leaf | undefined, methods: readonly string[] | undefined, rule: Rule): void {
  for (let other = leaf; other !== undefined; other = other.next) {
    const taken = other.methods;
    const isTaken = methods === undefined ? taken === undefined : methods.some((method) => taken?.includes(method));
    if (isTaken) throw new Error(`rule ${rule.name} has the route of another rule`);
  }
}

function findIn(root: Node | undefined, path: string, method: string): Match | undefined {
  if (root === undefined) return undefined;
  const values: string[] = [];
  const leaf = walk(root, 0, { path, method, values });
  return leaf === undefined ? undefined : { rule: leaf.rule, parameters: bind(leaf.names, values) };
}

const noParameters: ReadonlyMap<string, string> = new Map();

function bind(names: readonly string[], values: readonly string[]): ReadonlyMap<string, string> {
  return names.length === 0 ? noParameters : new Map(names.map((name, index) => [name, values[index] ?? '']));
}

interface Walk {
  readonly path: string;
  readonly method: string;
  /** Segments taken by parameters on the way to the present node. */
  readonly values: string[];
}

/** `slash` is the place of the slash before the next segment, or the end of the path. */
function walk(node: Node, slash: number, state: Walk): Leaf | undefined {
  const { path, method, values } = state;
  if (slash === path.length) return leafFor(node.end, method) ?? leafFor(node.rest, method);
  const following = path.indexOf('/', slash + 1);
  const next = following === -1 ? path.length : following;
  const literal = below(node, path, slash + 1, next);
  const found = literal === undefined ? undefined : walk(literal, next, state);
  if (found !== undefined) return found;
  if (node.parameter !== undefined && next > slash + 1) {
    values.push(path.slice(slash + 1, next));
    const taken = walk(node.parameter, next, state);
    if (taken !== undefined) return taken;
    values.pop();
  }
  return leafFor(node.rest, method);
}

/** The node that the segment from `start` to `end` leads to as a literal. */
function below({ text, child, literals }: Node, path: string, start: number, end: number): Node | undefined {
  if (literals !== undefined) return literals.get(path.slice(start, end));
  return text !== undefined && text.length === end - start && path.startsWith(text, start) ? child : undefined;
}

/** A method that is named comes before any. */
function leafFor(leaf: Leaf | undefined, method: string): Leaf | undefined {
  let any: Leaf | undefined;
  for (let other = leaf; other !== undefined; other = other.next) {
    if (other.methods === undefined) any = other;
    else if (other.methods.includes(method)) return other;
  }
  return any;
}
