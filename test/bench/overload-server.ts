/** A server of checks that cost `BUSY_US` each and nothing else; its address is its first line. */
import { createGrpcServer } from '../../src/server/grpc.ts';

const busyMs = Number(process.env['BUSY_US'] ?? 200) / 1000;
const allow = Uint8Array.of(1);
const refusal = Uint8Array.of(2);

const server = createGrpcServer({
  addresses: ['127.0.0.1:0'],
  check: async () => {
    const end = performance.now() + busyMs;
    while (performance.now() < end);
    return allow;
  },
  overloaded: process.env['QUEUE'] === 'off' ? undefined : () => refusal,
  onFault: (fault) => {
    throw fault;
  },
});
console.log((await server.start())[0]);
