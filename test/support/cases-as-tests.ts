/**
 * Promises: case files as policies with tests in them, as an operator would write them, so far as a test of a policy can say what a case
 * says. What it cannot: a token that no issuer would make, a header sent twice or that is no text, another scheme, and what stands in
 * the answer beside decision, status, reason, rule and identity headers.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CaseFile, Check, TokenSpec } from './case-file.ts';

export interface CaseTests {
  /** Documents as JSON text. */
  readonly text: string;
  /** Path of the case file below test/cases/. */
  readonly file: string;
  /** Names of the checks that are among its tests. */
  readonly names: readonly string[];
}

type Members = Readonly<Record<string, unknown>>;

export function testsOf(file: CaseFile): CaseTests {
  // Without a policy there is no document for them.
  const tests = file.policy.length === 0 ? [] : file.checks.flatMap((check) => testOf(file, check));
  const documents = file.policy.map((document, index) => ({
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    ...document,
    ...(index === 0 ? { tests } : {}),
  }));
  const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  return { file: file.name, text, names: tests.map(({ name }) => name) };
}

interface Test extends Members {
  readonly name: string;
}

/** What a test without keys and signatures never comes to. */
const keyReasons = new Set([
  'key_unknown',
  'keys_unavailable',
  'signature_invalid',
  'algorithm_not_allowed',
  // Sender proofs are no part of a test either.
  'sender_constraint_failed',
  'dpop_proof_invalid',
  'dpop_nonce_required',
  'token_inactive',
  // A token of our own is taken to be there.
  'upstream_token_unavailable',
]);

/** Empty when the check does not fit. */
function testOf(file: CaseFile, check: Check): Test[] {
  const { doors, expect } = check;
  if (!doors.includes('function') || expect.reason.some((reason) => keyReasons.has(reason))) return [];
  // EA-32: a gRPC caller is told 401 instead of 400, which is no matter of the policy.
  if (
    expect.status.includes(401) &&
    expect.reason.some((reason) => reason.endsWith('_malformed') && reason !== 'token_malformed')
  )
    return [];
  const request = requestOf(check);
  const token = tokenOf(file, check);
  const headers = headersOf(check, token);
  if (request === undefined || token === undefined || headers === undefined) return [];
  const now = file.now;
  return [{ name: check.name, request, headers, now, token, expect: expectationOf(check, identityHeadersOf(file)) }];
}

const defaultHost = 'orders.example.com';

function requestOf(check: Check): string | undefined {
  const { method, path } = check.request;
  const host = check.host ?? ('host' in check.request ? check.request.host : undefined) ?? defaultHost;
  const fits = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method) && /^[^\s/?#]+$/.test(host) && /^\/[^\s#]*$/.test(path);
  return fits && !path.includes('<token>') ? `${method} https://${host}${path}` : undefined;
}

/** What only a signed token can have; `bytes` and the key are not part of a test either. */
const unsigned: TokenSpec = {
  claims: {},
  header: {},
  textEncoding: 'utf8',
  compact: '<header>.<payload>.<signature>',
};

function tokenOf(file: CaseFile, check: Check): 'none' | Members | undefined {
  const spec = check.token ?? file.token;
  if (spec === 'none' || check.scheme === 'none') return check.authorization === undefined ? 'none' : undefined;
  if (check.authorization !== undefined || check.scheme !== 'Bearer') return undefined;
  const { issuer: name, claims, ...rest } = spec;
  const { claims: _claims, ...plain } = unsigned;
  if (!isDeepStrictEqual(rest, plain)) return undefined;
  const issuers = file.policy.flatMap((document) => document.issuers ?? []);
  const issuer = name === undefined ? issuers[0] : issuers.find((candidate) => candidate.name === name);
  if (issuer === undefined || depthOf(claims) > deepestClaims) return undefined;
  const filledIn = { sub: 'ada', client_id: issuer.clientIds?.[0] ?? 'web', jti: 'token-1' };
  return { issuer: issuer.name, claims: { ...filledIn, ...claims } };
}

/** A policy document may be nested 64 levels deep, and the claims of a test stand some levels down. */
const deepestClaims = 55;

function depthOf(value: unknown): number {
  let depth = 0;
  let level = [value];
  for (; depth <= deepestClaims && level.length > 0; depth += 1) {
    level = level.flatMap((node) => (typeof node === 'object' && node !== null ? Object.values(node) : []));
  }
  return depth;
}

/** Undefined when the headers do not fit; Authorization does where it stands for no token. */
function headersOf(check: Check, token: unknown): Members | undefined {
  const headers = new Map<string, string>();
  for (const [name, value] of check.headers) {
    const lower = name.toLowerCase();
    const isPlain = typeof value === 'string' && !value.includes('<token>') && !headers.has(lower);
    if (!isPlain || lower === 'host' || (lower === 'authorization' && token !== 'none')) return undefined;
    headers.set(lower, value);
  }
  return Object.fromEntries(headers);
}

function expectationOf({ expect, upstream }: Check, identityHeaders: ReadonlySet<string>): Members {
  const { decision, status, reason, rule } = expect;
  if (decision !== 'allow') return { decision: 'deny', status: only(status), reason: only(reason), rule };
  const headers = Object.entries(upstream)
    .filter(([name]) => identityHeaders.has(name))
    .map(([name, values]) => [name, values[0] === 'absent' ? null : only(values)]);
  return { decision, status: 200, reason: only(reason), rule, headers: Object.fromEntries(headers) };
}

/** Of several that the contract leaves open a test can name none. */
function only<T>(values: readonly T[]): T | undefined {
  return values.length === 1 ? values[0] : undefined;
}

/** What the rules that decide set; other headers of a case are the client's own. */
function identityHeadersOf({ policy }: CaseFile): ReadonlySet<string> {
  const parts = policy.flatMap(({ defaults, rules }) => [defaults, ...(Array.isArray(rules) ? rules : [])]);
  return new Set(parts.flatMap(namesIn).map((name) => name.toLowerCase()));
}

function namesIn(part: unknown): readonly string[] {
  if (typeof part !== 'object' || part === null || !('headers' in part)) return [];
  const isShadow = 'mode' in part && part.mode === 'shadow';
  return isShadow || typeof part.headers !== 'object' || part.headers === null ? [] : Object.keys(part.headers);
}
