/**
 * Promises: one POST of a form within time and size limits, or why not: the transport of every request that Scopegate makes as an OAuth
 * client. URLs are held to the rules of the issuer's keys, certificates are always checked, no redirect is followed.
 * Leaves to others: what is sent, and what the answer means (oauth4webapi, called by the files beside this one).
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { allowedUrl, type InsecureOptions } from '../keyset/endpoint.ts';
import { Failure } from '../keyset/failure.ts';
import { failureOf, readBody } from '../keyset/fetch.ts';
import { RequestFailure } from './failure.ts';

/** How the server is reached and who it finds at the other end. */
export interface Connection {
  readonly insecure: InsecureOptions;
  /** PEM of the only CAs to trust; undefined: those of the system. */
  readonly ca: string | undefined;
  /** PEM, for mutual TLS; undefined: no certificate is shown. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  /** Gives up. */
  readonly signal: AbortSignal;
}

export interface FormRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `application/x-www-form-urlencoded`. */
  readonly body: string;
}

export interface FormAnswer {
  /** 200, or 400 or 401 with what is wrong (RFC 6749 section 5.2). */
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type Post = (request: FormRequest, connection: Connection) => Promise<FormAnswer | RequestFailure>;

export interface PostLimits {
  /** Until the last byte of the body. Default 5 s. */
  readonly timeoutMs: number;
  /** Of the body. Default 1 MiB. */
  readonly maxBytes: number;
}

const defaultPostLimits: PostLimits = { timeoutMs: 5000, maxBytes: 1024 * 1024 };

export function createPost(limits: PostLimits = defaultPostLimits): Post {
  return async (request, connection) => {
    const url = allowedUrl(request.url, connection.insecure);
    if (url instanceof Failure) return new RequestFailure(url.kind);
    const timeout = AbortSignal.timeout(limits.timeoutMs);
    try {
      const response = await send(url, request, {
        ...connection,
        signal: AbortSignal.any([connection.signal, timeout]),
      });
      return await readAnswer(response, limits.maxBytes);
    } catch (error) {
      if (connection.signal.aborted) return new RequestFailure('stopped');
      return new RequestFailure(timeout.aborted ? 'timeout' : connectionFailure(error));
    }
  };
}

function send(url: URL, { headers, body }: FormRequest, connection: Connection): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method: 'POST',
    signal: connection.signal,
    agent: false,
    headers: { ...headers, 'content-length': Buffer.byteLength(body), 'user-agent': 'scopegate' },
    // Said here because the environment can turn it off for the whole process.
    rejectUnauthorized: true,
    ...(connection.ca === undefined ? {} : { ca: connection.ca }),
    ...connection.certificate,
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('response', resolve);
    request.on('error', reject);
    // An answer that switches protocols ends in neither of the two; without this it would never end.
    request.on('close', () => reject(new Error('closed without an answer')));
    request.end(body);
  });
}

const told = new Set([200, 400, 401]);

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<FormAnswer | RequestFailure> {
  const { statusCode: status = 0, headers } = response;
  if (!told.has(status)) {
    response.destroy();
    return new RequestFailure(status >= 300 && status < 400 ? 'redirect' : `status_${status}`);
  }
  const body = await readBody(response, maxBytes);
  if (body === undefined) return new RequestFailure('too_large');
  return { status, contentType: headers['content-type'] ?? '', body: body.toString('utf8') };
}

/** A certificate of our own that is none fails before anything is sent. */
function connectionFailure(error: unknown): RequestFailure['kind'] {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isOurs = /^ERR_OSSL_(?:PEM|X509|DECODER|UNSUPPORTED|ASN1)/.test(code) || code === 'ERR_OSSL_EVP_DECODE_ERROR';
  return isOurs ? 'certificate_unreadable' : failureOf(error);
}
