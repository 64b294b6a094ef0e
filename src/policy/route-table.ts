/**
 * Promises: the routes of rules that are matched among themselves, by exactly what they match: host, shape of the path, method. Two
 * rules with one entry are equally specific on every request of it, and that is an error; rules with a more specific entry take a
 * request away from the others.
 */
import type { PlacedRoute } from './compile-routes.ts';
import { placeName, type Report, type Spot } from './report.ts';
import { quote } from './wording.ts';

export interface RouteTable {
  /** The route with this host and shape that takes the method, one of `methodsOf` a route. */
  find(host: string | undefined, shape: string, method: string): PlacedRoute | undefined;
}

/** Every method there is, also those that no rule names. A space is in no host, shape or method. */
const anyMethod = ' ';

/** Reports each pair of equal rules once, at the later of the two. */
export function buildRouteTable(routes: readonly PlacedRoute[], report: Report): RouteTable {
  const entries = new Map<string, PlacedRoute>();
  const reported = new Set<string>();
  for (const route of routes) {
    for (const method of methodsOf(route)) {
      const key = keyOf(route.host, route.shape, method);
      const other = entries.get(key);
      if (other === undefined) entries.set(key, route);
      else reportEqual(other, route, { method, reported, report });
    }
  }
  return {
    find: (host, shape, method) =>
      entries.get(keyOf(host, shape, method)) ?? entries.get(keyOf(host, shape, anyMethod)),
  };
}

/** What the route takes; one entry stands for any method. */
export function methodsOf({ methods }: PlacedRoute): readonly string[] {
  return methods ?? anyMethods;
}

const anyMethods: readonly string[] = [anyMethod];

function keyOf(host: string | undefined, shape: string, method: string): string {
  return `${host ?? ''} ${shape} ${method}`;
}

interface EqualContext {
  readonly method: string;
  readonly reported: Set<string>;
  readonly report: Report;
}

function reportEqual(first: PlacedRoute, second: PlacedRoute, { method, reported, report }: EqualContext): void {
  const pair = JSON.stringify([placeName(ruleSpot(first)), placeName(ruleSpot(second))]);
  if (first.rule === second.rule || reported.has(pair)) return;
  reported.add(pair);
  const request = [method === anyMethod ? 'any method' : method, first.host ?? 'any host', first.shape].join(', ');
  const message = `rules ${quote(first.rule.name)} (${placeName(first.spot)}) and ${quote(second.rule.name)} are equally specific`;
  report.share(first.spot);
  report.error(second.spot, 'equal_rules', `${message} on ${request}`);
}

function ruleSpot({ spot }: PlacedRoute): Spot {
  return { document: spot.document, path: spot.path.slice(0, 2) };
}
