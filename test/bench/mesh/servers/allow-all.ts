/**
 * Promises: an authorizer that allows everything, the least that any can cost: over node:http2 with framing by hand, or @grpc/grpc-js.
 *
 *   node allow-all.ts http2|grpc-js PORT
 */
import { createServer } from 'node:http2';
import { Server, ServerCredentials } from '@grpc/grpc-js';

/** CheckResponse: an empty status (code 0) and an empty ok_response. */
const allow = Buffer.from([0x0a, 0x00, 0x1a, 0x00]);
const checkPath = '/envoy.service.auth.v3.Authorization/Check';
const [, , transport, port = '0'] = process.argv;

function serveHttp2(): void {
  const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, allow.length]), allow]);
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(framed);
    });
  });
  server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
}

function serveGrpcJs(): void {
  const server = new Server();
  const bytes = (value: Buffer): Buffer => value;
  server.register(
    checkPath,
    (_call: unknown, answer: (error: null, value: Buffer) => void) => answer(null, allow),
    bytes,
    bytes,
    'unary',
  );
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), () => console.log('listening'));
}

if (transport === 'http2') serveHttp2();
else serveGrpcJs();
