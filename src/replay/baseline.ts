/**
 * Promises: what of the policy that decided is unchanged in the candidate. Only the policy itself can tell: of the settings of its issuers,
 * its conditions and its claim headers the log holds nothing.
 */
import type { Match } from '../policy/match.ts';
import { compareText } from '../policy/problem.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import type { Issuer } from '../token/issuer.ts';
import type { RecordedDecision } from './record.ts';

export interface Baseline {
  /** A rule that reads the same decides in both, in the same way for every caller of this request. */
  hasSameRule(record: RecordedDecision, match: Match): boolean;
  /** The rule that decided set the same headers, of the same claims. */
  hasSameHeaders(record: RecordedDecision, match: Match): boolean;
  /** The candidate's issuer of the same `iss` as the issuer that the current policy calls so. */
  issuerNow(name: string): Issuer | undefined;
  /** The issuer that the current policy calls so was asked about tokens that are no JWT. */
  hasIntrospection(name: string): boolean;
  /** All settings of the issuer are as they were; undefined: of all issuers. */
  keepsIssuer(name: string | undefined): boolean;
  readonly keepsRevocations: boolean;
}

export function createBaseline(current: PolicySnapshot, candidate: PolicySnapshot): Baseline {
  // The log names an issuer, and not which of its tenants.
  const before = Map.groupBy(current.issuers.values(), ({ name }) => name);
  const kept = new Set([...before].filter(([, tenants]) => areKept(tenants, candidate)).map(([name]) => name));
  const keepsAll = kept.size === before.size && candidate.issuers.size === current.issuers.size;
  const keepsRevocations = textOf(current.revocations.entries) === textOf(candidate.revocations.entries);
  const keyOf = cached(ruleKey);
  const headersOf = cached(({ headers }: Rule) => textOf(headers));
  function matchThen({ host = '', path = '', method = '' }: RecordedDecision): Match | undefined {
    return current.routes.match(host, path, method);
  }
  return {
    hasSameRule: (record, match) => {
      const then = matchThen(record);
      return (
        then !== undefined &&
        keyOf(then.rule) === keyOf(match.rule) &&
        (match.rule.require.condition === undefined || hasSameParameters(then, match))
      );
    },
    hasSameHeaders: (record, match) => {
      const then = matchThen(record);
      return then !== undefined && headersOf(then.rule) === headersOf(match.rule);
    },
    issuerNow: (name) =>
      before
        .get(name)
        ?.map(({ issuer }) => candidate.issuers.get(issuer))
        .find((issuer) => issuer !== undefined),
    hasIntrospection: (name) => before.get(name)?.some(({ introspection }) => introspection !== undefined) === true,
    keepsIssuer: (name) => (name === undefined ? keepsAll : kept.has(name)),
    keepsRevocations,
  };
}

function areKept(tenants: readonly Issuer[], candidate: PolicySnapshot): boolean {
  return tenants.every((issuer) => isKept(issuer, candidate));
}

function isKept(issuer: Issuer, candidate: PolicySnapshot): boolean {
  const now = candidate.issuers.get(issuer.issuer);
  return now !== undefined && textOf(issuer) === textOf(now);
}

/** All of a rule that a decision depends on. */
function ruleKey({ access, issuers, require, headers, inject }: Rule): string {
  const { condition, ...others } = require;
  return textOf({
    access,
    issuers: issuers ?? null,
    ...others,
    condition: condition?.source,
    headers,
    inject: inject?.name ?? null,
  });
}

/** A condition reads them by name. */
function hasSameParameters(a: Match, b: Match): boolean {
  return textOf(new Set([...a.parameters].map(String))) === textOf(new Set([...b.parameters].map(String)));
}

/** Equal for two values that say the same, whatever the order of their sets. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => (member instanceof Set ? sorted(member) : member));
}

function sorted(members: ReadonlySet<unknown>): readonly string[] {
  return [...members].map(String).toSorted(compareText);
}

function cached<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const values = new WeakMap<Key, Value>();
  return (key) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    values.set(key, value);
    return value;
  };
}
