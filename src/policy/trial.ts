/**
 * Promises: of a policy with errors, what its tests can be tried on all the same, so that a test that fails is told in the same run as the
 * other mistakes. Rules that an error touches are there, so that they take their requests, and what they decide says nothing.
 * Leaves to others: running tests (rehearsal/). Never becomes a policy that decides.
 */
import type { PlacedRoute } from './compile-routes.ts';
import type { CompiledRule } from './compile-rules.ts';
import type { PolicyDocument } from './document.ts';
import type { Report, Spot } from './report.ts';
import { methodsOf } from './route-table.ts';
import type { PolicyTest } from './snapshot.ts';

export interface Sound {
  /** Rules, the touched ones among them; no two routes of theirs are equal. */
  readonly rules: readonly CompiledRule[];
  /** Names of the rules that an error touches. */
  readonly touched: ReadonlySet<string>;
  /** Those that no error touches. */
  readonly tests: readonly PolicyTest[];
}

/** Undefined when what is wrong may change the answer of any request: issuers, defaults, a rule whose routes are not known. */
export function soundPart(
  documents: readonly PolicyDocument[],
  { rules, tests }: { readonly rules: readonly CompiledRule[]; readonly tests: readonly PolicyTest[] },
  report: Report,
): Sound | undefined {
  if (!documents.every(isPartlySound) || !report.faulty().every(isInRuleOrTest)) return undefined;
  const faulty = new Set(report.faulty().map(entryOf));
  const isTouched = ({ spot }: CompiledRule): boolean =>
    faulty.has(entryOf(spot)) || spot.document.isDamaged(spot.path);
  const touchedRules = rules.filter(isTouched);
  if (!touchedRules.every(hasItsRoutes)) return undefined;
  const faultyTests = new Set(
    report
      .faulty()
      .filter(({ path }) => path[0] === 'tests')
      .map(placeOf),
  );
  return {
    rules: withoutEqualRoutes(rules),
    touched: new Set(touchedRules.map(({ rule }) => rule.name)),
    tests: tests.filter(({ place }) => !faultyTests.has(`${place.file}:${place.line}:${place.column}`)),
  };
}

/** Nothing is missing but in single rules and tests. */
function isPartlySound({ isDamaged, isLeftOut, issuerNames }: PolicyDocument): boolean {
  const isWhole = ['issuers', 'defaults', 'revocations', 'clients'].every((part) => !isDamaged([part]));
  return isWhole && issuerNames !== undefined && !isLeftOut(['rules']) && !isLeftOut(['tests']);
}

function isInRuleOrTest({ path }: Spot): boolean {
  return (path[0] === 'rules' || path[0] === 'tests') && path.length > 1;
}

/** Its hosts, paths and methods are those that were meant. */
function hasItsRoutes({ spot, routes }: CompiledRule): boolean {
  const { document, path } = spot;
  return routes.length > 0 && ['hosts', 'paths', 'methods'].every((part) => !document.isDamaged([...path, part]));
}

const identities = new WeakMap<PolicyDocument, number>();
let documentsSeen = 0;

/** The rule or test that a node is in. */
function entryOf({ document, path }: Spot): string {
  const known = identities.get(document) ?? documentsSeen++;
  identities.set(document, known);
  return JSON.stringify([known, path[0], path[1]]);
}

function placeOf({ document, path }: Spot): string {
  const { line, column } = document.place(path.slice(0, 2));
  return `${document.file}:${line}:${column}`;
}

/** Of two equal routes, both of touched rules, the first stays. */
function withoutEqualRoutes(rules: readonly CompiledRule[]): readonly CompiledRule[] {
  const taken = new Set<string>();
  const isFree = (route: PlacedRoute): boolean => {
    const keys = methodsOf(route).map((method) =>
      JSON.stringify([route.rule.mode, route.host ?? null, route.shape, method]),
    );
    if (keys.some((key) => taken.has(key))) return false;
    for (const key of keys) taken.add(key);
    return true;
  };
  return rules.map(({ rule, spot, routes }) => ({ rule, spot, routes: routes.filter(isFree) }));
}
