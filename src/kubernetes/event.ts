/**
 * Promises: what is told about a ConfigMap, as an `events.k8s.io/v1` Event that an API server takes: names, lengths and times in its form.
 */
import type { PolicyEvent } from './cluster-ports.ts';

export interface EventContext {
  /** Name of the pod. */
  readonly instance: string;
  readonly nowMs: number;
  /** Makes the name of the Event differ from all others of this ConfigMap. */
  readonly suffix: string;
}

const rows = {
  PolicyApplied: { type: 'Normal', action: 'Apply' },
  PolicyRejected: { type: 'Warning', action: 'Reject' },
  PolicyDeleted: { type: 'Warning', action: 'KeepLast' },
} as const satisfies Record<PolicyEvent['reason'], { readonly type: string; readonly action: string }>;

const maxNoteBytes = 1024;
const maxInstanceLength = 128;
/** A name has 253 characters at most. */
const maxNameLength = 220;

export function eventBody({ configMap, reason, note }: PolicyEvent, context: EventContext): string {
  const { namespace, name, uid, resourceVersion } = configMap;
  return JSON.stringify({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace, name: `${name.slice(0, maxNameLength).replace(/[.-]+$/, '')}.${context.suffix}` },
    // Microseconds, of which we know the thousands.
    eventTime: new Date(context.nowMs).toISOString().replace('Z', '000Z'),
    reportingController: 'scopegate.dev/scopegate',
    reportingInstance: context.instance.slice(0, maxInstanceLength),
    ...rows[reason],
    reason,
    note: cutNote(note),
    regarding: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name, uid, resourceVersion },
  });
}

const mark = '...';

/** At most 1024 bytes, and no character in halves. */
export function cutNote(note: string): string {
  const bytes = Buffer.from(note, 'utf8');
  if (bytes.length <= maxNoteBytes) return bytes.toString('utf8');
  let end = maxNoteBytes - mark.length;
  // Bytes 10xxxxxx continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + mark;
}
