/**
 * Promises: Events where an operator looks for them, and never a burden: few, one at a time, of several about one ConfigMap that have to
 * wait the newest, and none for a while where they are not allowed. What cannot be written is lost.
 */
import { type ApiClient, type ApiRequest, stopped } from './api-client.ts';
import type { ClusterObserver, PolicyEvent } from './cluster-ports.ts';
import { createDeadline } from './deadline.ts';
import { eventBody } from './event.ts';
import { Failure } from './failure.ts';
import type { ClusterPorts } from './ports.ts';
import { createTokenBucket } from './token-bucket.ts';

export interface EventWriter {
  record(event: PolicyEvent): void;
  close(): void;
}

export interface EventParts {
  readonly client: ApiClient;
  readonly ports: ClusterPorts;
  readonly observer: ClusterObserver;
  /** Name of the pod. */
  readonly instance: string;
}

const rate = { burst: 10, periodMs: 10_000 };
/** For a namespace in which a Role does not allow it. */
const forbiddenMs = 10 * 60_000;
/** What was said last about a ConfigMap is not said again within this time. */
const repeatMs = 60 * 60_000;

export function createEventWriter(parts: EventParts): EventWriter {
  const { ports, observer } = parts;
  const ending = new AbortController();
  const bucket = createTokenBucket(rate, ports.elapsedMs);
  /** By ConfigMap. */
  const waiting = new Map<string, PolicyEvent>();
  const said = new Map<string, { readonly text: string; readonly atMs: number }>();
  /** By namespace: until when. */
  const forbidden = new Map<string, number>();
  let isWriting = false;

  function record(event: PolicyEvent): void {
    if (ending.signal.aborted || isForbidden(event.configMap.namespace) || isRepeated(event)) return;
    const key = keyOf(event);
    waiting.delete(key);
    waiting.set(key, event);
    if (isWriting) return;
    isWriting = true;
    writeAll()
      .catch((fault: unknown) => observer.fault(fault))
      .finally(() => {
        isWriting = false;
      });
  }

  function isForbidden(namespace: string): boolean {
    const untilMs = forbidden.get(namespace);
    return untilMs !== undefined && ports.elapsedMs() < untilMs;
  }

  function isRepeated(event: PolicyEvent): boolean {
    const text = `${event.configMap.uid} ${event.reason} ${event.note}`;
    const atMs = ports.elapsedMs();
    const before = said.get(keyOf(event));
    if (before?.text === text && atMs - before.atMs < repeatMs) return true;
    said.set(keyOf(event), { text, atMs });
    return false;
  }

  async function writeAll(): Promise<void> {
    while (waiting.size > 0 && !ending.signal.aborted) {
      if (!bucket.take()) {
        await ports.pause(rate.periodMs, ending.signal);
        continue;
      }
      const [oldest] = waiting;
      if (oldest === undefined) return;
      waiting.delete(oldest[0]);
      const failure = await write(oldest[1], parts, ending.signal);
      if (failure !== undefined && !ending.signal.aborted) lost(oldest[1], failure);
    }
  }

  function lost({ configMap: { namespace, name }, reason: event }: PolicyEvent, { code, reason }: Failure): void {
    const isRefused = code === '403';
    const message = isRefused ? 'events are not allowed, none is tried here for 10 minutes' : 'event not written';
    observer.logged(isRefused ? 'info' : 'debug', message, { namespace, configMap: name, event, code, reason });
    if (!isRefused) return;
    forbidden.set(namespace, ports.elapsedMs() + forbiddenMs);
    for (const [key, { configMap }] of waiting) if (configMap.namespace === namespace) waiting.delete(key);
  }

  return { record, close: () => ending.abort(stopped) };
}

function keyOf({ configMap: { namespace, name } }: PolicyEvent): string {
  return `${namespace}/${name}`;
}

async function write(
  event: PolicyEvent,
  { client, ports, instance }: EventParts,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { namespace } = event.configMap;
  const nowMs = ports.nowMs();
  const suffix = nowMs.toString(16) + Math.floor(ports.random() * 2 ** 32).toString(16);
  const request: ApiRequest = {
    verb: 'create',
    path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    needs: `create on events of the group events.k8s.io in namespace "${namespace}"`,
    body: eventBody(event, { instance, nowMs, suffix }),
  };
  const deadline = createDeadline(ports, signal);
  try {
    const answer = await client.send(request, deadline);
    if (answer instanceof Failure) return answer;
    answer.body.destroy();
    return undefined;
  } finally {
    deadline.dispose();
  }
}
