/**
 * Promises: the state of one selection, delivered for as long as it is wanted. It is level-based: a list says how things are, a watch
 * that starts there says what changes, and whatever ends the watch, the next list says how things are again. So nothing that happened
 * while nobody listened can be missed, and no ending needs a treatment of its own.
 */
import type { ApiAnswer, ApiClient, ApiRequest } from './api-client.ts';
import { type Attempt, createBackoff } from './backoff.ts';
import type { ClusterObserver, WatchObserver } from './cluster-ports.ts';
import type { ConfigMapSelection } from './config-map.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { Failure, unanswered } from './failure.ts';
import { linesOf } from './lines.ts';
import type { ClusterPorts } from './ports.ts';
import { type ConfigMapList, readList } from './read-config-map.ts';
import { createSelectionFeed, type SelectionFeed } from './selection-feed.ts';
import { listRequest, nameOf, watchRequest } from './selection-request.ts';

export interface WatchOptions {
  readonly selection: ConfigMapSelection;
  /** A watch without a byte for so long is taken as dead. */
  readonly idleTimeoutMs: number;
  /** Ends all; its reason is `stopped`. */
  readonly signal: AbortSignal;
}

export interface WatchParts {
  readonly client: ApiClient;
  readonly ports: ClusterPorts;
  readonly observer: ClusterObserver;
}

/** The API server cuts a connection like this as well, so that many of them do not end together. */
const minLifeSeconds = 240;
const maxLifeSeconds = 480;
/** For a server that does not end a watch when it was asked to. */
const graceMs = 15_000;
/** A watch that lived for so long was a good one, and so was one that only its idle timeout ended before. */
const healthyMs = 10_000;
/** A ConfigMap holds 1 MiB; JSON may write a character in six. */
const maxObjectBytes = 8 * 1024 * 1024;
const maxListBytes = 64 * 1024 * 1024;

/** Ends when the signal aborts; never rejects. */
export async function runWatch(options: WatchOptions, told: WatchObserver, parts: WatchParts): Promise<void> {
  const { selection, signal } = options;
  const { ports, observer } = parts;
  const log = createLog(options, observer);
  const feed = createSelectionFeed(selection, whileWanted(told, signal), log.ignored);
  const backoff = createBackoff(ports.random);

  while (!signal.aborted) {
    const startedMs = ports.elapsedMs();
    const tookMs = (): number => ports.elapsedMs() - startedMs;
    const attempt = await listAndWatch().catch((fault: unknown): Attempt => {
      observer.fault(fault);
      return { wasHealthy: false, tookMs: tookMs(), retryAfterMs: 0 };
    });
    if (!signal.aborted) await ports.pause(backoff.after(attempt), signal);
  }

  async function listAndWatch(): Promise<Attempt> {
    const startedMs = ports.elapsedMs();
    const list = await ask(listRequest(selection), options, parts, (answer) => readWholeList(answer, selection));
    if (list instanceof Failure) {
      feed.unavailable(list.reason);
      log.failed('list', list);
      return { wasHealthy: false, tookMs: ports.elapsedMs() - startedMs, retryAfterMs: list.retryAfterMs };
    }
    feed.listed(list.configMaps);
    return watchFrom(list.resourceVersion);
  }

  async function watchFrom(resourceVersion: string): Promise<Attempt> {
    const startedMs = ports.elapsedMs();
    const lifeSeconds = Math.round(minLifeSeconds + ports.random() * (maxLifeSeconds - minLifeSeconds));
    let openedMs: number | undefined;
    const request = watchRequest(selection, resourceVersion, lifeSeconds);
    const end = await ask(request, options, parts, async (answer, deadline) => {
      openedMs = ports.elapsedMs();
      log.opened();
      told.connected(true);
      const cancel = ports.schedule(() => answer.body.destroy(), lifeSeconds * 1000 + graceMs);
      return follow(answer, deadline, feed, options.idleTimeoutMs).finally(cancel);
    }).finally(() => {
      if (openedMs !== undefined) told.connected(false);
    });
    const nowMs = ports.elapsedMs();
    if (openedMs === undefined) {
      log.failed('watch', end);
      return { wasHealthy: false, tookMs: nowMs - startedMs, retryAfterMs: end.retryAfterMs };
    }
    log.ended(end);
    return { wasHealthy: nowMs - openedMs >= Math.min(healthyMs, options.idleTimeoutMs), tookMs: 0, retryAfterMs: 0 };
  }
}

async function ask<T>(
  request: ApiRequest,
  { signal }: WatchOptions,
  { client, ports }: WatchParts,
  use: (answer: ApiAnswer, deadline: Deadline) => Promise<T | Failure>,
): Promise<T | Failure> {
  const deadline = createDeadline(ports, signal);
  try {
    const answer = await client.send(request, deadline);
    return answer instanceof Failure ? answer : await use(answer, deadline);
  } finally {
    deadline.dispose();
  }
}

async function readWholeList(answer: ApiAnswer, selection: ConfigMapSelection): Promise<ConfigMapList | Failure> {
  const text = await answer.text(selection.kind === 'one' ? maxObjectBytes : maxListBytes);
  if (text instanceof Failure) return text;
  return readList(text, selection) ?? unanswered('the answer is not a list of ConfigMaps');
}

/** To the end of the watch, which it always has; says what it was. */
async function follow(
  answer: ApiAnswer,
  deadline: Deadline,
  feed: SelectionFeed,
  idleTimeoutMs: number,
): Promise<Failure> {
  const stayAwake = (): void =>
    deadline.extend(idleTimeoutMs, `nothing was heard from the API server for ${idleTimeoutMs / 1000} s`);
  stayAwake();
  const chunks = linesOf(answer.body, maxObjectBytes);
  try {
    for (;;) {
      const chunk = await chunks.next().catch((error: unknown) => answer.failureOf(error));
      if (chunk instanceof Failure) return chunk;
      if (chunk.done === true) return unanswered('the API server ended the watch');
      stayAwake();
      const end = feed.heard(chunk.value);
      if (end !== undefined) return end;
    }
  } finally {
    answer.body.destroy();
  }
}

/** After `close()` nothing is told any more. */
function whileWanted(told: WatchObserver, signal: AbortSignal): WatchObserver {
  return {
    deliver: (state) => {
      if (!signal.aborted) told.deliver(state);
    },
    connected: (isConnected) => told.connected(isConnected),
    heard: () => told.heard(),
  };
}

interface WatchLog {
  opened(): void;
  failed(verb: 'list' | 'watch', failure: Failure): void;
  ended(end: Failure): void;
  readonly ignored: (what: string) => void;
}

/** Loud once for each new reason, and when it is over; what repeats itself is for those who look closer. */
function createLog({ selection, signal }: WatchOptions, observer: ClusterObserver): WatchLog {
  const source = nameOf(selection);
  let complaint: string | undefined;
  return {
    opened: () => {
      observer.logged(complaint === undefined ? 'debug' : 'info', 'watch is open', { source });
      complaint = undefined;
    },
    failed: (verb, { code, reason }) => {
      if (signal.aborted) return;
      observer.logged(reason === complaint ? 'debug' : 'warn', `${verb} failed`, { source, code, reason });
      complaint = reason;
    },
    ended: ({ code, reason }) => {
      if (!signal.aborted) observer.logged('debug', 'watch ended', { source, code, reason });
    },
    ignored: (what) => observer.logged('debug', 'event ignored', { source, what }),
  };
}
