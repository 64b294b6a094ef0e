/**
 * Promises: the rules of all documents, each valid, with distinct names, and their routes.
 */
import type { CompiledClient } from './compile-clients.ts';
import { compileHeaders, type HeaderTable, mergeHeaders } from './compile-headers.ts';
import { type ConditionCompiler, checkPathNames, compileRequirement } from './compile-requirement.ts';
import { compileRoutes, type PlacedRoute } from './compile-routes.ts';
import type { PolicyDocument } from './document.ts';
import { checkKnown, type KnownNames } from './known-names.ts';
import { placeName, type Report, type Spot, within } from './report.ts';
import type { RuleContent } from './schema.ts';
import type { Slices } from './slices.ts';
import type { PolicySnapshot, Rule } from './snapshot.ts';
import { quote } from './wording.ts';

export interface RuleContext {
  readonly defaultHeaders: HeaderTable;
  readonly pathParameters: PolicySnapshot['pathParameters'];
  readonly names: KnownNames;
  readonly clients: readonly CompiledClient[];
  readonly conditions: ConditionCompiler;
}

export interface CompiledRule {
  readonly rule: Rule;
  readonly spot: Spot;
  readonly routes: readonly PlacedRoute[];
}

/** Rules between two places where others may have their turn: a millisecond or two. */
const slice = 200;

export function* compileRules(
  documents: readonly PolicyDocument[],
  context: RuleContext,
  report: Report,
): Slices<readonly CompiledRule[]> {
  const compiled: CompiledRule[] = [];
  const names = new Map<string, Spot>();
  for (const document of documents) {
    for (const [index, content] of (document.content.rules ?? []).entries()) {
      const spot: Spot = { document, path: ['rules', index] };
      checkName(content.name, within(spot, 'name'), names, report);
      compiled.push(compileRule(content, spot, context, report));
      if (compiled.length % slice === 0) yield;
    }
  }
  return compiled;
}

function checkName(name: string, spot: Spot, names: Map<string, Spot>, report: Report): void {
  const namesake = names.get(name);
  if (namesake === undefined) names.set(name, spot);
  else report.error(spot, 'duplicate_name', `rule ${quote(name)} is already defined at ${placeName(namesake)}`);
}

function compileRule(content: RuleContent, spot: Spot, context: RuleContext, report: Report): CompiledRule {
  const access = content.access ?? 'token';
  const own = compileHeaders(content.headers, within(spot, 'headers'), report);
  checkIssuers(content.issuers, context.names, within(spot, 'issuers'), report);
  checkKnown(content.inject, { kind: 'client', known: context.names.clients }, within(spot, 'inject'), report);
  if (access !== 'token') checkAccess(content, spot, report);
  checkInject(content, spot, report);
  const require = compileRequirement(content.require, context.conditions, within(spot, 'require'), report);
  if (access === 'token') warnOpen(content, spot, report);
  const rule: Rule = {
    name: content.name,
    access,
    issuers: content.issuers === undefined ? undefined : new Set(content.issuers),
    require,
    headers: access === 'token' ? mergeHeaders(context.defaultHeaders, own) : [],
    forwardToken: content.forwardToken ?? true,
    inject: context.clients.find(({ name }) => name === content.inject)?.client,
    mode: content.mode ?? 'enforce',
  };
  const routes = compileRoutes({ content, rule, spot }, context.pathParameters, report);
  checkPathNames(require, routes, within(spot, 'require'), report);
  return { rule, spot, routes };
}

function checkIssuers(issuers: readonly string[] | undefined, names: KnownNames, spot: Spot, report: Report): void {
  for (const [index, name] of (issuers ?? []).entries()) {
    checkKnown(name, { kind: 'issuer', known: names.issuers }, within(spot, index), report);
  }
}

function warnOpen({ name, require }: RuleContent, spot: Spot, report: Report): void {
  const { scopes = [], anyScope = [], when } = require ?? {};
  if (scopes.length > 0 || anyScope.length > 0 || when !== undefined || spot.document.isDamaged(spot.path)) return;
  const message = `rule ${quote(name)} requires no scope and has no condition, any token of its issuers may pass`;
  report.warn(within(spot, 'name'), 'no_scopes', message);
}

/** All of these are about a token. Where none is looked at, they would promise a protection that is not there. */
const tokenFields = ['issuers', 'require', 'headers'] as const;

function checkAccess(content: RuleContent, spot: Spot, report: Report): void {
  for (const field of tokenFields) {
    if (content[field] === undefined) continue;
    const message = `\`${field}\` cannot stand beside \`access: ${content.access}\`, where no token is looked at`;
    report.error(within(spot, field), 'access_conflict', message, { part: 'key' });
  }
}

/** `public` beside `inject` is what an outbound listener is for: the caller is the workload itself, which often has no token. */
function checkInject({ inject, access, forwardToken, hosts, name }: RuleContent, spot: Spot, report: Report): void {
  if (inject === undefined) return;
  const at = within(spot, 'inject');
  if (access === 'deny') {
    const message = '`inject` cannot stand beside `access: deny`, which lets nothing through to an upstream';
    report.error(at, 'access_conflict', message, { part: 'key' });
  }
  if (forwardToken === true) {
    const message = '`forwardToken: true` cannot stand beside `inject`, which overwrites what the caller sent';
    report.error(within(spot, 'forwardToken'), 'inject_conflict', message, { part: 'key' });
  }
  if (hosts !== undefined || spot.document.isDamaged(spot.path)) return;
  const message = `rule ${quote(name)} names no \`hosts\`, any host that its listener reaches gets the token of client ${quote(inject)}`;
  report.warn(at, 'inject_any_host', message);
}
