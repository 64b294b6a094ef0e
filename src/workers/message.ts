/**
 * Promises: what the primary process and its workers tell each other. Both are of one program, so a message has the form that its kind says.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { DenyReason } from '../decision/deny-reason.ts';
import type { SavedJwks } from '../keyset/saved-jwks.ts';
import type { SourceVersion } from '../policy/store.ts';
import type { MetricsSnapshot } from '../telemetry/joined-metrics.ts';
import type { KeyHint } from '../token/key.ts';
import type { Novelty, SeenProof } from '../token/proof-memory.ts';

/** The policy in force: the versions that were found good together, by source. */
export interface WorkerPolicy {
  readonly hash: string;
  readonly sources: readonly (readonly [source: string, version: SourceVersion])[];
}

export type WorkerKeys = readonly (readonly [source: string, keys: SavedJwks])[];

/** What has changed of it; all of it for a worker that starts. */
export interface WorkerState {
  /** Grows with each change. */
  readonly revision: number;
  readonly policy?: WorkerPolicy | undefined;
  readonly keys?: WorkerKeys | undefined;
}

export interface WorkerInit {
  readonly settings: ServeSettings;
  /** From 1. */
  readonly worker: number;
  /** Base64. */
  readonly nonceKey: string;
  readonly subjectKey: string;
  readonly state: WorkerState;
  readonly isServing: boolean;
}

export type ToWorker =
  | ({ readonly kind: 'init' } & WorkerInit)
  | ({ readonly kind: 'state' } & WorkerState)
  | { readonly kind: 'serving' }
  /** Comes with a socket. */
  | { readonly kind: 'connection' }
  | { readonly kind: 'answers'; readonly answers: readonly Numbered<Answer>[] }
  | { readonly kind: 'metrics' }
  /** Asks whether it still hears. */
  | { readonly kind: 'ping' }
  /** Says not serving, and tells of its traffic from now on. */
  | { readonly kind: 'draining' }
  /** Answers what is under way, for at most so long, and ends. */
  | { readonly kind: 'finish'; readonly maxMs: number }
  /** Ends at once. */
  | { readonly kind: 'stop' };

export type ToPrimary =
  /** It takes connections from now on. */
  | { readonly kind: 'up' }
  /** It cannot start. */
  | { readonly kind: 'failed'; readonly message: string }
  /** It answers by this state. */
  | { readonly kind: 'applied'; readonly revision: number }
  /** A connection has ended. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'questions'; readonly questions: readonly Numbered<Question>[] }
  | { readonly kind: 'metrics'; readonly snapshot: MetricsSnapshot }
  | { readonly kind: 'traffic'; readonly quietMs: number };

export interface Numbered<T> {
  readonly id: number;
  readonly about: T;
}

export type Question =
  | { readonly kind: 'key'; readonly issuer: string; readonly hint: KeyHint; readonly waitMs: number }
  | { readonly kind: 'proof'; readonly proof: SeenProof; readonly nowMs: number }
  | { readonly kind: 'token'; readonly client: string; readonly identity: string; readonly waitMs: number };

/** A `Stop`, as it is sent. */
export interface SentStop {
  readonly reason: DenyReason;
  readonly detail: string | undefined;
}

export type Answer =
  | { readonly kind: 'key'; readonly stop: SentStop | undefined; readonly isAtOnce: boolean }
  | { readonly kind: 'proof'; readonly novelty: Novelty }
  | { readonly kind: 'token'; readonly token: string; readonly leftMs: number }
  | { readonly kind: 'no_token'; readonly stop: SentStop };

/** False for what Node or a library sends over the same channel. */
export function isToWorker(message: unknown): message is ToWorker {
  return hasKind(message, toWorkerKinds);
}

export function isToPrimary(message: unknown): message is ToPrimary {
  return hasKind(message, toPrimaryKinds);
}

const toWorkerKinds: ReadonlySet<unknown> = new Set<ToWorker['kind']>([
  'init',
  'state',
  'serving',
  'connection',
  'answers',
  'metrics',
  'ping',
  'draining',
  'finish',
  'stop',
]);

const toPrimaryKinds: ReadonlySet<unknown> = new Set<ToPrimary['kind']>([
  'up',
  'failed',
  'applied',
  'closed',
  'pong',
  'questions',
  'metrics',
  'traffic',
]);

function hasKind(message: unknown, kinds: ReadonlySet<unknown>): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && kinds.has(message.kind);
}
