/**
 * Promises: an OpenAPI 3 document becomes a policy document that never lets pass what the document does not, with a report of all that
 * was left out, refused or assumed. Nothing is fetched: what another file says is refused.
 * Leaves to others: files and streams (commands/import.ts).
 */
import type { Problem } from '../policy/problem.ts';
import { quote } from '../policy/wording.ts';
import { readYaml } from '../policy/yaml.ts';
import { warnAmbiguous } from './ambiguity.ts';
import { type Cursor, isPlainMapping, member, text } from './cursor.ts';
import { createFindings, type Findings } from './findings.ts';
import { createIssuers, type ImportedIssuer } from './issuers.ts';
import { readOperations } from './operations.ts';
import type { ImportOptions } from './options.ts';
import { createRoutes } from './routes.ts';
import { createRules, type ImportedRule } from './rules.ts';
import { createSecurityReader } from './security.ts';
import { createServersReader } from './servers.ts';
import { writePolicy } from './write-policy.ts';

export interface OpenapiFile {
  /** It names the place of problems. */
  readonly name: string;
  readonly text: string;
}

export interface Imported {
  /** Undefined: no operation could be translated. */
  readonly policy: string | undefined;
  /** Sorted by place. An error: something was left out or is refused for it. */
  readonly problems: readonly Problem[];
  readonly counts: ImportCounts;
}

/** Rules of the policy. */
export interface ImportCounts {
  readonly token: number;
  readonly public: number;
  /** Refused because the document asks for no credentials. */
  readonly unsecured: number;
  /** Refused because nothing better could be said. */
  readonly untranslated: number;
}

/** In UTF-16 code units. The largest documents that cloud providers publish have more; they come in parts as well. */
const maxLength = 32 * 1024 * 1024;

export function importOpenapi(file: OpenapiFile, options: ImportOptions): Imported {
  const read = readRoot(file);
  if ('problems' in read) return { policy: undefined, problems: read.problems, counts: countRules([]) };
  const findings = createFindings(file.name);
  const refusal = refuseVersion(read.root);
  if (refusal !== undefined) {
    findings.error(refusal.cursor, 'version', refusal.message);
    return { policy: undefined, problems: findings.problems(), counts: countRules([]) };
  }
  const { rules, issuers } = translate(read.root, options, findings);
  const counts = countRules(rules);
  const isNothing = rules.length === counts.untranslated;
  if (isNothing) findings.error(read.root, 'nothing', 'no operation of the document could be translated');
  else reportPlaceholders(read.root, { issuers, options, findings });
  return {
    policy: isNothing ? undefined : writePolicy({ file: file.name, rules, issuers, options, findings }),
    problems: findings.problems(),
    counts,
  };
}

type Root = { readonly root: Cursor } | { readonly problems: readonly Problem[] };

function readRoot({ name, text: source }: OpenapiFile): Root {
  if (source.length > maxLength) return { problems: [atStart(name, 'too_large', 'the document is too large')] };
  const { trees, problems } = readYaml(name, source);
  if (problems.length > 0) return { problems };
  const [tree, ...others] = trees;
  if (tree === undefined || others.length > 0) {
    return { problems: [atStart(name, 'document', 'expected one document in the text')] };
  }
  return { root: { tree, path: [], value: tree.value } };
}

function atStart(file: string, code: string, message: string): Problem {
  return { severity: 'error', file, line: 1, column: 1, code, message };
}

function refuseVersion(root: Cursor): { readonly cursor: Cursor; readonly message: string } | undefined {
  if (!isPlainMapping(root)) return { cursor: root, message: 'expected an OpenAPI document, without merge keys' };
  const swagger = member(root, 'swagger');
  if (swagger !== undefined) {
    return { cursor: swagger, message: 'Swagger 2.0 is not supported, convert the document to OpenAPI 3 first' };
  }
  const version = text(root, 'openapi');
  if (version !== undefined && /^3\.[0-2](?:\.|$)/.test(version)) return undefined;
  const found = version === undefined ? '' : `, not ${quote(version)}`;
  return { cursor: member(root, 'openapi') ?? root, message: `expected \`openapi\` 3.0, 3.1 or 3.2${found}` };
}

interface Translated {
  readonly rules: readonly ImportedRule[];
  /** Those that a rule names. */
  readonly issuers: readonly ImportedIssuer[];
}

function translate(root: Cursor, options: ImportOptions, findings: Findings): Translated {
  const issuers = createIssuers();
  const readSecurity = createSecurityReader(root, options, { findings, issuers });
  const operations = readOperations({ root, readSecurity, readServers: createServersReader(findings), findings });
  const routes = createRoutes(operations, findings);
  warnAmbiguous(routes, findings);
  const rules = createRules(routes);
  const used = new Set(rules.flatMap(({ access }) => (access.kind === 'token' ? access.issuers : [])));
  return { rules, issuers: issuers.all().filter(({ issuer }) => used.has(issuer)) };
}

function reportPlaceholders(
  root: Cursor,
  { issuers, options, findings }: Pick<Translated, 'issuers'> & { options: ImportOptions; findings: Findings },
): void {
  const unknown = issuers.filter(({ isPlaceholder }) => isPlaceholder).map(({ name }) => quote(name));
  if (unknown.length > 0) {
    const hint = 'one for all of them: --issuer URL';
    findings.warn(root, 'fill_in', `the document does not tell the issuer of ${unknown.join(', ')}`, { hint });
  }
  if (issuers.length > 0 && options.audiences.length === 0) {
    findings.warn(root, 'fill_in', 'no document tells the audience of its tokens', { hint: '--audience A' });
  }
}

function countRules(rules: readonly ImportedRule[]): ImportCounts {
  const count = (isOne: (access: ImportedRule['access']) => boolean): number =>
    rules.filter(({ access }) => isOne(access)).length;
  return {
    token: count(({ kind }) => kind === 'token'),
    public: count(({ kind }) => kind === 'public'),
    unsecured: count((access) => access.kind === 'deny' && access.why === 'unsecured'),
    untranslated: count((access) => access.kind === 'deny' && access.why === 'untranslated'),
  };
}
