/**
 * Promises: a warning for each rule that looks like an API for browsers and whose preflight requests no rule answers. A browser asks
 * with OPTIONS, and without a token, before it sends one to another origin (Fetch standard, CORS-preflight fetch).
 */
import type { PlacedRoute } from './compile-routes.ts';
import type { CompiledRule } from './compile-rules.ts';
import type { RouteIndex } from './match.ts';
import { type Report, within } from './report.ts';
import { quote } from './wording.ts';

/** From that many methods on a rule is taken for an API that is called from pages: reading, and more than one way of writing. */
const manyMethods = 4;

/** Rules are enforcing ones; `index` is that of their routes. */
export function warnPreflight(rules: readonly CompiledRule[], index: RouteIndex, report: Report): void {
  for (const { rule, routes, spot } of rules) {
    if (rule.access !== 'token' || !hasManyMethods(routes)) continue;
    const unanswered = routes.find(
      (route) => index.match(sampleHost(route), samplePath(route), 'OPTIONS') === undefined,
    );
    if (unanswered === undefined) continue;
    const message = `no rule covers OPTIONS on ${quote(unanswered.text)}, which browsers ask for before they send a token`;
    const hint =
      'add a rule with `methods: [OPTIONS]` and `access: public`, unless the CORS filter of Envoy answers before';
    report.warn(within(spot, 'methods'), 'no_options_rule', message, { hint });
  }
}

function hasManyMethods([route]: readonly PlacedRoute[]): boolean {
  const methods = route?.methods ?? [];
  return methods.length >= manyMethods && !methods.includes('OPTIONS');
}

// A request that the route matches, and of the routes of one host, path or label no other. No literal has a brace, no host a star.
function sampleHost({ host }: PlacedRoute): string {
  return host ?? '*';
}

function samplePath({ shape }: PlacedRoute): string {
  return shape.replace(/\/\*\*$/, '/{}');
}
