/**
 * Promises: short ways to a compiled policy for the tests of this room.
 */
import { loadLanguage } from '../../../src/condition/language.ts';
import { type Compiled, compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import { byPlace, type Problem } from '../../../src/policy/problem.ts';
import type { PolicySnapshot, Rule } from '../../../src/policy/snapshot.ts';

// So that compiling waits for nothing.
await loadLanguage();

export interface PolicyObject {
  readonly issuers?: readonly object[];
  readonly rules?: readonly object[];
  readonly defaults?: object;
  readonly revocations?: readonly object[];
  readonly tests?: readonly object[];
}

export const corp = { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'] };

/** A document as JSON text. */
export function textOf(policy: PolicyObject): string {
  return JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', ...policy });
}

/** Compiles texts, each a file of its own: `0.yaml`, `1.yaml`, … */
export function compileTexts(...texts: readonly string[]): Compiled {
  const parsed = texts.map((text, index) => parseDocuments({ name: `${index}.yaml`, text }));
  const { snapshot, problems } = compile(parsed.flatMap(({ documents }) => documents));
  return { snapshot, problems: [...parsed.flatMap((file) => file.problems), ...problems].toSorted(byPlace) };
}

/** The snapshot of policies that must be good. */
export function snapshotOf(...policies: readonly PolicyObject[]): PolicySnapshot {
  const { snapshot, problems } = compileTexts(...policies.map(textOf));
  if (snapshot === undefined) throw new Error(`not a good policy: ${problems.map(show).join('; ')}`);
  return snapshot;
}

export function ruleOf(snapshot: PolicySnapshot, name: string): Rule {
  const rule = snapshot.rules.find((candidate) => candidate.name === name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
}

/** `line:column code: message (hint)`. */
export function show({ line, column, code, message, hint }: Problem): string {
  return `${line}:${column} ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}
