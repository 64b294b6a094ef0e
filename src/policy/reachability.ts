/**
 * Promises: a warning for each rule that decides no request at all, since other rules are more specific on every request it matches.
 * It is exact, both ways:
 * - A wildcard host, any host, a template and any method each stand for more than a policy can name one by one, so only `/**` can be
 *   used up: by the path itself, the path with a slash, and everything below it, each with the same host and method.
 * - GET below the well-known path of RFC 9728 is answered before any rule when `defaults.resourceMetadata` is set.
 */
import type { PlacedRoute } from './compile-routes.ts';
import type { CompiledRule } from './compile-rules.ts';
import { type Report, within } from './report.ts';
import { methodsOf, type RouteTable } from './route-table.ts';
import { quote } from './wording.ts';

export interface Reach {
  readonly table: RouteTable;
  /** GET below the well-known path of RFC 9728 is not for rules. */
  readonly hasMetadata: boolean;
}

/** Rules are whole ones, all matched among themselves; `table` is that of their routes. */
export function warnUnreachable(rules: readonly CompiledRule[], reach: Reach, report: Report): void {
  for (const { rule, routes, spot } of rules) {
    const reasons = routes.flatMap((route) => methodsOf(route).map((method) => takenBy(route, method, reach)));
    const [first] = reasons;
    if (first === undefined || reasons.includes(undefined)) continue;
    const message = `no request reaches rule ${quote(rule.name)}, ${first} is more specific on all it covers`;
    report.warn(within(spot, 'name'), 'unreachable_rule', message);
  }
}

const metadataPath = '/.well-known/oauth-protected-resource';

/** What takes every request of the route with this method; undefined: nothing takes all of them. */
function takenBy(route: PlacedRoute, method: string, { table, hasMetadata }: Reach): string | undefined {
  const { shape, path, host } = route;
  const isMetadata = shape === metadataPath || shape.startsWith(`${metadataPath}/`);
  if (hasMetadata && method === 'GET' && isMetadata) return '`defaults.resourceMetadata`';
  if (!path.hasRest) return undefined;
  const taker = takerOf({ table, host, method }, shape.slice(0, -'/**'.length));
  return taker === undefined ? undefined : `rule ${quote(taker.rule.name)}`;
}

interface Requests {
  readonly table: RouteTable;
  readonly host: string | undefined;
  readonly method: string;
}

/** Of a path, the path with a slash and all below it; undefined unless other routes than its own `/**` take them all. */
function takerOf(requests: Requests, path: string): PlacedRoute | undefined {
  const { table, host, method } = requests;
  const hasItself = path === '' || table.find(host, path, method) !== undefined;
  const below = `${path}/{}`;
  if (!hasItself || table.find(host, `${path}/`, method) === undefined) return undefined;
  return table.find(host, `${below}/**`, method) ?? takerOf(requests, below);
}
