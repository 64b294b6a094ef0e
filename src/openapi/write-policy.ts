/**
 * Promises: rules and issuers as the text of a policy document that its own lint accepts, with comments where the operator has to fill
 * something in or should look twice. No text of the imported document stands in it but names, hosts, paths and scopes.
 */
import { Document, isCollection, isMap, isNode, type YAMLMap } from 'yaml';
import { apiVersion, kind } from '../policy/schema.ts';
import { quote } from '../policy/wording.ts';
import type { TokenAccess } from './access.ts';
import type { Findings } from './findings.ts';
import { type ImportedIssuer, placeholderAudience } from './issuers.ts';
import type { ImportOptions } from './options.ts';
import type { ImportedRule } from './rules.ts';

export interface PolicyParts {
  /** Of the imported document. */
  readonly file: string;
  readonly rules: readonly ImportedRule[];
  readonly issuers: readonly ImportedIssuer[];
  readonly options: ImportOptions;
  readonly findings: Findings;
}

/** The JSON Schema of a policy, for editors: in the package, from where it is installed for a project. */
export const schemaPath = 'node_modules/scopegate/deploy/policy.schema.json';

export function writePolicy(parts: PolicyParts): string {
  const { file, rules, issuers, options } = parts;
  const names = new Map(issuers.map(({ issuer, name }) => [issuer, name]));
  const audiences = options.audiences.length > 0 ? options.audiences : [placeholderAudience];
  const document = new Document({
    apiVersion,
    kind,
    ...(issuers.length === 0
      ? {}
      : { issuers: issuers.map(({ name, issuer }) => ({ name, issuer, audiences: [...audiences] })) }),
    rules: rules.map((rule) => ruleContent(rule, names)),
  });
  document.commentBefore = [
    ` yaml-language-server: $schema=${schemaPath}`,
    ` Made by scopegate import openapi from ${quote(file)}.`,
    ' What no rule here allows is refused. Only what the document says is allowed, so HEAD and OPTIONS are as it has them.',
  ].join('\n');
  for (const [index, issuer] of issuers.entries()) commentIssuer(mapAt(document, ['issuers', index]), issuer, options);
  for (const [index, rule] of rules.entries()) commentRule(mapAt(document, ['rules', index]), rule, parts.findings);
  inlineLists(document.contents);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, singleQuote: false });
}

function ruleContent({ name, hosts, paths, method, access }: ImportedRule, names: ReadonlyMap<string, string>): object {
  return {
    name,
    ...(hosts.length === 0 ? {} : { hosts: [...hosts] }),
    paths: [...paths],
    ...(method === undefined ? {} : { methods: [method] }),
    ...(access.kind === 'token' ? tokenContent(access, names) : { access: access.kind }),
  };
}

function tokenContent({ issuers, scopes, anyScope }: TokenAccess, names: ReadonlyMap<string, string>): object {
  const require = {
    ...(scopes.length === 0 ? {} : { scopes: [...scopes] }),
    ...(anyScope.length === 0 ? {} : { anyScope: [...anyScope] }),
  };
  return {
    issuers: issuers.map((issuer) => names.get(issuer) ?? issuer),
    ...(Object.keys(require).length === 0 ? {} : { require }),
  };
}

function commentIssuer(node: YAMLMap | undefined, { isPlaceholder }: ImportedIssuer, options: ImportOptions): void {
  const issuer = node?.get('issuer', true);
  if (isPlaceholder && isNode(issuer)) issuer.comment = ' fill in: `iss` of its tokens, character by character';
  const audiences = node?.get('audiences', true);
  if (options.audiences.length === 0 && isNode(audiences))
    audiences.comment = ' fill in: `aud` of its tokens for this API';
}

function commentRule(node: YAMLMap | undefined, { access, operation }: ImportedRule, findings: Findings): void {
  if (node === undefined || access.kind !== 'deny' || access.why === 'unsecured') return;
  const place = findings.placeName(operation.cursor, 'key');
  node.commentBefore = ` could not be translated: ${quote(place)}`;
}

function mapAt(document: Document, path: readonly (string | number)[]): YAMLMap | undefined {
  const node = document.getIn(path, true);
  return isMap(node) ? node : undefined;
}

/** Lists of texts on one line each; what holds mappings stays in lines. */
function inlineLists(node: unknown): void {
  if (!isCollection(node)) return;
  const values = node.items.map((item) => (isMap(node) && isPair(item) ? item.value : item));
  for (const value of values) inlineLists(value);
  node.flow = !isMap(node) && !values.some((value) => isCollection(value));
}

function isPair(item: unknown): item is { readonly value: unknown } {
  return typeof item === 'object' && item !== null && 'value' in item;
}
