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

interface Target {
  readonly rule: Rule;
  readonly names: readonly string[];
}

interface Leaf {
  readonly named: Map<string, Target>;
  any: Target | undefined;
}

interface Node {
  readonly literals: Map<string, Node>;
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
    return host.startsWith('*') ? childOf(wildcards, host.slice(1)) : childOf(exact, host);
  };
  const all = [...routes];
  for (const route of all) addRoute(rootFor(route.host), route);

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
  return { literals: new Map(), parameter: undefined, end: undefined, rest: undefined };
}

function childOf(children: Map<string, Node>, text: string): Node {
  const child = children.get(text) ?? createNode();
  children.set(text, child);
  return child;
}

function addRoute(root: Node, { rule, path, methods }: Route): void {
  let node = root;
  for (const { kind, text } of path.segments) {
    if (kind === 'literal') node = childOf(node.literals, text);
    else node = node.parameter ??= createNode();
  }
  const leaf: Leaf = (path.hasRest ? node.rest : node.end) ?? { named: new Map(), any: undefined };
  if (path.hasRest) node.rest = leaf;
  else node.end = leaf;
  const names = path.segments.filter(({ kind }) => kind === 'parameter').map(({ text }) => text);
  addTarget(leaf, methods, { rule, names });
}

function addTarget(leaf: Leaf, methods: readonly string[] | undefined, target: Target): void {
  const isTaken = methods === undefined ? leaf.any !== undefined : methods.some((method) => leaf.named.has(method));
  if (isTaken) throw new Error(`rule ${target.rule.name} has the route of another rule`);
  if (methods === undefined) leaf.any = target;
  for (const method of methods ?? []) leaf.named.set(method, target);
}

function findIn(root: Node | undefined, path: string, method: string): Match | undefined {
  if (root === undefined) return undefined;
  const values: string[] = [];
  const target = walk(root, 0, { path, method, values });
  return target === undefined ? undefined : { rule: target.rule, parameters: bind(target.names, values) };
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
function walk(node: Node, slash: number, state: Walk): Target | undefined {
  const { path, method, values } = state;
  if (slash === path.length) return targetFor(node.end, method) ?? targetFor(node.rest, method);
  const following = path.indexOf('/', slash + 1);
  const next = following === -1 ? path.length : following;
  const segment = path.slice(slash + 1, next);
  const literal = node.literals.get(segment);
  const found = literal === undefined ? undefined : walk(literal, next, state);
  if (found !== undefined) return found;
  if (node.parameter !== undefined && segment !== '') {
    values.push(segment);
    const taken = walk(node.parameter, next, state);
    if (taken !== undefined) return taken;
    values.pop();
  }
  return targetFor(node.rest, method);
}

function targetFor(leaf: Leaf | undefined, method: string): Target | undefined {
  return leaf?.named.get(method) ?? leaf?.any;
}
