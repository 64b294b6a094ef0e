/**
 * Promises: the name of a policy: 16 hex digits of SHA-256, the same on every replica that has the same documents.
 *
 * Canonical is the JSON text of a document's content with the members of every mapping sorted by code unit and aliases expanded:
 * independent of YAML or JSON, quoting, comments, order of fields, file names and of which documents share a file. The texts are
 * sorted, so that the order of documents does not matter; the order of items within a document does. What a document leaves out
 * stays out: writing a default down gives another hash.
 */
import { createHash } from 'node:crypto';
import type { PolicyDocument } from './document.ts';
import { compareText } from './problem.ts';

export function hashDocuments(documents: readonly PolicyDocument[]): string {
  const texts = documents.map(({ content }) => JSON.stringify(content, sortMembers)).toSorted(compareText);
  const hash = createHash('sha256');
  // One after the other: joined they could be longer than a string may be.
  for (const [index, text] of texts.entries()) hash.update(index === 0 ? '[' : ',').update(text);
  return hash.update(']').digest('hex').slice(0, 16);
}

function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => compareText(a, b)));
}
