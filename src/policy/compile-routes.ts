/**
 * Promises: the hosts, paths and methods of a rule as routes.
 * Leaves to others: what two rules have in common (route-table.ts).
 */
import { Stop } from '../decision/step.ts';
import type { PathPattern, Route } from './match.ts';
import { canonicalHost, isMethodToken } from './path.ts';
import { PatternRefusal, parsePathPattern, shapeOf } from './path-pattern.ts';
import { type Report, type Spot, within } from './report.ts';
import type { RuleContent } from './schema.ts';
import type { PolicySnapshot, Rule } from './snapshot.ts';
import { quote } from './wording.ts';

/** A route with the path in the document that it comes from. */
export interface PlacedRoute extends Route {
  readonly shape: string;
  /** The path as it is written. */
  readonly text: string;
  readonly spot: Spot;
}

/** Of one rule: each host has each path, and all of them are held in memory. */
const maxRoutes = 10_000;

export function compileRoutes(
  { content, rule, spot }: { readonly content: RuleContent; readonly rule: Rule; readonly spot: Spot },
  pathParameters: PolicySnapshot['pathParameters'],
  report: Report,
): readonly PlacedRoute[] {
  const hosts = compileHosts(content.hosts, within(spot, 'hosts'), report);
  const paths = compilePaths(content.paths, pathParameters, { spot: within(spot, 'paths'), report });
  checkMethods(content.methods, within(spot, 'methods'), report);
  const count = hosts.length * paths.length;
  if (count > maxRoutes) {
    const message = `${hosts.length} hosts times ${paths.length} paths are more than ${maxRoutes} routes`;
    report.error(within(spot, 'paths'), 'too_many_routes', message, { hint: 'split the rule, or use templates' });
    return [];
  }
  return hosts.flatMap((host) =>
    paths.map(({ path, shape, text, spot: at }) => ({
      rule,
      host,
      path,
      methods: content.methods,
      shape,
      text,
      spot: at,
    })),
  );
}

function compileHosts(
  hosts: readonly string[] | undefined,
  spot: Spot,
  report: Report,
): readonly (string | undefined)[] {
  if (hosts === undefined) return [undefined];
  const compiled = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const at = within(spot, index);
    const canonical = compileHost(host, at, report);
    if (canonical !== undefined && compiled.has(canonical)) reportRepeated(at, report);
    if (canonical !== undefined) compiled.add(canonical);
  }
  return [...compiled];
}

function compileHost(host: string, spot: Spot, report: Report): string | undefined {
  const prefix = host.startsWith('*.') ? '*.' : '';
  const canonical = canonicalHost(host.slice(prefix.length));
  if (canonical instanceof Stop || (prefix !== '' && canonical.startsWith('['))) {
    const hint = host === '*' ? 'leave `hosts` out for any host' : undefined;
    report.error(spot, 'host', 'expected a host name, or `*.` before one', { hint });
    return undefined;
  }
  if (host.toLowerCase() === prefix + canonical) return prefix + canonical;
  const hint = `write ${quote(prefix + canonical)}`;
  report.error(spot, 'host', 'expected a host name without port and trailing dot, an address in its shortest form', {
    hint,
  });
  return undefined;
}

interface CompiledPath {
  readonly path: PathPattern;
  readonly shape: string;
  readonly text: string;
  readonly spot: Spot;
}

function compilePaths(
  paths: readonly string[],
  pathParameters: PolicySnapshot['pathParameters'],
  { spot, report }: { readonly spot: Spot; readonly report: Report },
): readonly CompiledPath[] {
  const compiled = new Map<string, CompiledPath>();
  for (const [index, text] of paths.entries()) {
    const at = within(spot, index);
    const path = parsePathPattern(text, pathParameters);
    if (path instanceof PatternRefusal) {
      report.error(at, path.code, path.message, { hint: path.hint });
      continue;
    }
    const shape = shapeOf(path);
    if (compiled.has(shape)) reportRepeated(at, report);
    compiled.set(shape, { path, shape, text, spot: at });
  }
  return [...compiled.values()];
}

/** The registered methods that a rule is likely to mean; any other token is a method as well. */
const commonMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);

function checkMethods(methods: readonly string[] | undefined, spot: Spot, report: Report): void {
  const seen = new Set<string>();
  for (const [index, method] of (methods ?? []).entries()) {
    const at = within(spot, index);
    const upper = method.toUpperCase();
    if (!isMethodToken(method)) report.error(at, 'method', `${quote(method)} is not a method`);
    else if (method === 'CONNECT') report.error(at, 'method', 'CONNECT has no path and is always refused');
    else if (seen.has(method)) reportRepeated(at, report);
    else if (method !== upper && commonMethods.has(upper)) {
      report.warn(at, 'method_case', `methods are case-sensitive, ${quote(method)} is not ${upper}`);
    }
    seen.add(method);
  }
}

function reportRepeated(spot: Spot, report: Report): void {
  report.error(spot, 'duplicate_entry', 'the same entry is already in this list');
}
