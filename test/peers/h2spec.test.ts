/**
 * h2spec, which knows RFC 7540 and 7541 rule by rule. It asks for pages, so that our protocol stack answers it with one; and once more the
 * gRPC server as it is, for what does not depend on the answer.
 */
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeFields } from '../../src/http2/hpack-encode.ts';
import { systemClock } from '../../src/server/clock.ts';
import { createGrpcServer } from '../../src/server/grpc.ts';
import { speakHttp2 } from '../../src/server/http2-socket.ts';
import { buildPrograms, type Programs, run } from './programs.ts';

let programs: Programs;
const faults: unknown[] = [];

beforeAll(async () => {
  programs = await buildPrograms();
});

afterAll(() => rm(programs.folder, { recursive: true }));

/** A page for every request, when all of it has come. */
function pageServer(): Server {
  const head = encodeFields(200, [['content-type', 'text/plain']]);
  const tail = encodeFields(undefined, [['x-end', '1']]);
  return createServer((socket) => {
    speakHttp2(
      socket,
      { maxStreams: 100, streamWindow: 262_149 },
      {
        clock: systemClock,
        beforeRead: () => undefined,
        afterRead: () => undefined,
        closed: () => undefined,
        onFault: (fault) => faults.push(fault),
        open: (stream) => ({
          data: () => undefined,
          end: () => setImmediate(() => stream.answer(head, [Buffer.from('a page')], tail)),
          closed: () => undefined,
        }),
      },
    );
  });
}

it('h2spec, the strict cases too: all pass', async () => {
  const server = pageServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { code, stdout } = await run(programs.h2spec, ['-S', '-h', '127.0.0.1', '-p', String(port)]);
  server.close();
  expect(stdout.split('Failures:')[1] ?? '').toBe('');
  expect(stdout).toMatch(/14\d tests, 14\d passed, 0 skipped, 0 failed/);
  expect(code).toBe(0);
  expect(faults).toEqual([]);
});

it('h2spec against the gRPC server, which answers a page with an error at once: the rules of frames and header blocks hold', async () => {
  const server = createGrpcServer({
    addresses: ['127.0.0.1:0'],
    check: (bytes) => bytes,
    onFault: (fault) => faults.push(fault),
  });
  const [address = ''] = await server.start();
  const port = address.split(':')[1] ?? '';
  const sections = ['http2/3', 'http2/4', 'http2/6.3', 'http2/6.5', 'http2/6.7', 'http2/6.8', 'http2/6.10', 'hpack'];
  const { stdout } = await run(programs.h2spec, [...sections, '-h', '127.0.0.1', '-p', port]);
  await server.stop();
  expect(stdout.split('Failures:')[1] ?? '').toBe('');
  expect(stdout).toMatch(/4\d tests, 4\d passed, 1 skipped, 0 failed/);
  expect(faults).toEqual([]);
});
