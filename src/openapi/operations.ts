/**
 * Promises: the operations of a document, each with where it is reached and who may use it. A path item that cannot be read stands
 * for every method of its path, refused.
 */
import { isMethodToken } from '../policy/path.ts';
import { quote } from '../policy/wording.ts';
import { type Access, untranslated } from './access.ts';
import { type Cursor, isPlainMapping, member, members, referred, text } from './cursor.ts';
import type { Findings } from './findings.ts';
import { type PathTemplate, translatePath } from './path-template.ts';
import type { ReadSecurity } from './security.ts';
import type { ReadServers } from './servers.ts';

/** One host and path of an operation. */
export interface OperationPlace {
  /** Undefined: any. */
  readonly host: string | undefined;
  readonly path: PathTemplate;
  /** False: it covers more than the operation. */
  readonly isExact: boolean;
}

export interface Operation {
  readonly cursor: Cursor;
  /** What the rule should be called. */
  readonly name: string;
  /** Undefined: any. */
  readonly method: string | undefined;
  readonly access: Access;
  readonly places: readonly OperationPlace[];
}

export interface Reading {
  readonly root: Cursor;
  readonly readSecurity: ReadSecurity;
  readonly readServers: ReadServers;
  readonly findings: Findings;
}

/** The methods that a path item has a field for; `query` came with OpenAPI 3.2. */
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'] as const;

/** References let a short text name any number of them; the largest documents known have less than this. */
const maxOperations = 20_000;

/** In the order of the document; none, and reported, when `paths` cannot be read whole. */
export function readOperations(reading: Reading): readonly Operation[] {
  const { root, findings } = reading;
  const paths = member(root, 'paths');
  if (paths === undefined) return [];
  if (!isPlainMapping(paths)) {
    findings.error(paths, 'paths', 'expected a mapping of paths, without merge keys');
    return [];
  }
  const operations: Operation[] = [];
  for (const [path, item] of members(paths)) {
    if (path.startsWith('x-')) continue;
    operations.push(...readPath(path, item, reading));
    if (operations.length <= maxOperations) continue;
    findings.error(paths, 'too_large', `the document has more than ${maxOperations} operations`, { part: 'key' });
    return [];
  }
  return operations;
}

function readPath(path: string, item: Cursor, reading: Reading): readonly Operation[] {
  const parts = readItem(item, reading.findings);
  const found = parts === undefined ? undefined : findOperations(parts, reading.findings);
  const ofItem = parts?.map((part) => member(part, 'servers')).find((servers) => servers !== undefined);
  if (found === undefined) {
    const refused = { cursor: item, name: ruleName('any', path), method: undefined, access: untranslated };
    return place([{ ...refused, servers: ofItem }], path, { item, reading });
  }
  const operations = found.map(({ method, cursor }) => {
    const isReadable = isPlainMapping(cursor);
    if (!isReadable) reading.findings.error(cursor, 'operation', 'expected one operation, without merge keys');
    return {
      cursor,
      name: text(cursor, 'operationId') ?? ruleName(method.toLowerCase(), path),
      method,
      access: isReadable ? reading.readSecurity(securityOf(cursor, reading.root)) : untranslated,
      servers: member(cursor, 'servers') ?? ofItem,
    };
  });
  return place(operations, path, { item, reading });
}

function ruleName(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9._~]+/).filter((word) => word !== '');
  return [method, ...words].join('-');
}

function securityOf(operation: Cursor, root: Cursor): Cursor | undefined {
  return member(operation, 'security') ?? member(root, 'security');
}

type Unplaced = Omit<Operation, 'places'> & { readonly servers: Cursor | undefined };

function place(
  operations: readonly Unplaced[],
  path: string,
  { item, reading }: { readonly item: Cursor; readonly reading: Reading },
): readonly Operation[] {
  const { root, findings } = reading;
  return operations.map(({ servers, cursor, name, method, access }) => {
    const places = reading.readServers(servers ?? member(root, 'servers')).flatMap(({ host, basePath, isExact }) => {
      const template = translatePath(basePath + path);
      return template === undefined ? [] : [{ host, path: template, isExact: isExact && template.isExact }];
    });
    reportPaths(item, places, findings);
    return { cursor, name, method, access, places };
  });
}

function reportPaths(item: Cursor, places: readonly OperationPlace[], findings: Findings): void {
  const paths = places.map(({ path }) => path);
  if (paths.length === 0) {
    findings.error(item, 'path', 'no request can have this path, it has no rule', { part: 'key' });
  } else if (paths.some(({ isExact }) => !isExact)) {
    const message = 'a policy has no word for this path, no request is allowed for its sake';
    const hint = 'a template is a whole segment, and a path has no query, `*` or `;`';
    findings.error(item, 'path', message, { part: 'key', hint });
  } else if (paths.some(({ isGreedy }) => isGreedy)) {
    findings.warn(item, 'greedy_template', 'a template covers one segment, whatever its name says', { part: 'key' });
  }
}

interface Found {
  readonly method: string;
  readonly cursor: Cursor;
}

/** Undefined: what the item says of its methods cannot be read. */
function findOperations(parts: readonly Cursor[], findings: Findings): readonly Found[] | undefined {
  const found: Found[] = [];
  for (const part of parts) {
    for (const name of methods) {
      const cursor = member(part, name);
      if (cursor !== undefined) found.push({ method: name.toUpperCase(), cursor });
    }
    const others = member(part, 'additionalOperations');
    if (others !== undefined && !isPlainMapping(others)) {
      findings.error(others, 'operation', 'expected a mapping of methods, without merge keys');
      return undefined;
    }
    found.push(...(others === undefined ? [] : otherMethods(others, findings)));
  }
  return found;
}

/** OpenAPI 3.2: methods without a field, as they are sent. */
function otherMethods(others: Cursor, findings: Findings): readonly Found[] {
  return members(others).flatMap(([method, cursor]) => {
    if (isMethodToken(method) && method !== 'CONNECT') return [{ method, cursor }];
    findings.error(cursor, 'operation', `no request can have method ${quote(method)}`, { part: 'key' });
    return [];
  });
}

/** More references than this in a row lead nowhere that anybody means. */
const maxParts = 16;

/** The item and what it refers to, in order; undefined, and reported: it cannot be read whole. */
function readItem(item: Cursor, findings: Findings): readonly Cursor[] | undefined {
  const parts: Cursor[] = [];
  let part: Cursor | undefined = item;
  while (part !== undefined) {
    if (!isPlainMapping(part) || parts.length === maxParts) break;
    parts.push(part);
    if (member(part, '$ref') === undefined) return checkParts(item, parts, findings);
    part = referred(part);
  }
  const message = part === undefined ? 'is not in this document' : 'is no path item, or refers to itself';
  const hint = 'bundle the document into one file first, without merge keys';
  findings.error(item, 'path_item', `what this path refers to ${message}; all its methods are refused`, {
    part: 'key',
    hint,
  });
  return undefined;
}

const itemFields = [...methods, 'additionalOperations', 'servers'];

/** OpenAPI leaves open which of two holds when an item has a field that what it refers to has as well. */
function checkParts(item: Cursor, parts: readonly Cursor[], findings: Findings): readonly Cursor[] | undefined {
  const twice = itemFields.find((field) => parts.filter((part) => member(part, field) !== undefined).length > 1);
  if (twice === undefined) return parts;
  const message = `${quote(twice)} is given here and in what this path refers to; all its methods are refused`;
  findings.error(item, 'path_item', message, { part: 'key' });
  return undefined;
}
