/**
 * Promises: the policy that is active, made of the newest good version of every source (interface section 9). A version stands or
 * falls as a whole; one that is bad, alone or together with the others, leaves everything as it was. The current snapshot is
 * exchanged in one assignment.
 * Leaves to others: reading sources (source/), telling anyone (sidecar/).
 */
import { type Compiled, compile } from './compile.ts';
import { type PolicyDocument, type PolicyFile, parseDocuments } from './document.ts';
import { byPlace, compareText, type Problem } from './problem.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** All that a source holds at one moment. */
export interface SourceVersion {
  readonly files: readonly PolicyFile[];
  /** Where the source stands among the others when they are added at start: creation time or path. */
  readonly order: string | number;
}

export interface Offer {
  /** Names the source; a later offer of that name is a newer version of it. */
  readonly source: string;
  readonly version: SourceVersion;
}

export interface OfferResult {
  /** The version is part of the active policy. */
  readonly applied: boolean;
  /** Hash of the active policy; undefined before the first. */
  readonly hash: string | undefined;
  /** Errors when the version was refused, warnings of the whole policy when it was applied. */
  readonly problems: readonly Problem[];
}

export interface RejectedVersion {
  readonly source: string;
  readonly problems: readonly Problem[];
}

export interface PolicyStore {
  /** The active policy; undefined before the first good one. */
  current(): PolicySnapshot | undefined;
  offer(source: string, version: SourceVersion): OfferResult;
  /** Several sources at once, as at start: added in their order, so that which of two that clash is left out is no accident. */
  offerAll(offers: readonly Offer[]): ReadonlyMap<string, OfferResult>;
  /** Sources whose newest version is not active, in order. */
  rejected(): readonly RejectedVersion[];
}

interface SourceState {
  readonly source: string;
  order: string | number;
  /** Documents of the newest good version; undefined before the first. */
  active: readonly PolicyDocument[] | undefined;
  /** The newest version, while it is refused. */
  refused: Refused | undefined;
}

interface Refused {
  readonly documents: readonly PolicyDocument[];
  /** False: bad in itself, so that no change of another source can mend it. */
  readonly isSound: boolean;
  readonly problems: readonly Problem[];
}

export function createPolicyStore(): PolicyStore {
  const sources = new Map<string, SourceState>();
  let current: Compiled | undefined;

  function offerAll(offers: readonly Offer[]): ReadonlyMap<string, OfferResult> {
    for (const { source, version } of offers) take(source, version);
    const states = [...sources.values()].toSorted(byOrder);
    current = settle(states) ?? current;
    const offered = new Set(offers.map(({ source }) => source));
    for (const state of states) {
      const { refused } = state;
      if (refused === undefined || refused.isSound || !offered.has(state.source)) continue;
      state.refused = withFurtherProblems(refused, states, state);
    }
    return new Map(offers.map(({ source }) => [source, resultOf(sources.get(source)?.refused)]));
  }

  function take(source: string, version: SourceVersion): void {
    const state: SourceState = sources.get(source) ?? { source, order: 0, active: undefined, refused: undefined };
    state.order = version.order;
    state.refused = readVersion(source, version.files);
    sources.set(source, state);
  }

  function resultOf(refused: Refused | undefined): OfferResult {
    const hash = current?.snapshot?.hash;
    return { applied: refused === undefined, hash, problems: refused?.problems ?? current?.problems ?? [] };
  }

  return {
    current: () => current?.snapshot,
    offer: (source, version) => {
      offerAll([{ source, version }]);
      return resultOf(sources.get(source)?.refused);
    },
    offerAll,
    rejected: () =>
      [...sources.values()]
        .toSorted(byOrder)
        .flatMap(({ source, refused }) => (refused === undefined ? [] : [{ source, problems: refused.problems }])),
  };
}

/** A version as what is not active yet; whether it fits the others is not known. */
function readVersion(source: string, files: readonly PolicyFile[]): Refused {
  const parsed = files.map(parseDocuments);
  const documents = parsed.flatMap((file) => file.documents);
  const problems = parsed.flatMap((file) => file.problems);
  if (documents.length > 0 || problems.length > 0) return { documents, isSound: problems.length === 0, problems };
  const place = { file: source, line: 1, column: 1 };
  const message = 'the source holds no document';
  return { documents, isSound: false, problems: [{ severity: 'error', ...place, code: 'no_document', message }] };
}

/** What is well-formed in a version that is bad in itself is checked beside the others, so that the operator sees all at once. */
function withFurtherProblems(refused: Refused, states: readonly SourceState[], state: SourceState): Refused {
  const others = states.filter((other) => other !== state);
  const beside = others.flatMap(({ active, refused: waiting }) => active ?? waiting?.documents ?? []);
  const files = new Set(refused.documents.map(({ file }) => file));
  const further = compile([...beside, ...refused.documents]).problems.filter(({ file }) => files.has(file));
  return { ...refused, problems: [...refused.problems, ...further].toSorted(byPlace) };
}

/**
 * Makes as many refused versions active as go together. All at once first: two that only make sense together, such as an issuer and
 * the rules that name it, must not wait for each other. Else one after the other, until none of those left fits.
 */
function settle(states: readonly SourceState[]): Compiled | undefined {
  let compiled: Compiled | undefined;
  for (;;) {
    const waiting = states.filter(({ refused }) => refused?.isSound === true);
    if (waiting.length === 0) return compiled;
    const together = waiting.length > 1 ? accept(states, waiting) : undefined;
    const accepted = together ?? acceptFirst(states, waiting);
    if (accepted === undefined) return compiled;
    compiled = accepted;
  }
}

/** The first of those waiting that fits what is active; the others get to know why they do not. */
function acceptFirst(states: readonly SourceState[], waiting: readonly SourceState[]): Compiled | undefined {
  for (const state of waiting) {
    const accepted = accept(states, [state]);
    if (accepted !== undefined) return accepted;
  }
  return undefined;
}

/** Tries refused versions in place of the active ones; on success they are active, else the report of a single one is kept. */
function accept(states: readonly SourceState[], chosen: readonly SourceState[]): Compiled | undefined {
  const others = states.filter((state) => !chosen.includes(state)).flatMap(({ active }) => active ?? []);
  // Last, so that a clash is reported at the version that is refused for it.
  const compiled = compile([...others, ...chosen.flatMap(({ refused }) => refused?.documents ?? [])]);
  const isGood = compiled.snapshot !== undefined;
  for (const state of chosen) {
    const { refused } = state;
    if (refused === undefined) continue;
    if (isGood) state.active = refused.documents;
    if (isGood) state.refused = undefined;
    else if (chosen.length === 1) state.refused = { ...refused, problems: compiled.problems };
  }
  return isGood ? compiled : undefined;
}

function byOrder(a: SourceState, b: SourceState): number {
  const isNumeric = typeof a.order === 'number' && typeof b.order === 'number';
  const difference = isNumeric ? Number(a.order) - Number(b.order) : compareText(String(a.order), String(b.order));
  return difference || compareText(a.source, b.source);
}
