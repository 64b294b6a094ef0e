/**
 * Promises: one request of the demo, sent as it is spelled (a URL object would tidy the path up), and what came of it.
 */
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { DemoRequest, Outcome, Tokens } from './requests.ts';
import type { Upstream } from './upstream.ts';

export interface Result {
  readonly request: DemoRequest;
  readonly actual: Outcome;
  readonly ms: number;
}

const identityHeaders = new Set(['x-user-id', 'x-client-id']);
const echo = z.object({ path: z.string(), headers: z.record(z.string(), z.string()) });
const refusal = z.object({ reason: z.string() });

/** Sends to Envoy on `port`; the upstream is asked whether it was called. */
export async function send(request: DemoRequest, port: number, tokens: Tokens, upstream: Upstream): Promise<Result> {
  const headers: Record<string, string> = {};
  if (request.token !== undefined) headers['authorization'] = `Bearer ${tokens[request.token]}`;
  if (request.header !== undefined) headers[request.header[0]] = request.header[1];
  const path = request.path.replace('…', tokens['orders:read']);

  const callsBefore = upstream.count();
  const start = performance.now();
  const { status, body } = await exchange(port, request.method, path, headers);
  const ms = performance.now() - start;
  const wasCalled = upstream.count() > callsBefore;
  const seen = wasCalled ? whatUpstreamSaw(body, request.path) : '-';
  return { request, ms, actual: { status, reason: wasCalled ? '-' : reasonIn(body), upstream: seen } };
}

function exchange(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, timeout: 10_000 }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path} within 10 s`)));
    sent.once('error', reject);
    sent.end();
  });
}

function whatUpstreamSaw(body: string, path: string): string {
  const seen = echo.parse(JSON.parse(body));
  // An underscore spelling is an identity header too: many backends read one as the other.
  const identity = Object.entries(seen.headers)
    .filter(([name]) => identityHeaders.has(name.replaceAll('_', '-')))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted((left, right) => right.localeCompare(left));
  const shown = identity.length === 0 ? 'none' : identity.join(' ');
  return seen.path === path ? shown : `${seen.path} ${shown}`;
}

/** Scopegate's refusals are JSON with a reason; Envoy's own are not. */
function reasonIn(body: string): string {
  if (!body.startsWith('{')) return '(Envoy)';
  const parsed = refusal.safeParse(JSON.parse(body));
  return parsed.success ? parsed.data.reason : '-';
}
