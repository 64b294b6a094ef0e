/**
 * Promises: a line of a log as a recorded decision (interface section 8), as another line, or as one that cannot be read; never a throw.
 * Of a line that is read, every field has its type, so that nothing later has to doubt it.
 */

/** What a decision was about, as far as the log tells. Absent fields are undefined. */
export interface RecordedDecision {
  readonly decision: 'allow' | 'deny';
  readonly reason: string;
  readonly status: number | undefined;
  readonly rule: string | undefined;
  readonly detail: string | undefined;
  /** Hash of the policy that decided. */
  readonly policy: string | undefined;
  /** Name of the issuer; only of verified tokens, and then always. */
  readonly issuer: string | undefined;
  /** Hashed, or as it is; which of the two cannot be told. */
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly jti: string | undefined;
  /** Cut at 64 characters. */
  readonly kid: string | undefined;
  readonly method: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly requestId: string | undefined;
  /** In seconds since the epoch. */
  readonly time: number | undefined;
  readonly shadow: readonly RecordedShadow[];
}

export interface RecordedShadow {
  readonly rule: string;
  readonly decision: 'allow' | 'deny';
}

/** `other`: JSON, but no decision; `broken`: no JSON, or a decision with a field that has not its type. */
export type ReadLine = RecordedDecision | 'other' | 'broken';

export function readRecord(line: string): ReadLine {
  const parsed = parse(line);
  if (typeof parsed !== 'object' || parsed === null) return parsed === undefined ? 'broken' : 'other';
  const fields = new Map<string, unknown>(Object.entries(parsed));
  if (fields.get('msg') !== 'decision') return 'other';
  const decision = fields.get('decision');
  const reason = fields.get('reason');
  if ((decision !== 'allow' && decision !== 'deny') || typeof reason !== 'string' || !areTyped(fields)) return 'broken';
  return {
    decision,
    reason,
    status: numberOf(fields.get('status')),
    rule: textOf(fields.get('rule')),
    detail: textOf(fields.get('detail')),
    policy: textOf(fields.get('policy')),
    issuer: textOf(fields.get('issuer')),
    subject: textOf(fields.get('subject')),
    clientId: textOf(fields.get('clientId')),
    scopes: textsOf(fields.get('scopes')),
    jti: textOf(fields.get('jti')),
    kid: textOf(fields.get('kid')),
    method: textOf(fields.get('method')),
    host: textOf(fields.get('host')),
    path: textOf(fields.get('path')),
    requestId: textOf(fields.get('requestId')),
    time: timeOf(fields.get('time')),
    shadow: shadowOf(fields.get('shadow')),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const textFields = [
  'rule',
  'detail',
  'policy',
  'issuer',
  'subject',
  'clientId',
  'jti',
  'kid',
  'method',
  'host',
  'path',
];

function areTyped(fields: ReadonlyMap<string, unknown>): boolean {
  const scopes = fields.get('scopes');
  return (
    textFields.every((name) => isAbsentOrText(fields.get(name))) &&
    (scopes === undefined || textsOf(scopes) !== undefined)
  );
}

function isAbsentOrText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

/** ISO 8601, or the milliseconds that loggers write by default. */
function timeOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : value;
  return typeof ms === 'number' && Number.isFinite(ms) ? ms / 1000 : undefined;
}

function shadowOf(value: unknown): readonly RecordedShadow[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null || !('rule' in item) || !('decision' in item)) return [];
    const { rule, decision } = item;
    return typeof rule === 'string' && (decision === 'allow' || decision === 'deny') ? [{ rule, decision }] : [];
  });
}
