/**
 * Promises: which of the refused versions of all sources become active, by trying them with those that are. A version that is bad keeps
 * no other from being active; of two that clash the first in order wins.
 * Leaves to others: keeping the sources (store.ts).
 */
import type { Compiled } from './compile.ts';
import { compilePolicy } from './compile-policy.ts';
import type { PolicyDocument } from './document.ts';
import { byPlace, compareText, type Problem } from './problem.ts';
import type { Pause } from './slices.ts';
import type { PolicySnapshot } from './snapshot.ts';

export interface SourceState {
  readonly source: string;
  readonly order: string | number;
  /** Documents of the newest good version; undefined before the first. */
  active: readonly PolicyDocument[] | undefined;
  /** The newest version, while it is refused. */
  refused: Refused | undefined;
  /** The newest version is its end: nothing, and the source goes with it. */
  readonly isLeaving: boolean;
}

export interface Refused {
  readonly documents: readonly PolicyDocument[];
  /** False: bad in itself, so that no change of another source can mend it. */
  readonly isSound: boolean;
  readonly problems: readonly Problem[];
}

/** What a policy is tried with before it is active. */
export interface Trial {
  /** What is wrong with a policy that compiles. */
  readonly check: (snapshot: PolicySnapshot) => Promise<readonly Problem[]>;
  /** The policy that is active until then. */
  readonly previous: PolicySnapshot | undefined;
  /** Before each trial, and in the middle of it. */
  readonly pause: Pause;
}

/** Why a version is refused; warnings would only stand in the way of that. */
export function errorsOf(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ severity }) => severity === 'error');
}

/**
 * Makes as many refused versions active as go together. All at once first: two that only make sense together, such as an issuer and
 * the rules that name it, must not wait for each other, nor for a third that is bad. Else one after the other, until none of those
 * left fits.
 */
export async function settle(states: readonly SourceState[], trial: Trial): Promise<Compiled | undefined> {
  let compiled: Compiled | undefined;
  for (;;) {
    const waiting = states.filter(({ refused }) => refused?.isSound === true);
    const accepted = (await acceptTogether(states, waiting, trial)) ?? (await acceptFirst(states, waiting, trial));
    if (accepted === undefined) return compiled;
    compiled = accepted;
  }
}

/** All but those that errors are about. */
async function acceptTogether(
  states: readonly SourceState[],
  waiting: readonly SourceState[],
  trial: Trial,
): Promise<Compiled | undefined> {
  let chosen = waiting;
  while (chosen.length > 1) {
    const compiled = await tryOut(states, chosen, trial);
    if (compiled.snapshot !== undefined) return compiled;
    const files = new Set(errorsOf(compiled.problems).map(({ file }) => file));
    const unblamed = chosen.filter(({ refused }) => !refused?.documents.some(({ file }) => files.has(file)));
    if (unblamed.length === chosen.length) return undefined;
    chosen = unblamed;
  }
  return undefined;
}

/** The first of those waiting that fits what is active; the others get to know why they do not. */
async function acceptFirst(
  states: readonly SourceState[],
  waiting: readonly SourceState[],
  trial: Trial,
): Promise<Compiled | undefined> {
  for (const state of waiting) {
    const compiled = await tryOut(states, [state], trial);
    if (compiled.snapshot !== undefined) return compiled;
    if (state.refused !== undefined) state.refused = { ...state.refused, problems: errorsOf(compiled.problems) };
  }
  return undefined;
}

/** Refused versions in place of the active ones; when that is good, they are active. */
async function tryOut(
  states: readonly SourceState[],
  chosen: readonly SourceState[],
  { check, previous, pause }: Trial,
): Promise<Compiled> {
  await pause();
  const others = states.filter((state) => !chosen.includes(state)).flatMap(({ active }) => active ?? []);
  // Last, so that a clash is reported at the version that is refused for it.
  const documents = [...others, ...chosen.flatMap(({ refused }) => refused?.documents ?? [])];
  if (documents.length === 0) return nothingLeft(chosen);
  const compiled = await checked(await compileSafely(documents, previous, pause), check);
  if (compiled.snapshot === undefined) return compiled;
  for (const state of chosen) {
    state.active = state.refused?.documents ?? state.active;
    state.refused = undefined;
  }
  return compiled;
}

/** No policy at all would deny everything: the last source that goes is worth as little as one that was emptied. */
function nothingLeft(chosen: readonly SourceState[]): Compiled {
  const place = { file: chosen[0]?.source ?? '', line: 1, column: 1 };
  const message = 'without this source the policy would hold no document';
  return { snapshot: undefined, problems: [{ severity: 'error', ...place, code: 'no_document', message }] };
}

/** A fault in compiling is a problem of the versions that are tried: it must not keep the good ones from being active. */
export async function compileSafely(
  documents: readonly PolicyDocument[],
  previous: PolicySnapshot | undefined,
  pause: Pause,
): Promise<Compiled> {
  try {
    return await compilePolicy(documents, previous, pause);
  } catch (fault) {
    const message = `the policy cannot be compiled, a fault of Scopegate (${fault instanceof Error ? fault.name : 'unknown'})`;
    const file = documents.at(-1)?.file ?? '';
    return {
      snapshot: undefined,
      problems: [{ severity: 'error', file, line: 1, column: 1, code: 'internal_error', message }],
    };
  }
}

async function checked(compiled: Compiled, check: Trial['check']): Promise<Compiled> {
  if (compiled.snapshot === undefined) return compiled;
  const errors = errorsOf(await check(compiled.snapshot));
  return errors.length === 0 ? compiled : { snapshot: undefined, problems: errors.toSorted(byPlace) };
}

/** Files by path before ConfigMaps by creation time: what is mounted beside us was there before what is watched. */
export function byOrder(a: SourceState, b: SourceState): number {
  return compareOrder(a.order, b.order) || compareText(a.source, b.source);
}

function compareOrder(a: SourceState['order'], b: SourceState['order']): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : 1;
  return typeof b === 'number' ? -1 : compareText(a, b);
}
