/**
 * Promises: documents → the whole policy, or everything that is wrong with it. The stages run one after the other, each on all
 * documents, so that an operator sees the problems of all of them at once. The order of the documents never changes the policy.
 * Leaves to others: problems of a single value (document.ts), keeping a policy (store.ts).
 */
import { compileDefaults, type Defaults } from './compile-defaults.ts';
import { type CompiledIssuer, compileIssuers } from './compile-issuers.ts';
import { compileRevocations } from './compile-revocations.ts';
import { checkEqualRoutes } from './compile-routes.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { compileTests } from './compile-tests.ts';
import type { PolicyDocument } from './document.ts';
import { hashDocuments } from './hash.ts';
import { knownNames } from './known-names.ts';
import { buildRouteIndex, type RouteIndex } from './match.ts';
import { compareText, type Problem } from './problem.ts';
import { createReport, type Report, within } from './report.ts';
import { createRevocations, type Revocation } from './revocation.ts';
import type { PolicySnapshot, PolicyTest, Rule } from './snapshot.ts';
import { refuseUnsupported } from './unsupported.ts';
import { quote } from './wording.ts';

export interface Compiled {
  /** Undefined exactly when a problem is an error, or a document is not complete or missing. */
  readonly snapshot: PolicySnapshot | undefined;
  /** Sorted by place; beside a snapshot they are all warnings. */
  readonly problems: readonly Problem[];
}

export function compile(documents: readonly PolicyDocument[]): Compiled {
  const report = createReport();
  refuseUnsupported(documents, report);
  const defaults = compileDefaults(documents, report);
  const issuers = compileIssuers(documents, report);
  const names = knownNames(documents);
  const { headers: defaultHeaders, pathParameters } = defaults;
  const rules = compileRules(documents, { defaultHeaders, pathParameters, names }, report);
  const revocations = compileRevocations(documents, names, report);
  const tests = compileTests(documents, { names, rules: rules.map(({ rule }) => rule) }, report);
  for (const mode of modes) {
    const whole = rules.filter((compiled) => isWhole(compiled) && compiled.rule.mode === mode);
    checkEqualRoutes(
      whole.flatMap(({ routes }) => routes),
      report,
    );
  }
  warnUnusedIssuers(issuers, rules, report);
  checkNotEmpty(documents, report);
  const problems = report.problems();
  const isGood = !report.hasErrors() && documents.length > 0 && documents.every(({ isComplete }) => isComplete);
  if (isGood) return { snapshot: assemble(documents, { defaults, issuers, rules, revocations, tests }), problems };
  // Warnings about what is left of a document with errors may well be wrong.
  return { snapshot: undefined, problems: problems.filter(({ severity }) => severity === 'error') };
}

/** Shadow rules are matched among themselves. */
const modes: readonly Rule['mode'][] = ['enforce', 'shadow'];

/** A rule that lost a host or a method to a problem would seem to match more than it was meant to. */
function isWhole({ spot }: CompiledRule): boolean {
  return !spot.document.isDamaged(spot.path);
}

function warnUnusedIssuers(issuers: readonly CompiledIssuer[], rules: readonly CompiledRule[], report: Report): void {
  const used = new Set<string>();
  for (const { rule } of rules) {
    if (rule.access !== 'token') continue;
    if (rule.issuers === undefined) return;
    for (const name of rule.issuers) used.add(name);
  }
  for (const { issuer, spot } of issuers) {
    if (used.has(issuer.name)) continue;
    report.warn(within(spot, 'name'), 'unused_issuer', `no rule uses issuer ${quote(issuer.name)}`);
  }
}

/** A policy that allows nothing at all is an accident, such as a file that was emptied; the last good one must go on (EA-65). */
function checkNotEmpty(documents: readonly PolicyDocument[], report: Report): void {
  const [first] = documents;
  const hasRules = documents.some(({ content, isComplete }) => !isComplete || (content.rules ?? []).length > 0);
  if (first === undefined || hasRules) return;
  report.error({ document: first, path: ['rules'] }, 'no_rules', 'the policy has no rule');
}

interface Parts {
  readonly defaults: Defaults;
  readonly issuers: readonly CompiledIssuer[];
  readonly rules: readonly CompiledRule[];
  readonly revocations: readonly Revocation[];
  readonly tests: readonly PolicyTest[];
}

function assemble(documents: readonly PolicyDocument[], parts: Parts): PolicySnapshot {
  const { defaults, issuers, rules, revocations, tests } = parts;
  const { realm, pathParameters, resourceMetadata } = defaults;
  const enforcing = rules.filter(({ rule }) => rule.mode === 'enforce');
  const headers = [...defaults.headers.values(), ...enforcing.flatMap(({ rule }) => rule.headers)];
  return {
    hash: hashDocuments(documents),
    issuers: new Map(issuers.map(({ issuer }) => [issuer.issuer, issuer])),
    routes: routesOf(rules, 'enforce'),
    shadowRoutes: routesOf(rules, 'shadow'),
    revocations: createRevocations(revocations),
    tests,
    rules: rules.map(({ rule }) => rule).toSorted((a, b) => compareText(a.name, b.name)),
    identityHeaders: new Set(headers.flatMap((header) => (header === null ? [] : [header.name]))),
    realm,
    pathParameters,
    resourceMetadata,
  };
}

function routesOf(rules: readonly CompiledRule[], mode: Rule['mode']): RouteIndex {
  return buildRouteIndex(rules.filter(({ rule }) => rule.mode === mode).flatMap(({ routes }) => routes));
}
