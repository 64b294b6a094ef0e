/**
 * Promises: what a door answered, held against what a case wants and against what every answer of Scopegate has to be (interface
 * sections 6 and 7). The tables here are written from the contract, not read from the code.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Check } from './case-file.ts';
import { type ClientRequest, withToken } from './request-maker.ts';

/** Lower-case names, values in the order of their coming. */
type Headers = ReadonlyMap<string, readonly string[]>;

/** What can be seen through a door; what is absent cannot be seen there. */
export interface Answer {
  readonly decision: 'allow' | 'deny' | 'answer';
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  /** Null: no rule. */
  readonly rule?: string | null | undefined;
  readonly challenges?: readonly string[];
  readonly body?: string;
  /** For the client. */
  readonly headers?: Headers;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** At the upstream. */
  readonly upstream?: Headers;
}

/** Everything in which an answer differs from what is wanted, as lines; empty when all is well. */
export function differences(check: Check, request: ClientRequest, answer: Answer): string[] {
  const { expect } = check;
  return [
    ...differs('decision', answer.decision, [expect.decision]),
    ...differs('status', answer.status, expect.decision === 'allow' ? [answer.status] : expect.status),
    ...differs('reason', answer.reason, expect.reason),
    ...(expect.rule === undefined ? [] : differs('rule', answer.rule, [expect.rule])),
    ...(answer.decision === 'deny' ? denyDifferences(check, request, answer) : []),
    ...(answer.body === undefined ? [] : bodyDifferences(check.body ?? {}, answer.body)),
    ...upstreamDifferences(check, request, answer),
    ...metadataDifferences(check, answer),
  ];
}

type Plain = string | number | null | undefined;

function differs(what: string, seen: Plain, wanted: readonly Plain[]): string[] {
  return seen === undefined || wanted.includes(seen) ? [] : [`${what}: ${String(seen)}, not ${wanted.join(' or ')}`];
}

const invalidToken = new Set([
  'token_malformed',
  'token_inactive',
  'token_too_large',
  'issuer_untrusted',
  'algorithm_not_allowed',
  'key_unknown',
  'signature_invalid',
  'token_expired',
  'token_not_yet_valid',
  'token_lifetime_exceeded',
  'audience_mismatch',
  'token_type_refused',
  'claim_invalid',
  'client_not_allowed',
  'token_revoked',
  'sender_constraint_failed',
]);

/** `error` of the body, and of the challenge where `isOAuth`. */
function errorOf(reason: string, status: number | undefined): { error: string; isOAuth: boolean } {
  if (invalidToken.has(reason)) return { error: 'invalid_token', isOAuth: true };
  if (['insufficient_scope', 'insufficient_user_authentication'].includes(reason))
    return { error: reason, isOAuth: true };
  if (reason === 'dpop_proof_invalid') return { error: 'invalid_dpop_proof', isOAuth: true };
  if (reason === 'dpop_nonce_required') return { error: 'use_dpop_nonce', isOAuth: true };
  if (reason === 'credentials_malformed') return { error: 'invalid_request', isOAuth: true };
  if (reason === 'request_malformed') return { error: 'invalid_request', isOAuth: false };
  if (status === 503) return { error: 'unavailable', isOAuth: false };
  return { error: status === 401 ? 'unauthorized' : 'forbidden', isOAuth: false };
}

/** What holds for every refusal. */
function denyDifferences(check: Check, request: ClientRequest, answer: Answer): string[] {
  const { headers, body, challenges } = answer;
  const reason = answer.reason ?? check.expect.reason[0]!;
  const error = errorOf(reason, answer.status ?? check.expect.status[0]);
  return [
    ...(headers === undefined ? [] : headerDifferences(headers, request, answer.status)),
    ...(challenges === undefined ? [] : challengeDifferences(check, challenges, error, answer.status)),
    ...(body === undefined ? [] : denyBodyDifferences(request, body, { error: error.error, reason })),
    ...echoes(request, answer),
  ];
}

function headerDifferences(headers: Headers, request: ClientRequest, status: number | undefined): string[] {
  const found = differs('cache-control', headers.get('cache-control')?.join() ?? 'none', ['no-store']);
  const isRetryTold = /^\d+$/.test(headers.get('retry-after')?.join() ?? '');
  if (isRetryTold !== (status === 503)) found.push(`${status} with retry-after ${headers.get('retry-after')?.join()}`);
  const type = headers.get('content-type')?.join();
  return isGrpc(request) ? found : [...found, ...differs('content-type', type, ['application/json'])];
}

export function isGrpc({ headers }: ClientRequest): boolean {
  return headers.some(
    ([name, value]) => name.toLowerCase() === 'content-type' && String(value).startsWith('application/grpc'),
  );
}

function denyBodyDifferences(
  request: ClientRequest,
  body: string,
  wanted: { readonly error: string; readonly reason: string },
): string[] {
  if (Buffer.byteLength(body) >= 512) return [`body of ${Buffer.byteLength(body)} bytes`];
  if (request.method === 'HEAD') return [];
  // It becomes the grpc-message.
  if (isGrpc(request)) return /[{}"]/.test(body) ? [`body for gRPC is no plain text: ${body}`] : [];
  const members = jsonObject(body);
  if (members === undefined) return [`body is no JSON object: ${body}`];
  const names = Object.keys(members).toSorted().join();
  return [
    ...differs('members of the body', names, ['error,error_description,reason']),
    ...memberDifferences('body', members, wanted),
  ];
}

function bodyDifferences(wanted: Readonly<Record<string, unknown>>, body: string): string[] {
  if (Object.keys(wanted).length === 0 || body === '') return [];
  const members = jsonObject(body);
  return members === undefined ? [`body is no JSON object: ${body}`] : memberDifferences('body', members, wanted);
}

function memberDifferences(
  what: string,
  members: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const seen = Object.hasOwn(members, name) ? members[name] : 'absent';
    return isDeepStrictEqual(seen, value)
      ? []
      : [`${what}.${name}: ${JSON.stringify(seen)}, not ${JSON.stringify(value)}`];
  });
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function challengeDifferences(
  check: Check,
  challenges: readonly string[],
  { error, isOAuth }: { error: string; isOAuth: boolean },
  status: number | undefined,
): string[] {
  const parsed = challenges.map(parseChallenge);
  const malformed = challenges.filter((_, index) => parsed[index] === undefined);
  if (malformed.length > 0) return malformed.map((challenge) => `challenge is ill-formed: ${challenge}`);
  const found: string[] = [];
  const isWanted = isOAuth || error === 'unauthorized';
  if (isWanted !== challenges.length > 0 && status !== undefined && !(status === 401 && error === 'invalid_request'))
    found.push(`${challenges.length} challenges with ${status} ${error}`);
  for (const one of parsed) {
    if (one?.parameters.get('realm') === undefined) found.push('challenge without realm');
    found.push(
      ...differs('error of the challenge', one?.parameters.get('error') ?? 'none', [isOAuth ? error : 'none']),
    );
  }
  if (check.challenge !== undefined) {
    const wanted = check.challenge.map((text) => comparable(text, []));
    const seen = challenges.map((text, index) =>
      comparable(text, check.challenge?.[index]?.includes('error_description') ? [] : ['error_description']),
    );
    if (!isDeepStrictEqual(seen, wanted)) found.push(`challenges: ${challenges.join(' | ')}`);
  }
  return found;
}

/** RFC 6750 section 3 and EA-31: parameters once each, all of them quoted strings of the allowed characters. */
function parseChallenge(text: string): { scheme: string; parameters: Map<string, string> } | undefined {
  const [, scheme, rest] = /^([A-Za-z]+) (.+)$/.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  const parameter = /([a-z_]+)="((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"(?:, |$)/y;
  const parameters = new Map<string, string>();
  while (parameter.lastIndex < rest.length) {
    const [, name, value] = parameter.exec(rest) ?? [];
    if (name === undefined || value === undefined || parameters.has(name)) return undefined;
    parameters.set(name, value);
  }
  return rest.endsWith(', ') ? undefined : { scheme, parameters };
}

/** The order of parameters says nothing. */
function comparable(text: string, without: readonly string[]): unknown {
  const parsed = parseChallenge(text);
  if (parsed === undefined) throw new Error(`the challenge of the case is ill-formed: ${text}`);
  const kept = [...parsed.parameters].filter(([name]) => !without.includes(name));
  return [parsed.scheme, new Map(kept)];
}

/** EA-30: nothing that the client sent comes back. */
function echoes(request: ClientRequest, { body, headers }: Answer): string[] {
  const said = [body ?? '', ...[...(headers ?? [])].map(([name, values]) => `${name}: ${values.join('\n')}`)].join(
    '\n',
  );
  const parts = [request.token, ...request.token.split('.'), ...request.path.split('/')].filter(
    (part) => part.length > 15,
  );
  const leaked = [...parts, 'leak.example.net', 'surely-not', 'set-cookie'].filter((part) => said.includes(part));
  return leaked.filter((part) => part !== 'oauth-protected-resource').map((part) => `the answer repeats ${part}`);
}

function upstreamDifferences({ upstream, expect }: Check, { token }: ClientRequest, answer: Answer): string[] {
  if (expect.decision !== 'allow') return answer.upstream === undefined ? [] : ['the upstream was called'];
  const seen = answer.upstream;
  if (seen === undefined) return answer.decision === 'allow' ? ['the upstream was not called'] : [];
  return Object.entries(upstream).flatMap(([name, values]) => {
    const wanted = values.join() === 'absent' ? undefined : values.map((value) => withToken(value, token));
    return isDeepStrictEqual(seen.get(name), wanted)
      ? []
      : [`upstream ${name}: ${JSON.stringify(seen.get(name))}, not ${JSON.stringify(wanted)}`];
  });
}

function metadataDifferences(check: Check, { metadata, reason }: Answer): string[] {
  if (metadata === undefined) return [];
  const policy = metadata['policy'];
  const found = memberDifferences('metadata', metadata, check.metadata);
  if (metadata['reason'] !== reason) found.push(`metadata.reason: ${String(metadata['reason'])}, not ${reason}`);
  const isHash = /^[0-9a-f]{16}$/.test(String(policy));
  if (reason === 'policy_unavailable' ? policy !== undefined : !isHash)
    found.push(`metadata.policy: ${String(policy)}`);
  const known = new Set(['rule', 'reason', 'issuer', 'subject', 'client_id', 'scopes', 'policy', 'shadow']);
  return [
    ...found,
    ...Object.keys(metadata)
      .filter((name) => !known.has(name))
      .map((name) => `metadata.${name} is unknown`),
  ];
}
