/**
 * Promises: one GET of a JSON object within time and size limits, or why not (JWK-07). No redirect is followed, certificates are
 * always checked, nothing is kept between two calls, and it never rejects for what the other side does.
 * Leaves to others: which URLs may be asked for (endpoint.ts).
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isJsonObject, type JsonObject } from '../token/json.ts';
import { Failure, type FailureKind } from './failure.ts';
import { readMaxAge } from './max-age.ts';

export interface GetOptions {
  /** PEM of the only CAs to trust; undefined: those of the system. */
  readonly ca: string | undefined;
  /** Gives up. */
  readonly signal: AbortSignal;
}

export interface Fetched {
  readonly document: JsonObject;
  /** Seconds for which the answer is still fresh by its own word. */
  readonly maxAgeSeconds: number | undefined;
}

/** Gets one JSON document. */
export type Get = (url: URL, options: GetOptions) => Promise<Fetched | Failure>;

export interface FetchLimits {
  /** Until the last byte of the body. Default 5 s. */
  readonly timeoutMs: number;
  /** Of the body. Default 1 MiB. */
  readonly maxBytes: number;
}

const defaultFetchLimits: FetchLimits = { timeoutMs: 5000, maxBytes: 1024 * 1024 };

export function createGet(limits: FetchLimits = defaultFetchLimits): Get {
  return async (url, { ca, signal }) => {
    const timeout = AbortSignal.timeout(limits.timeoutMs);
    try {
      const response = await send(url, ca, AbortSignal.any([signal, timeout]));
      return await readAnswer(response, limits.maxBytes);
    } catch (error) {
      if (signal.aborted) return new Failure('stopped');
      return new Failure(timeout.aborted ? 'timeout' : failureOf(error));
    }
  };
}

function send(url: URL, ca: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const options = {
    signal,
    agent: false,
    headers: { accept: 'application/jwk-set+json, application/json', 'user-agent': 'scopegate' },
    // Said here because the environment can turn it off for the whole process.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('response', resolve);
    request.on('error', reject);
    // An answer that switches protocols ends in neither of the two; without this it would never end.
    request.on('close', () => reject(new Error('closed without an answer')));
    request.end();
  });
}

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Fetched | Failure> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200) {
    response.destroy();
    return new Failure(statusCode >= 300 && statusCode < 400 ? 'redirect' : `status_${statusCode}`);
  }
  const body = await readBody(response, maxBytes);
  if (body === undefined) return new Failure('too_large');
  const document = parse(body);
  if (!isJsonObject(document)) return new Failure('not_json');
  return { document, maxAgeSeconds: readMaxAge(headers['cache-control'], headers.age) };
}

/** Undefined: it is longer. */
export async function readBody(response: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream and with it the connection.
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** Of an error of the connection. */
export function failureOf(error: unknown): FailureKind {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return 'protocol';
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'dns';
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER|EPROTO|_CRL/.test(code)) return 'tls';
  return 'connect';
}
