/**
 * Promises: the policy that is active, made of the newest good version of every source (interface section 9). A version stands or
 * falls as a whole; one that is bad, alone or together with the others, leaves everything as it was. Offers are worked out aside, one
 * call after the other, and take effect in one turn.
 * Leaves to others: reading sources (source/), running the policy's tests (rehearsal/), telling anyone (sidecar/).
 */
import type { Compiled } from './compile.ts';
import type { ParsedFile, PolicyFile } from './document.ts';
import { byPlace, type Problem } from './problem.ts';
import { byOrder, compileSafely, errorsOf, type Refused, type SourceState, settle } from './settle.ts';
import { inSlices, type Pause } from './slices.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** All that a source holds at one moment. */
export interface SourceVersion {
  readonly files: readonly PolicyFile[];
  /** Where the source stands among the others when they are added at start: path, or time of creation. */
  readonly order: string | number;
}

export interface Offer {
  /** Names the source; a later offer of that name is a newer version of it. */
  readonly source: string;
  /** Undefined: the source is gone. Its rules go with it, unless what remains would be bad. */
  readonly version: SourceVersion | undefined;
}

export interface OfferResult {
  /** The version is part of the active policy; of a source that is gone, nothing is. */
  readonly applied: boolean;
  /** Hash of the active policy; undefined before the first. */
  readonly hash: string | undefined;
  /** Errors when the version was refused, warnings of the whole policy when it was applied. */
  readonly problems: readonly Problem[];
}

export interface RejectedVersion {
  readonly source: string;
  readonly problems: readonly Problem[];
  /** An older version of the source is part of the active policy. */
  readonly hasActive: boolean;
  /** The source is gone, and the rest without it would be bad. */
  readonly isLeaving: boolean;
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
  /** What an offer of these files would come to, without making it: errors, or the warnings of the whole policy. */
  review(source: string, files: readonly PolicyFile[]): Promise<readonly Problem[]>;
  /** Sources whose newest settled version is not active, in order. */
  rejected(): readonly RejectedVersion[];
  /** How many sources have a version in the active policy. */
  activeSources(): number;
}

type Sources = ReadonlyMap<string, SourceState>;

interface WorkedOut {
  readonly sources: Sources;
  /** Undefined: nothing has become active. */
  readonly compiled: Compiled | undefined;
}

/** `pause` is waited for again and again while a policy is read and worked out: others want their turn. */
export function createPolicyStore(check: SnapshotCheck = async () => [], pause: Pause = async () => {}): PolicyStore {
  let sources: Sources = new Map();
  let current: Compiled | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** Changes nothing. */
  async function workOut(offers: readonly Offer[]): Promise<WorkedOut> {
    const next = new Map([...sources].map(([source, state]) => [source, { ...state }]));
    for (const { source, version } of offers) await take(next, { source, version }, pause);
    const states = [...next.values()].toSorted(byOrder);
    const compiled = await settle(states, { check, previous: current?.snapshot, pause });
    const offered = new Set(offers.map(({ source }) => source));
    for (const state of states) {
      const { refused } = state;
      if (refused === undefined || refused.isSound || !offered.has(state.source)) continue;
      await pause();
      state.refused = await withFurtherProblems(refused, states, state, pause);
    }
    for (const { source, isLeaving, refused } of states) if (isLeaving && refused === undefined) next.delete(source);
    return { sources: next, compiled };
  }

  async function settleOffers(
    offers: readonly Offer[],
    settled?: (settlement: Settlement) => void,
  ): Promise<ReadonlyMap<string, OfferResult>> {
    const { sources: next, compiled } = await workOut(offers);
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

  /** After what was offered before, and not in the way of what is offered meanwhile. */
  async function review(source: string, files: readonly PolicyFile[]): Promise<readonly Problem[]> {
    await turn;
    const order = sources.get(source)?.order ?? Number.POSITIVE_INFINITY;
    const { sources: next, compiled } = await workOut([{ source, version: { files, order } }]);
    return next.get(source)?.refused?.problems ?? compiled?.problems ?? [];
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
    review,
    rejected: () => [...sources.values()].toSorted(byOrder).flatMap(toRejected),
    activeSources: () => [...sources.values()].filter(({ active }) => active !== undefined).length,
  };
}

function toRejected({ source, active, refused, isLeaving }: SourceState): readonly RejectedVersion[] {
  const hasActive = active !== undefined;
  return refused === undefined ? [] : [{ source, problems: refused.problems, hasActive, isLeaving }];
}

async function take(sources: Map<string, SourceState>, { source, version }: Offer, pause: Pause): Promise<void> {
  const known = sources.get(source);
  if (version !== undefined) {
    const refused = await readVersion(source, version.files, pause);
    sources.set(source, { source, order: version.order, active: known?.active, refused, isLeaving: false });
  } else if (known?.active === undefined) {
    sources.delete(source);
  } else {
    sources.set(source, { ...known, refused: { documents: [], isSound: true, problems: [] }, isLeaving: true });
  }
}

/** A version as what is not active yet; whether it fits the others is not known. */
async function readVersion(source: string, files: readonly PolicyFile[], pause: Pause): Promise<Refused> {
  // YAML and the schema are a third of a start, and nobody who listens has to wait for them.
  const { parsing } = await import('./document.ts');
  const parsed: ParsedFile[] = [];
  for (const file of files) parsed.push(await inSlices(parsing(file), pause));
  const documents = parsed.flatMap((file) => file.documents);
  const problems = parsed.flatMap((file) => file.problems);
  if (documents.length > 0 || problems.length > 0) return { documents, isSound: problems.length === 0, problems };
  const place = { file: source, line: 1, column: 1 };
  const message = 'the source holds no document, expected files named `*.yaml`, `*.yml` or `*.json`';
  return { documents, isSound: false, problems: [{ severity: 'error', ...place, code: 'no_document', message }] };
}

/** What is well-formed in a version that is bad in itself is checked beside the others, so that the operator sees all at once. */
async function withFurtherProblems(
  refused: Refused,
  states: readonly SourceState[],
  state: SourceState,
  pause: Pause,
): Promise<Refused> {
  const others = states.filter((other) => other !== state);
  const beside = others.flatMap(({ active, refused: waiting }) => active ?? waiting?.documents ?? []);
  const files = new Set(refused.documents.map(({ file }) => file));
  const { problems } = await compileSafely([...beside, ...refused.documents], undefined, pause);
  const further = errorsOf(problems).filter(({ file }) => files.has(file));
  return { ...refused, problems: [...refused.problems, ...further].toSorted(byPlace) };
}
