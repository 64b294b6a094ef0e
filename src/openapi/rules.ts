/**
 * Promises: routes as rules. An operation has one rule, so that its name in logs and metrics is the name that its API has for it, and
 * does not change when another operation does; only one that is not the same at all its hosts has several.
 */
import { type Access, isSameAccess } from './access.ts';
import { createNames } from './names.ts';
import type { Operation } from './operations.ts';
import type { ImportedRoute } from './routes.ts';

export interface ImportedRule {
  readonly name: string;
  readonly operation: Operation;
  /** None: any. */
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly method: string | undefined;
  readonly access: Access;
}

export function createRules(routes: readonly ImportedRoute[]): readonly ImportedRule[] {
  const byOperation = new Map<Operation, ImportedRoute[]>();
  for (const route of routes) {
    const own = byOperation.get(route.operation) ?? [];
    own.push(route);
    byOperation.set(route.operation, own);
  }
  const names = createNames();
  return [...byOperation].flatMap(([operation, own]) =>
    rulesOf(own).map(({ hosts, paths, access }) => {
      const { method } = operation;
      return { name: names(operation.name), operation, hosts, paths, method, access };
    }),
  );
}

type Parts = Pick<ImportedRule, 'hosts' | 'paths' | 'access'>;

/** The paths of each host with one requirement; hosts that are alike in both share a rule. */
function rulesOf(routes: readonly ImportedRoute[]): readonly Parts[] {
  const accesses: Access[] = [];
  const paths = new Map<
    string,
    { readonly host: string | undefined; readonly access: Access; readonly paths: string[] }
  >();
  for (const { host, path, access } of routes) {
    const index = indexOf(accesses, access);
    const key = `${index} ${host ?? ''}`;
    const group = paths.get(key) ?? { host, access, paths: [] };
    group.paths.push(path);
    paths.set(key, group);
  }
  const rules = new Map<string, { hosts: string[]; paths: readonly string[]; access: Access }>();
  for (const { host, access, paths: own } of paths.values()) {
    const key = JSON.stringify([indexOf(accesses, access), host === undefined, own]);
    const rule = rules.get(key) ?? { hosts: [], paths: own, access };
    if (host !== undefined) rule.hosts.push(host);
    rules.set(key, rule);
  }
  return [...rules.values()];
}

function indexOf(accesses: Access[], access: Access): number {
  const index = accesses.findIndex((other) => isSameAccess(other, access));
  return index === -1 ? accesses.push(access) - 1 : index;
}
