/**
 * Promises: documents → the whole policy, or everything that is wrong with it. The stages run one after the other, each on all
 * documents, so that an operator sees the problems of all of them at once. The order of the documents never changes the policy.
 * Leaves to others: problems of a single value (document.ts), keeping a policy (store.ts).
 */
import { compileClients } from './compile-clients.ts';
import { compileDefaults, type Defaults } from './compile-defaults.ts';
import { checkIntrospectors } from './compile-introspection.ts';
import { type CompiledIssuer, compileIssuers } from './compile-issuers.ts';
import { createConditionCompiler } from './compile-requirement.ts';
import { compileRevocations } from './compile-revocations.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { compileTests } from './compile-tests.ts';
import type { PolicyDocument } from './document.ts';
import { hashDocuments } from './hash.ts';
import { reuseIssuers } from './known-issuers.ts';
import { knownNames } from './known-names.ts';
import { buildRouteIndex, type RouteIndex } from './match.ts';
import { warnPreflight } from './preflight.ts';
import { compareText, type Problem } from './problem.ts';
import { checkDpopOrigins, compileProofOrigins } from './proof-origins.ts';
import { warnUnreachable } from './reachability.ts';
import { createReport, type Report } from './report.ts';
import { createRevocations, type Revocation } from './revocation.ts';
import { buildRouteTable } from './route-table.ts';
import { inOneGo, type Slices } from './slices.ts';
import type { PolicySnapshot, PolicyTest, Rule } from './snapshot.ts';
import { soundPart } from './trial.ts';
import { warnUnused } from './unused.ts';

export interface Compiled {
  /** Undefined exactly when a problem is an error, or a document is not complete or missing. */
  readonly snapshot: PolicySnapshot | undefined;
  /** Sorted by place; beside a snapshot they are all warnings. A warning is right whatever errors there are. */
  readonly problems: readonly Problem[];
  /** Without a snapshot: what tests can be tried on all the same. */
  readonly trial?: Trial | undefined;
}

export interface Trial {
  /** For tests alone; it must never decide a request. */
  readonly snapshot: PolicySnapshot;
  /** Rules that an error touches: what they decide says nothing. */
  readonly touched: ReadonlySet<string>;
}

/**
 * `previous` is the policy before: what has not changed is taken from it. The language of conditions has to be loaded when a document
 * has one (compile-policy.ts).
 */
export function compile(documents: readonly PolicyDocument[], previous?: PolicySnapshot): Compiled {
  return inOneGo(compiling(documents, previous));
}

/** The same, a stage or some hundred rules at a time. */
export function* compiling(documents: readonly PolicyDocument[], previous?: PolicySnapshot): Slices<Compiled> {
  const report = createReport();
  const defaults = compileDefaults(documents, report);
  const issuers = reuseIssuers(compileIssuers(documents, report), previous);
  const names = knownNames(documents);
  const clients = compileClients(documents, { issuers, names }, report);
  const { headers: defaultHeaders, pathParameters } = defaults;
  const context = { defaultHeaders, pathParameters, names, clients, conditions: createConditionCompiler(previous) };
  const rules = yield* compileRules(documents, context, report);
  const revocations = compileRevocations(documents, names, report);
  const tests = compileTests(documents, { names, rules: rules.map(({ rule }) => rule) }, report);
  yield;
  checkRoutes(rules, defaults, report);
  yield;
  checkDpopOrigins(documents, report);
  checkIntrospectors(rules, issuers, report);
  warnUnused({ issuers, clients, rules }, { names, documents, report });
  checkNotEmpty(documents, report);
  yield;
  const isGood = !report.hasErrors() && documents.length > 0 && documents.every(({ isComplete }) => isComplete);
  const snapshot = isGood ? yield* assemble(documents, { defaults, issuers, rules, revocations, tests }) : undefined;
  yield;
  if (snapshot !== undefined) {
    warnPreflight(withMode(rules, 'enforce'), snapshot.routes, report);
    return { snapshot, problems: report.problems() };
  }
  const sound = soundPart(documents, { rules, tests }, report);
  const trial = sound && {
    snapshot: yield* assemble(documents, { defaults, issuers, revocations, rules: sound.rules, tests: sound.tests }),
    touched: sound.touched,
  };
  return { snapshot, problems: report.problems(), trial };
}

/** Shadow rules are matched among themselves. */
const modes: readonly Rule['mode'][] = ['enforce', 'shadow'];

function withMode(rules: readonly CompiledRule[], mode: Rule['mode']): readonly CompiledRule[] {
  return rules.filter(({ rule }) => rule.mode === mode);
}

function checkRoutes(rules: readonly CompiledRule[], { resourceMetadata }: Defaults, report: Report): void {
  for (const mode of modes) {
    // A rule that lost a host or a method to a problem would seem to match more than it was meant to.
    const whole = withMode(rules, mode).filter(({ spot }) => !spot.document.isDamaged(spot.path));
    const table = buildRouteTable(
      whole.flatMap(({ routes }) => routes),
      report,
    );
    warnUnreachable(whole, { table, hasMetadata: resourceMetadata !== undefined && mode === 'enforce' }, report);
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

function* assemble(documents: readonly PolicyDocument[], parts: Parts): Slices<PolicySnapshot> {
  const { defaults, issuers, rules, revocations, tests } = parts;
  const { realm, pathParameters, resourceMetadata } = defaults;
  const headers = [...defaults.headers.values(), ...withMode(rules, 'enforce').flatMap(({ rule }) => rule.headers)];
  const hash = hashDocuments(documents);
  yield;
  return {
    hash,
    issuers: new Map(issuers.map(({ issuer }) => [issuer.issuer, issuer])),
    routes: routesOf(rules, 'enforce'),
    shadowRoutes: routesOf(rules, 'shadow'),
    revocations: createRevocations(revocations),
    clients: [...new Set(withMode(rules, 'enforce').flatMap(({ rule }) => rule.inject ?? []))],
    tests,
    rules: rules.map(({ rule }) => rule).toSorted((a, b) => compareText(a.name, b.name)),
    identityHeaders: new Set(headers.flatMap((header) => (header === null ? [] : [header.name]))),
    realm,
    pathParameters,
    resourceMetadata,
    proofOrigins: compileProofOrigins(defaults.origins, hostsOf(rules)),
  };
}

function hostsOf(rules: readonly CompiledRule[]): ReadonlySet<string> {
  return new Set(rules.flatMap(({ routes }) => routes.flatMap(({ host }) => host ?? [])));
}

function routesOf(rules: readonly CompiledRule[], mode: Rule['mode']): RouteIndex {
  return buildRouteIndex(withMode(rules, mode).flatMap(({ routes }) => routes));
}
