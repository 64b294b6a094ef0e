/**
 * Promises: the policy that is active, made of the newest good version of every source (interface section 9). A version stands or
 * falls as a whole; one that is bad, alone or together with the others, leaves everything as it was. Offers are worked out aside, one
 * call after the other, and take effect in one turn.
 * Leaves to others: reading sources (source/), running the policy's tests (rehearsal/), telling anyone (sidecar/).
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

/** What is wrong with a policy that compiles, such as a test of its own that fails. Rejects only for a fault of ours. */
export type SnapshotCheck = (snapshot: PolicySnapshot) => Promise<readonly Problem[]>;

export interface Settlement {
  /** By source. */
  readonly results: ReadonlyMap<string, OfferResult>;
  /** The snapshot that is current from now on; undefined: the old one goes on. */
  readonly swapped: PolicySnapshot | undefined;
}

export interface PolicyStore {
  /** The active policy; undefined before the first good one. */
  current(): PolicySnapshot | undefined;
  offer(source: string, version: SourceVersion): Promise<OfferResult>;
  /**
   * Several sources at once, as at start: added in their order, so that which of two that clash is left out is no accident. Offers
   * are settled in the order of the calls. `settled` is called in the very turn in which they take effect.
   */
  offerAll(
    offers: readonly Offer[],
    settled?: (settlement: Settlement) => void,
  ): Promise<ReadonlyMap<string, OfferResult>>;
  /** Sources whose newest settled version is not active, in order. */
  rejected(): readonly RejectedVersion[];
}

interface SourceState {
  readonly source: string;
  readonly order: string | number;
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

export function createPolicyStore(check: SnapshotCheck = async () => []): PolicyStore {
  let sources: ReadonlyMap<string, SourceState> = new Map();
  let current: Compiled | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function settleOffers(
    offers: readonly Offer[],
    settled?: (settlement: Settlement) => void,
  ): Promise<ReadonlyMap<string, OfferResult>> {
    const next = new Map([...sources].map(([source, state]) => [source, { ...state }]));
    for (const { source, version } of offers) take(next, source, version);
    const states = [...next.values()].toSorted(byOrder);
    const compiled = await settle(states, { check, previous: current?.snapshot });
    const offered = new Set(offers.map(({ source }) => source));
    for (const state of states) {
      const { refused } = state;
      if (refused === undefined || refused.isSound || !offered.has(state.source)) continue;
      state.refused = withFurtherProblems(refused, states, state);
    }
    // INVARIANT: nothing was changed so far, and from here to `settled` nothing is waited for.
    sources = next;
    current = compiled ?? current;
    const results = new Map(offers.map(({ source }) => [source, resultOf(next.get(source)?.refused)]));
    settled?.({ results, swapped: compiled?.snapshot });
    return results;
  }

  function resultOf(refused: Refused | undefined): OfferResult {
    const hash = current?.snapshot?.hash;
    return { applied: refused === undefined, hash, problems: refused?.problems ?? current?.problems ?? [] };
  }

  function offerAll(
    offers: readonly Offer[],
    settled?: (settlement: Settlement) => void,
  ): Promise<ReadonlyMap<string, OfferResult>> {
    const results = turn.then(() => settleOffers(offers, settled));
    turn = results.catch(() => undefined);
    return results;
  }

  return {
    current: () => current?.snapshot,
    offer: async (source, version) => {
      const results = await offerAll([{ source, version }]);
      return results.get(source) ?? resultOf(undefined);
    },
    offerAll,
    rejected: () =>
      [...sources.values()]
        .toSorted(byOrder)
        .flatMap(({ source, refused }) => (refused === undefined ? [] : [{ source, problems: refused.problems }])),
  };
}

function take(sources: Map<string, SourceState>, source: string, version: SourceVersion): void {
  const active = sources.get(source)?.active;
  const refused = readVersion(source, version.files);
  sources.set(source, { source, order: version.order, active, refused });
}

/** What a policy is tried with before it is active. */
interface Trial {
  readonly check: SnapshotCheck;
  /** The policy that is active until then. */
  readonly previous: PolicySnapshot | undefined;
}

/** Why a version is refused; warnings would only stand in the way of that. */
function errorsOf(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ severity }) => severity === 'error');
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
  const further = errorsOf(compileSafely([...beside, ...refused.documents], undefined).problems).filter(({ file }) =>
    files.has(file),
  );
  return { ...refused, problems: [...refused.problems, ...further].toSorted(byPlace) };
}

/**
 * Makes as many refused versions active as go together. All at once first: two that only make sense together, such as an issuer and
 * the rules that name it, must not wait for each other. Else one after the other, until none of those left fits.
 */
async function settle(states: readonly SourceState[], trial: Trial): Promise<Compiled | undefined> {
  let compiled: Compiled | undefined;
  for (;;) {
    const waiting = states.filter(({ refused }) => refused?.isSound === true);
    if (waiting.length === 0) return compiled;
    const together = waiting.length > 1 ? await accept(states, waiting, trial) : undefined;
    const accepted = together ?? (await acceptFirst(states, waiting, trial));
    if (accepted === undefined) return compiled;
    compiled = accepted;
  }
}

/** The first of those waiting that fits what is active; the others get to know why they do not. */
async function acceptFirst(
  states: readonly SourceState[],
  waiting: readonly SourceState[],
  trial: Trial,
): Promise<Compiled | undefined> {
  for (const state of waiting) {
    const accepted = await accept(states, [state], trial);
    if (accepted !== undefined) return accepted;
  }
  return undefined;
}

/** Tries refused versions in place of the active ones; on success they are active, else the report of a single one is kept. */
async function accept(
  states: readonly SourceState[],
  chosen: readonly SourceState[],
  { check, previous }: Trial,
): Promise<Compiled | undefined> {
  const others = states.filter((state) => !chosen.includes(state)).flatMap(({ active }) => active ?? []);
  // Last, so that a clash is reported at the version that is refused for it.
  const documents = [...others, ...chosen.flatMap(({ refused }) => refused?.documents ?? [])];
  const compiled = await checked(compileSafely(documents, previous), check);
  const isGood = compiled.snapshot !== undefined;
  for (const state of chosen) {
    const { refused } = state;
    if (refused === undefined) continue;
    if (isGood) state.active = refused.documents;
    if (isGood) state.refused = undefined;
    else if (chosen.length === 1) state.refused = { ...refused, problems: errorsOf(compiled.problems) };
  }
  return isGood ? compiled : undefined;
}

/** A fault in compiling is a problem of the versions that are tried: it must not keep the good ones from being active. */
function compileSafely(documents: readonly PolicyDocument[], previous: PolicySnapshot | undefined): Compiled {
  try {
    return compile(documents, previous);
  } catch (fault) {
    const message = `the policy cannot be compiled, a fault of Scopegate (${fault instanceof Error ? fault.name : 'unknown'})`;
    const file = documents.at(-1)?.file ?? '';
    return {
      snapshot: undefined,
      problems: [{ severity: 'error', file, line: 1, column: 1, code: 'internal_error', message }],
    };
  }
}

async function checked(compiled: Compiled, check: SnapshotCheck): Promise<Compiled> {
  if (compiled.snapshot === undefined) return compiled;
  const errors = errorsOf(await check(compiled.snapshot));
  return errors.length === 0 ? compiled : { snapshot: undefined, problems: errors.toSorted(byPlace) };
}

function byOrder(a: SourceState, b: SourceState): number {
  const isNumeric = typeof a.order === 'number' && typeof b.order === 'number';
  const difference = isNumeric ? a.order - b.order : compareText(String(a.order), String(b.order));
  return difference || compareText(a.source, b.source);
}
