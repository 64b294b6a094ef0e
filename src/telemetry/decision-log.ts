/**
 * Promises: one line a decision with the fields of the public contract and no others: claims of verified tokens, canonical path and host,
 * never a token, a query string or another header than the two ids. Costs nothing when it is off, and never fills a disk.
 * Leaves to others: the format of a line (log.ts), and whether the decision was right.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { Allow, type Caller, type Decision, type Told } from '../decision/decision.ts';
import type { RequestAttributes, RequestHeaders } from '../decision/request.ts';
import { outcome } from './outcome.ts';

export interface DecisionLogOptions {
  readonly mode: 'off' | 'denied' | 'all';
  /** Share of allows that mode `all` logs, 0 to 1. */
  readonly sample: number;
  readonly linesPerSecond: number;
  /** Subjects are logged as they are instead of hashed. */
  readonly logSubjects: boolean;
  /** Of the hash; absent: one of this process alone. */
  readonly subjectKey?: Uint8Array | undefined;
}

export interface DecisionLogPorts {
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** 0 to 1, without 1. */
  readonly random: () => number;
  readonly write: (line: DecisionLine) => void;
  /** Told of each line that the rate limit kept back. */
  readonly dropped: () => void;
}

/** Absent fields are undefined and not written. */
export interface DecisionLine {
  readonly decision: 'allow' | 'deny';
  readonly reason: string;
  readonly status: number;
  readonly rule: string | undefined;
  readonly shadow: Told['shadow'] | undefined;
  readonly policy: string | undefined;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly missingScopes: readonly string[] | undefined;
  /** What exactly failed, from a fixed set of texts and names of the policy. */
  readonly detail: string | undefined;
  readonly jti: string | undefined;
  readonly kid: string | undefined;
  readonly method: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  readonly durationUs: number;
  readonly tokenCache: 'hit' | 'miss' | undefined;
}

/** `request` is undefined when the bytes were no request at all. */
export type DecisionLog = (request: RequestAttributes | undefined, decision: Decision, durationUs: number) => void;

export function createDecisionLog(options: DecisionLogOptions, ports: DecisionLogPorts): DecisionLog {
  if (options.mode === 'off') {
    return () => undefined;
  }
  const admit = rateLimit(options.linesPerSecond, ports.now);
  const nameSubject = options.logSubjects
    ? (told: Told) => told.caller?.subject
    : subjectHash(createSecretKey(options.subjectKey ?? randomBytes(32)));
  return (request, decision, durationUs) => {
    if (Allow.isAllow(decision) && (options.mode !== 'all' || ports.random() >= options.sample)) {
      return;
    }
    if (admit()) {
      ports.write(decisionLine(request, decision, durationUs, nameSubject(decision.told)));
    } else {
      ports.dropped();
    }
  };
}

function decisionLine(
  request: RequestAttributes | undefined,
  decision: Decision,
  durationUs: number,
  subject: string | undefined,
): DecisionLine {
  const { told } = decision;
  return {
    decision: outcome(decision),
    reason: decision.reason,
    status: 'status' in decision ? decision.status : 200,
    rule: told.rule,
    shadow: unlessEmpty(told.shadow),
    policy: told.policy,
    ...callerFields(told.caller, subject),
    missingScopes: 'missingScopes' in decision ? unlessEmpty(decision.missingScopes) : undefined,
    detail: 'detail' in decision ? decision.detail : undefined,
    ...requestFields(request),
    host: told.host,
    path: told.path,
    durationUs: Math.round(durationUs),
    tokenCache: told.tokenCache,
  };
}

type CallerField = 'issuer' | 'subject' | 'clientId' | 'scopes' | 'jti' | 'kid';
type RequestField = 'method' | 'requestId' | 'traceparent';

const noCaller: Pick<DecisionLine, CallerField> = {
  issuer: undefined,
  subject: undefined,
  clientId: undefined,
  scopes: undefined,
  jti: undefined,
  kid: undefined,
};
const noRequest: Pick<DecisionLine, RequestField> = { method: undefined, requestId: undefined, traceparent: undefined };

function callerFields(caller: Caller | undefined, subject: string | undefined): Pick<DecisionLine, CallerField> {
  if (caller === undefined) {
    return noCaller;
  }
  const { issuer, clientId, scopes, jti, kid } = caller;
  return { issuer, subject, clientId, scopes, jti, kid: kid?.slice(0, maxKidCharacters) };
}

function requestFields(request: RequestAttributes | undefined): Pick<DecisionLine, RequestField> {
  if (request === undefined) {
    return noRequest;
  }
  return {
    method: matching(request.method, methodPattern),
    requestId: matching(onlyValue(request.headers, 'x-request-id'), requestIdPattern),
    traceparent: matching(onlyValue(request.headers, 'traceparent'), traceparentPattern),
  };
}

const maxKidCharacters = 64;
/** A method is a token (RFC 9110 section 5.6.2). */
const methodPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}$/;
/** What request ids are made of, and too short for a signed token: a client may send anything under that name. */
const requestIdPattern = /^[A-Za-z0-9._~:/+=@-]{1,128}$/;
/** W3C Trace Context: version, trace id, parent id, flags; ids of zeros and version ff are invalid. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function matching(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}

/** Two values are two claims to be the id; neither is believed. */
function onlyValue(headers: RequestHeaders, name: string): string | undefined {
  const values = headers.values(name);
  return values.length === 1 ? values[0] : undefined;
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Lines of one subject can be joined within the life of the process and not beyond it; issuers cannot be joined with each other. */
function subjectHash(key: KeyObject): (told: Told) => string | undefined {
  // A remembered token has the same caller each time, and a digest costs as much as the rest of a line.
  const known = new WeakMap<Caller, string>();
  return ({ caller }) => {
    if (caller?.subject === undefined) return undefined;
    const hash = known.get(caller) ?? digest(`${caller.issuer}\0${caller.subject}`, key);
    known.set(caller, hash);
    return hash;
  };
}

function digest(text: string, key: KeyObject): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 16);
}

/** Fixed windows of one second, each begun by its first line. */
function rateLimit(perSecond: number, now: () => number): () => boolean {
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let used = 0;
  return () => {
    const atMs = now();
    if (atMs - windowStartMs >= 1000) {
      windowStartMs = atMs;
      used = 0;
    }
    used += 1;
    return used <= perSecond;
  };
}
