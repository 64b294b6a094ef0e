/**
 * Promises: who may pass, in the words that a rule has: all of some scopes and one of some others, from some issuers. What a rule cannot
 * say exactly becomes something that lets fewer pass, never more.
 * Leaves to others: reading it from a document (security.ts).
 */

/** One way to pass: a token of this issuer with all of these scopes. */
export interface Alternative {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly scopes: ReadonlySet<string>;
}

export interface TokenAccess {
  readonly kind: 'token';
  /** `iss` of each accepted issuer. */
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
  readonly anyScope: readonly string[];
}

export type Access =
  | TokenAccess
  | { readonly kind: 'public' }
  /** `unsecured`: as the operator asked for what has no security; `untranslated`: as nothing better could be said. */
  | { readonly kind: 'deny'; readonly why: 'unsecured' | 'untranslated' };

export const untranslated: Access = { kind: 'deny', why: 'untranslated' };

export interface Combined {
  readonly access: Access;
  /** Positions of the alternatives that no longer let a request pass. */
  readonly leftOut: readonly number[];
}

/**
 * Any one of the alternatives. When a rule cannot say that, as many of them as it can, the earlier ones first: each that is left out
 * makes the rule stricter.
 */
export function anyOf(alternatives: readonly Alternative[]): Combined {
  const whole = exactly(alternatives);
  if (whole !== undefined) return { access: whole, leftOut: [] };
  const kept: Alternative[] = [];
  const leftOut: number[] = [];
  let access: Access = untranslated;
  for (const [index, alternative] of alternatives.entries()) {
    const wider = exactly([...kept, alternative]);
    if (wider === undefined) leftOut.push(index);
    else {
      access = wider;
      kept.push(alternative);
    }
  }
  return { access, leftOut };
}

/** The rule that says exactly this; undefined: there is none. */
function exactly(alternatives: readonly Alternative[]): TokenAccess | undefined {
  const families = new Map<string, readonly Alternative[]>();
  for (const { issuer } of alternatives) {
    families.set(issuer, weakest(alternatives.filter((other) => other.issuer === issuer)));
  }
  const said = [...families.values()].map(sayFamily);
  const [first] = said;
  if (first === undefined || said.some((other) => other === undefined || !isSameRequirement(first, other))) {
    return undefined;
  }
  return { kind: 'token', issuers: [...families.keys()], ...first };
}

/** Without those that ask for all that another asks for, and more or the same: they let nobody else pass. */
function weakest(alternatives: readonly Alternative[]): readonly Alternative[] {
  return alternatives.filter(
    ({ scopes }, index) =>
      !alternatives.some(
        (other, at) =>
          at !== index && isWithin(other.scopes, scopes) && (other.scopes.size < scopes.size || at < index),
      ),
  );
}

type Requirement = Pick<TokenAccess, 'scopes' | 'anyScope'>;

/** `all and (one of)` is what a rule can say, so alternatives must be alike but for one scope each. */
function sayFamily(alternatives: readonly Alternative[]): Requirement | undefined {
  const [first, ...others] = alternatives.map(({ scopes }) => scopes);
  if (first === undefined) return undefined;
  if (others.length === 0) return { scopes: [...first], anyScope: [] };
  const common = [...first].filter((scope) => others.every((scopes) => scopes.has(scope)));
  const own = [first, ...others].map((scopes) => [...scopes].filter((scope) => !common.includes(scope)));
  return own.every((scopes) => scopes.length === 1) ? { scopes: common, anyScope: own.flat() } : undefined;
}

function isSameRequirement(a: Requirement, b: Requirement): boolean {
  return isSameSet(a.scopes, b.scopes) && isSameSet(a.anyScope, b.anyScope);
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const [inA, inB] = [new Set(a), new Set(b)];
  return inA.size === inB.size && isWithin(inA, inB);
}

function isWithin(inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean {
  return [...inner].every((text) => outer.has(text));
}

/** Two that let the same requests pass. */
export function isSameAccess(a: Access, b: Access): boolean {
  if (a.kind !== 'token' || b.kind !== 'token') return a.kind === b.kind;
  return isSameSet(a.issuers, b.issuers) && isSameRequirement(a, b);
}

/** What satisfies both, or less: deny when a rule cannot say it. */
export function bothOf(a: Access, b: Access): Access {
  if (a.kind === 'public' || b.kind === 'deny') return b;
  if (b.kind === 'public' || a.kind === 'deny') return a;
  const issuers = a.issuers.filter((issuer) => b.issuers.includes(issuer));
  const anyScope = bothAnyScope(a.anyScope, b.anyScope);
  if (issuers.length === 0 || anyScope === undefined) return untranslated;
  return { kind: 'token', issuers, scopes: [...new Set([...a.scopes, ...b.scopes])], anyScope };
}

/** One of the smaller list is one of both; an empty list asks for nothing. */
function bothAnyScope(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length === 0 || b.length === 0) return [...a, ...b];
  const [inA, inB] = [new Set(a), new Set(b)];
  if (isWithin(inA, inB)) return a;
  return isWithin(inB, inA) ? b : undefined;
}
