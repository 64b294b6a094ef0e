/**
 * Promises: a name that a document uses is the name of something in one of the documents, or the problem says which was meant.
 */
import type { PolicyDocument } from './document.ts';
import type { Report, Spot } from './report.ts';
import { didYouMean } from './suggestion.ts';
import { quote } from './wording.ts';

/** The names of all documents. Undefined: a document could not be read, so that any name may be right. */
export interface KnownNames {
  readonly issuers: ReadonlySet<string> | undefined;
  readonly rules: ReadonlySet<string> | undefined;
  readonly clients: ReadonlySet<string> | undefined;
}

export function knownNames(documents: readonly PolicyDocument[]): KnownNames {
  return {
    issuers: union(documents.map(({ issuerNames }) => issuerNames)),
    rules: union(documents.map(({ ruleNames }) => ruleNames)),
    clients: union(documents.map(({ clientNames }) => clientNames)),
  };
}

function union(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const set of sets) {
    if (set === undefined) return undefined;
    for (const name of set) names.add(name);
  }
  return names;
}

/** What a name is of, and the names there are. */
export interface NameKind {
  readonly kind: 'issuer' | 'rule' | 'client';
  readonly known: ReadonlySet<string> | undefined;
}

export function checkKnown(name: string | undefined, { kind, known }: NameKind, spot: Spot, report: Report): void {
  if (name === undefined || known === undefined || known.has(name)) return;
  const hint = didYouMean(name, known);
  report.error(spot, `unknown_${kind}`, `no ${kind} is named ${quote(name)}`, { hint });
}
