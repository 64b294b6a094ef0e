/**
 * Promises: where the paths of a document are reached: host and base path of each server. What cannot be told is no place that an
 * operation is allowed at, but one where it must be refused, lest a laxer operation take its requests.
 */
import { Stop } from '../decision/step.ts';
import { canonicalHost } from '../policy/path.ts';
import { quote } from '../policy/wording.ts';
import { type Cursor, isPlainMapping, items, member, text } from './cursor.ts';
import type { Findings } from './findings.ts';

export interface ServerPlace {
  /** Canonical; undefined: any, since a relative URL tells none. */
  readonly host: string | undefined;
  /** Without trailing slash; empty for the root. */
  readonly basePath: string;
  /** False: it was not understood whole. */
  readonly isExact: boolean;
}

/** OpenAPI: what a document without servers has. */
const anywhere: readonly ServerPlace[] = [{ host: undefined, basePath: '', isExact: true }];

export type ReadServers = (servers: Cursor | undefined) => readonly ServerPlace[];

/** Reads each list once, however many operations share it. */
export function createServersReader(findings: Findings): ReadServers {
  const known = new Map<unknown, readonly ServerPlace[]>();
  return (servers) => {
    if (servers === undefined) return anywhere;
    const places = known.get(servers.value) ?? readServers(servers, findings);
    if (Array.isArray(servers.value)) known.set(servers.value, places);
    return places;
  };
}

function readServers(servers: Cursor, findings: Findings): readonly ServerPlace[] {
  if (!Array.isArray(servers.value) || servers.value.length > maxServers) {
    findings.error(servers, 'server', `expected a list of at most ${maxServers} servers`);
    return [unknownPlace];
  }
  if (servers.value.length === 0) return anywhere;
  const places = items(servers).map((server) => readServer(server, findings));
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

/** Each operation is placed at each of them. */
const maxServers = 64;

const unknownPlace: ServerPlace = { host: undefined, basePath: '', isExact: false };

function readServer(server: Cursor, findings: Findings): ServerPlace {
  const url = isPlainMapping(server) ? text(server, 'url') : undefined;
  if (url === undefined) {
    findings.error(server, 'server', 'expected a server with `url`, without merge keys');
    return unknownPlace;
  }
  const place = readUrl(expand(url, server, findings));
  if (place.isExact) return place;
  const hint = 'expected https://HOST/PATH or /PATH, and a `default` for each variable';
  findings.error(member(server, 'url') ?? server, 'server', 'this server cannot be told', { hint });
  return place;
}

/** A variable without default stays as it is, and no URL can have braces. */
function expand(url: string, server: Cursor, findings: Findings): string {
  const variables = member(server, 'variables');
  return url.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = variables === undefined ? undefined : member(variables, name);
    const value = variable === undefined ? undefined : member(variable, 'default')?.value;
    if (variable === undefined || (typeof value !== 'string' && typeof value !== 'number')) return whole;
    const choices = member(variable, 'enum');
    if (choices === undefined || items(choices).some((choice) => choice.value !== value)) {
      findings.warn(variable, 'server_variable', `only the default of server variable ${quote(name)} is covered`, {
        part: 'key',
      });
    }
    return String(value);
  });
}

const absoluteUrl = /^(?:(?:https?|wss?):)?\/\/([^/?#\\@]+)(\/[^?#]*)?$/i;
const rootedPath = /^(?:\/(?!\/)[^?#]*)?$/;

function readUrl(url: string): ServerPlace {
  if (/[{}\\]/.test(url))
    return { ...unknownPlace, basePath: basePathOf(/[^/]\/(?!\/)([^{}]*)$/.exec(url)?.[0].slice(1)) };
  const [, authority, path] = absoluteUrl.exec(url) ?? [];
  if (authority !== undefined) {
    const host = canonicalHost(URL.parse(`http://${authority}`)?.host ?? '');
    const isName = !(host instanceof Stop);
    return { host: isName ? host : undefined, basePath: basePathOf(path), isExact: isName };
  }
  if (rootedPath.test(url)) return { host: undefined, basePath: basePathOf(url), isExact: true };
  return { ...unknownPlace, basePath: basePathOf(URL.parse(url, 'http://any.invalid/')?.pathname) };
}

function basePathOf(path = ''): string {
  return path.replace(/\/$/, '');
}
