/**
 * Promises: short ways from an OpenAPI document to what its import says, for the tests of this room.
 */
import { type Imported, importOpenapi } from '../../../src/openapi/import-openapi.ts';
import type { ImportOptions } from '../../../src/openapi/options.ts';
import { type Compiled, compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import { byPlace, type Problem } from '../../../src/policy/problem.ts';
import type { Rule } from '../../../src/policy/snapshot.ts';

export const strict: ImportOptions = { unsecured: 'deny', issuer: undefined, audiences: [], checkedElsewhere: [] };

export const schemes = {
  oauth: { type: 'oauth2', flows: {} },
  oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://idp.test/realms/a/.well-known/openid-configuration' },
  bearer: { type: 'http', scheme: 'Bearer' },
  basic: { type: 'http', scheme: 'basic' },
  key: { type: 'apiKey', in: 'header', name: 'x-key' },
  mtls: { type: 'mutualTLS' },
};

/** A document with all of `schemes`, as JSON. */
export function documentOf(parts: object): string {
  return JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Test', version: '1' },
    components: { securitySchemes: schemes },
    ...parts,
  });
}

/** A document with one `GET /a`. */
export function oneOperation(operation: object, parts: object = {}): string {
  return documentOf({ paths: { '/a': { get: operation } }, ...parts });
}

export function importText(text: string, options: Partial<ImportOptions> = {}): Imported {
  return importOpenapi({ name: 'api.yaml', text }, { ...strict, ...options });
}

/** Severity and code of what was reported; placeholders to fill in are left out, since nearly every document has them. */
export function codes({ problems }: Imported): readonly string[] {
  return problems.filter(({ code }) => code !== 'fill_in').map(({ severity, code }) => `${severity} ${code}`);
}

/** The policy as the operator's own lint sees it. */
export function lint({ policy }: Imported): Compiled {
  if (policy === undefined) throw new Error('there is no policy');
  const parsed = parseDocuments({ name: 'policy.yaml', text: policy });
  const { snapshot, problems } = compile(parsed.documents);
  return { snapshot, problems: [...parsed.problems, ...problems].toSorted(byPlace) };
}

/** `name METHOD hosts paths: who may`, one a rule, in the order of the policy. */
export function rulesOf(imported: Imported): readonly string[] {
  const { snapshot, problems } = lint(imported);
  if (snapshot === undefined) throw new Error(`not a good policy: ${problems.map(showProblem).join('; ')}`);
  const [document] = parseDocuments({ name: 'policy.yaml', text: imported.policy ?? '' }).documents;
  return (document?.content.rules ?? []).map(({ name, hosts = [], paths, methods = ['*'] }) => {
    const rule = snapshot.rules.find((candidate) => candidate.name === name);
    return `${name} ${methods.join()} ${[...hosts, ''].join(' ')}${paths.join(' ')}: ${rule === undefined ? '?' : who(rule)}`;
  });
}

function who({ access, issuers, require }: Rule): string {
  if (access !== 'token') return access;
  const all = require.scopes.length === 0 ? [] : [`all ${require.scopes.join()}`];
  const any = require.anyScope.length === 0 ? [] : [`any ${require.anyScope.join()}`];
  return [[...(issuers ?? [])].join(), ...all, ...any].join(' ');
}

export function showProblem({ line, column, severity, code, message }: Problem): string {
  return `${line}:${column} ${severity} ${code}: ${message}`;
}
