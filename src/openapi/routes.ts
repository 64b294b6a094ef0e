/**
 * Promises: operations as routes, no two of them equally specific. Where the document says two things about the same requests, the route
 * asks for both. A route that covers more than its operations is refused.
 */
import { type Access, bothOf, isSameAccess, untranslated } from './access.ts';
import type { Findings } from './findings.ts';
import type { Operation } from './operations.ts';

/** One host, path and method. */
export interface ImportedRoute {
  /** Undefined: any. */
  readonly host: string | undefined;
  readonly path: string;
  readonly shape: string;
  /** Undefined: any. */
  readonly method: string | undefined;
  /** The first operation of the document that is reached here; it gives the rule its name. */
  readonly operation: Operation;
  readonly access: Access;
}

/** Hosts multiply operations; a policy of this size is none that anybody meant. */
const maxRoutes = 200_000;

/** None, and reported, when there would be too many. */
export function createRoutes(operations: readonly Operation[], findings: Findings): readonly ImportedRoute[] {
  const drafts = collectDrafts(operations, findings);
  if (drafts.size > maxRoutes) {
    const [first] = operations;
    if (first !== undefined) findings.error(first.cursor, 'too_large', 'the document has too many servers and paths');
    return [];
  }
  const routes = [...drafts.values()].map((draft) => finish(draft, drafts));
  return withoutNeedlessHosts(routes);
}

interface Draft extends Omit<ImportedRoute, 'access'> {
  access: Access;
  /** An operation is exactly here. */
  isExact: boolean;
}

type Drafts = Map<string, Draft>;

function collectDrafts(operations: readonly Operation[], findings: Findings): Drafts {
  const named = namedHosts(operations);
  const drafts: Drafts = new Map();
  for (const operation of operations) {
    for (const { host, path, isExact } of operation.places) {
      // A named host is more specific than any path of a rule without hosts, so a rule for any host is said of each name as well.
      for (const each of host === undefined ? [undefined, ...named] : [host]) {
        const { text, shape } = path;
        const { method, access } = operation;
        addDraft({ host: each, path: text, shape, method, operation, access, isExact }, drafts, findings);
      }
    }
    if (drafts.size > maxRoutes) return drafts;
  }
  return drafts;
}

function namedHosts(operations: readonly Operation[]): readonly string[] {
  const hosts = operations.flatMap(({ places }) => places.map(({ host }) => host));
  return [...new Set(hosts.filter((host) => host !== undefined))];
}

/** A space is in no host, shape or method. */
function keyOf({ host, shape, method }: Pick<Draft, 'host' | 'shape' | 'method'>): string {
  return `${host ?? ''} ${shape} ${method ?? ''}`;
}

function addDraft(draft: Draft, drafts: Drafts, findings: Findings): void {
  const key = keyOf(draft);
  const other = drafts.get(key);
  if (other === undefined) {
    drafts.set(key, draft);
    return;
  }
  if (other.operation !== draft.operation) reportClash(other, draft, findings);
  other.isExact ||= draft.isExact;
  other.access = bothOf(other.access, draft.access);
}

function reportClash(first: Draft, second: Draft, findings: Findings): void {
  const place = findings.placeName(first.operation.cursor, 'key');
  const isSame = isSameAccess(first.access, second.access);
  const message = `this is the same request as the operation at ${place}, ${isSame ? 'one rule is for both' : 'both requirements hold'}`;
  findings.warn(second.operation.cursor, 'equal_paths', message, { part: 'key' });
}

/** A path of which no method could be read may have had this one. */
function finish({ isExact, access, ...route }: Draft, drafts: Drafts): ImportedRoute {
  const unread = route.method === undefined ? undefined : drafts.get(keyOf({ ...route, method: undefined }));
  return { ...route, access: isExact && unread === undefined ? access : bothOf(access, untranslated) };
}

/** A host of which nothing else is said than of any host needs no rules of its own. */
function withoutNeedlessHosts(routes: readonly ImportedRoute[]): readonly ImportedRoute[] {
  const ofAny = new Map<string, ImportedRoute>();
  const byHost = new Map<string, ImportedRoute[]>();
  for (const route of routes) {
    if (route.host === undefined) {
      ofAny.set(keyOf(route), route);
      continue;
    }
    const own = byHost.get(route.host) ?? [];
    own.push(route);
    byHost.set(route.host, own);
  }
  const needless = new Set<string>();
  for (const [host, own] of byHost) {
    if (own.length === ofAny.size && own.every((route) => isSaidOfAny(route, ofAny))) needless.add(host);
  }
  return routes.filter(({ host }) => host === undefined || !needless.has(host));
}

function isSaidOfAny(route: ImportedRoute, ofAny: ReadonlyMap<string, ImportedRoute>): boolean {
  const other = ofAny.get(keyOf({ ...route, host: undefined }));
  return other?.operation === route.operation && isSameAccess(other.access, route.access);
}
