/**
 * Promises: one request to the API server with the credentials of the moment, answered or a Failure; refused credentials are read anew
 * and tried once more if they have changed. Never rejects.
 * Leaves to others: how long an answer may take (the deadline), and what it means.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ClusterObserver } from './cluster-ports.ts';
import type { Access, Credentials } from './credentials.ts';
import type { Deadline } from './deadline.ts';
import { Failure, failureOf, oneLine, unanswered } from './failure.ts';
import { objectOf, parseJson, textOf } from './json.ts';

export interface ApiRequest {
  readonly verb: 'list' | 'watch' | 'create';
  /** With its query. */
  readonly path: string;
  /** What a Role must allow for it. */
  readonly needs: string;
  /** JSON. */
  readonly body?: string;
}

export interface ApiAnswer {
  /** Not yet read; it errs when the deadline is over. */
  readonly body: IncomingMessage;
  /** The whole body; a Failure where it is cut off or larger than allowed. */
  text(maxBytes: number): Promise<string | Failure>;
  /** What an error of the body means. */
  failureOf(error: unknown): Failure;
}

export interface ApiClient {
  send(request: ApiRequest, deadline: Deadline): Promise<ApiAnswer | Failure>;
}

/** Until the connection is up and the request is written. */
const connectTimeoutMs = 4000;
/** From then on to the head of the answer, and to its end where it is no watch. */
const answerTimeoutMs = 10_000;
const maxErrorBytes = 64 * 1024;

export function createApiClient(credentials: Credentials, observer: ClusterObserver): ApiClient {
  async function send(request: ApiRequest, deadline: Deadline): Promise<ApiAnswer | Failure> {
    const access = await credentials.access();
    if (access instanceof Failure) return access;
    const answer = await ask(access, request, deadline);
    if (!(answer instanceof Failure && answer.doubtsCredentials)) return answer;
    credentials.doubt();
    const renewed = await credentials.access();
    // The same ones once more would only be refused once more.
    if (renewed instanceof Failure || renewed.proof === access.proof) return answer;
    return ask(renewed, request, deadline);
  }

  async function ask(access: Access, request: ApiRequest, deadline: Deadline): Promise<ApiAnswer | Failure> {
    const answer = await exchange(access, request, deadline);
    if (deadline.signal.reason !== stopped) {
      observer.requested(request.verb, answer instanceof Failure ? answer.code : String(answer.body.statusCode));
    }
    return answer;
  }

  return { send };
}

/** Reason of the signal of somebody who no longer wants an answer. */
export const stopped = unanswered('stopped');

async function exchange(access: Access, request: ApiRequest, deadline: Deadline): Promise<ApiAnswer | Failure> {
  const explain = (error: unknown): Failure => {
    const reason: unknown = deadline.signal.reason;
    return reason instanceof Failure ? reason : failureOf(error, access.server);
  };
  try {
    const body = await open(access, request, deadline);
    const text = (maxBytes: number): Promise<string | Failure> =>
      readText(body, maxBytes, access.server).catch((error: unknown) => explain(error));
    if (body.statusCode === 200 || body.statusCode === 201) return { body, text, failureOf: explain };
    const said = await text(maxErrorBytes);
    return statusFailure(body, said instanceof Failure ? '' : said, request, access.server);
  } catch (error) {
    return explain(error);
  }
}

function open({ server, options, headers }: Access, request: ApiRequest, deadline: Deadline): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(server.replace(/\/+$/, '') + request.path);
    const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      ...options,
      signal: deadline.signal,
      method: request.body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...headersOf(request) },
    });
    deadline.extend(connectTimeoutMs, `${server}: no connection within ${connectTimeoutMs / 1000} s`);
    // Also notices a dead peer that a load balancer does not answer for.
    sent.on('socket', (socket) => socket.setKeepAlive(true, 30_000));
    // Written to the socket, so the handshakes are done, those of a proxy too.
    const written = (): void =>
      deadline.extend(answerTimeoutMs, `${server}: no answer within ${answerTimeoutMs / 1000} s`);
    sent.on('finish', written);
    sent.on('response', (response) => {
      sent.off('finish', written);
      resolve(response);
    });
    sent.on('error', reject);
    // An answer that switches protocols ends in neither of the two; without this it would never end.
    sent.on('close', () => reject(new Error('closed without an answer')));
    sent.end(request.body);
  });
}

function headersOf({ body }: ApiRequest): Record<string, string> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return { ...type, accept: 'application/json', 'user-agent': 'scopegate' };
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number, server: string): Promise<string | Failure> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream and with it the connection.
    if (bytes > maxBytes) return unanswered(`${server}: the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function statusFailure(response: IncomingMessage, text: string, { needs }: ApiRequest, server: string): Failure {
  const { statusCode = 0, statusMessage = '', headers } = response;
  const said = oneLine(textOf(objectOf(parseJson(text))['message']) || statusMessage);
  const meaning = meanings.get(statusCode)?.(needs) ?? 'not the answer of an API server that is well';
  return new Failure({
    code: String(statusCode),
    reason: `${server}: ${statusCode}, ${meaning}: ${said}`,
    retryAfterMs: retryAfterMs(headers['retry-after']),
    doubtsCredentials: statusCode === 401,
  });
}

const meanings: ReadonlyMap<number, (needs: string) => string> = new Map([
  [401, () => 'our credentials are refused, expired or of another cluster'],
  [403, (needs: string) => `a Role must allow ${needs}`],
  [410, () => 'the version to watch from is too old'],
  [429, () => 'the API server is busy and asks to stay away'],
]);

/** Seconds; the form with a date is not used by API servers. */
function retryAfterMs(header: string | undefined): number {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : 0;
}
