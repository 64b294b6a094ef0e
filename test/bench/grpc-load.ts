/**
 * Promises: Checks straight at an authorizer from a process of its own, as fast as they are answered: over a number of connections, so many
 * calls at a time on each. Prints one line of JSON.
 *
 *   node grpc-load.ts --port 9001 --checks FILE --seconds 5 --connections 4 --calls 16
 *
 * The file holds gRPC messages with their prefixes, one behind the other; each is sent once, or again and again when there are few.
 */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { parseArgs } from 'node:util';

export interface GrpcLoadResult {
  readonly answers: number;
  /** Of answers that were no allow. */
  readonly denied: number;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '' },
    checks: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '4' },
    calls: { type: 'string', default: '16' },
  },
});

function messagesOf(file: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const end = at + 5 + file.readUInt32BE(at + 1);
    messages.push(file.subarray(at, end));
    at = end;
  }
  return messages;
}

const messages = messagesOf(readFileSync(values.checks));
let next = 0;
let answers = 0;
let denied = 0;

function call(session: ClientHttp2Session): Promise<void> {
  const message = messages[next % messages.length];
  next += 1;
  const stream = session.request({
    ':method': 'POST',
    ':path': '/envoy.service.auth.v3.Authorization/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let first: Buffer | undefined;
  stream.on('data', (chunk: Buffer) => {
    first ??= chunk;
  });
  stream.on('error', reject);
  stream.on('close', () => {
    answers += 1;
    // Of the answer's first field, status, an allow has none or an empty one; of a denial it is longer.
    if (first === undefined || first[5] !== 0x0a || first[6] !== 0) denied += 1;
    resolve();
  });
  stream.end(message);
  return promise;
}

async function callOn(session: ClientHttp2Session, end: number): Promise<void> {
  while (performance.now() < end) await call(session);
}

const sessions = Array.from({ length: Number(values.connections) }, () => connect(`http://127.0.0.1:${values.port}`));
const start = performance.now();
const end = start + Number(values.seconds) * 1000;
await Promise.all(sessions.flatMap((one) => Array.from({ length: Number(values.calls) }, () => callOn(one, end))));
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ answers, denied, seconds } satisfies GrpcLoadResult));
for (const session of sessions) session.close();
