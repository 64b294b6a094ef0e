/**
 * Promises: the issuers that the schemes of a document stand for, each with a name of its own. Whose URL the document does not tell gets
 * one that can never exist, so that nothing passes before it is filled in.
 */
import { createNames } from './names.ts';

export interface ImportedIssuer {
  readonly name: string;
  /** `iss` of its tokens. */
  readonly issuer: string;
  readonly isPlaceholder: boolean;
}

export interface Issuers {
  /** The `iss` for a scheme; `known` is what the document or the operator says. */
  add(scheme: string, known: string | undefined): string;
  /** In the order in which they were added. */
  all(): readonly ImportedIssuer[];
}

export function createIssuers(): Issuers {
  const byIssuer = new Map<string, ImportedIssuer>();
  const names = createNames();
  const labels = createNames();
  return {
    add: (scheme, known) => {
      const issuer = known ?? placeholder(labels(labelOf(scheme)));
      if (!byIssuer.has(issuer)) {
        byIssuer.set(issuer, { name: names(scheme), issuer, isPlaceholder: known === undefined });
      }
      return issuer;
    },
    all: () => [...byIssuer.values()],
  };
}

export const placeholderAudience = 'https://fill-in-the-audience.invalid';

/** RFC 2606 section 2: nobody can have a host below `.invalid`. */
function placeholder(label: string): string {
  return `https://fill-in-${label}.invalid`;
}

/** What may stand in a host name; the rest of a scheme's name is only for the reader. */
function labelOf(scheme: string): string {
  const label = scheme
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
  return label === '' ? 'issuer' : label;
}
