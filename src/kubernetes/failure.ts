/**
 * Promises: why a request to the API server brought nothing, in one line that an operator can act on. What the server says about itself
 * is part of it, cut and freed of control characters; nothing of our credentials is.
 */

export interface FailureFacts {
  /** HTTP status, or `error` where there was no answer. */
  readonly code: string;
  readonly reason: string;
  /** How long the server asks us to stay away. */
  readonly retryAfterMs?: number | undefined;
  /** Credentials and certificates should be read anew before the next attempt. */
  readonly doubtsCredentials?: boolean;
}

export class Failure {
  readonly code: string;
  readonly reason: string;
  readonly retryAfterMs: number;
  readonly doubtsCredentials: boolean;

  constructor({ code, reason, retryAfterMs = 0, doubtsCredentials = false }: FailureFacts) {
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.doubtsCredentials = doubtsCredentials;
  }
}

/** There was no answer, or it ended too soon. */
export function unanswered(reason: string): Failure {
  return new Failure({ code: 'error', reason });
}

/** What a socket, a TLS handshake or an HTTP parser reports. */
export function failureOf(error: unknown, server: string): Failure {
  const code = codeOf(error);
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER|EPROTO|_CRL/.test(code)) {
    return new Failure({
      code: 'error',
      reason: `certificate problem with ${server}: ${oneLine(messageOf(error))} (${code})`,
      doubtsCredentials: true,
    });
  }
  return unanswered(`${server}: ${explanations[code] ?? oneLine(messageOf(error))}`);
}

const explanations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed by the other side',
  EPIPE: 'connection closed by the other side',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to this host',
  ENETUNREACH: 'no route to this network',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve at the moment',
};

function codeOf(error: unknown): string {
  // All addresses of a name were tried: the first of the errors stands for them.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const maxReasonLength = 240;

/** Text of others as a part of one line of ours. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)}...` : line;
}
