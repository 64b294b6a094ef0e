/**
 * Promises: a warning for paths of a document that match the same requests without one being the narrower, such as `/{kind}/new` and
 * `/shops/{id}`, when they ask for different things. OpenAPI leaves open which of them is meant; a policy takes the one with the
 * earlier literal, and a backend may take the other.
 */
import { isSameAccess } from './access.ts';
import type { Findings } from './findings.ts';
import type { ImportedRoute } from './routes.ts';

/** Comparing takes time that grows with the square. */
const maxCompared = 2000;

export function warnAmbiguous(routes: readonly ImportedRoute[], findings: Findings): void {
  const groups = new Map<string, Candidate[]>();
  for (const route of routes) {
    const segments = route.shape.split('/');
    // A path without template, or with nothing else, is never ambiguous.
    if (!segments.includes('{}') || segments.every((segment) => segment === '{}' || segment === '')) continue;
    const key = `${route.host ?? ''} ${route.method ?? ''} ${segments.length}`;
    const group = groups.get(key) ?? [];
    group.push({ route, segments });
    groups.set(key, group);
  }
  for (const group of groups.values()) warnGroup(group, findings);
}

interface Candidate {
  readonly route: ImportedRoute;
  readonly segments: readonly string[];
}

function warnGroup(group: readonly Candidate[], findings: Findings): void {
  const [first] = group;
  if (first !== undefined && group.length > maxCompared) {
    const message = `more than ${maxCompared} paths of this length have templates, it is not known whether two of them overlap`;
    findings.warn(first.route.operation.cursor, 'ambiguous_paths', message, { part: 'key' });
    return;
  }
  for (const [index, later] of group.entries()) {
    const earlier = group.slice(0, index).find((other) => isAmbiguous(other, later));
    if (earlier === undefined) continue;
    const place = findings.placeName(earlier.route.operation.cursor, 'key');
    const message = `requests that this path shares with the operation at ${place} fall under the one with the earlier literal`;
    findings.warn(later.route.operation.cursor, 'ambiguous_paths', message, { part: 'key' });
  }
}

function isAmbiguous(a: Candidate, b: Candidate): boolean {
  let [isNarrower, isWider] = [false, false];
  for (const [index, segment] of a.segments.entries()) {
    const other = b.segments[index];
    if (segment === other) continue;
    if (segment !== '{}' && other !== '{}') return false;
    if (segment === '{}') isWider = true;
    else isNarrower = true;
  }
  return isNarrower && isWider && !isSameAccess(a.route.access, b.route.access);
}
