import { experimental, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createGrpcServer } from '../../../src/server/grpc.ts';
import type { TransportLog } from '../../../src/server/transport-log.ts';
import { unexpected } from './unexpected.ts';

const written = vi.fn();

beforeEach(() => {
  for (const method of ['error', 'info', 'debug', 'log', 'warn'] as const) {
    vi.spyOn(console, method).mockImplementation(written);
  }
});
afterEach(() => {
  setLogVerbosity(logVerbosity.ERROR);
  vi.restoreAllMocks();
  written.mockReset();
});

async function create(onTransportLog?: TransportLog): Promise<void> {
  const addresses = ['127.0.0.1:0'];
  const given = { addresses, transport: 'grpc-js', check: (bytes: Uint8Array) => bytes, onFault: unexpected } as const;
  const server = createGrpcServer({ ...given, onTransportLog });
  await server.start();
  await server.stop();
}

function say(): void {
  experimental.log(logVerbosity.ERROR, 'bad', 1);
  experimental.log(logVerbosity.INFO, 'so so');
  experimental.log(logVerbosity.DEBUG, 'fine');
}

it('what the gRPC library logs, no receiver: nothing on the console', async () => {
  await create();
  say();
  expect(written).not.toHaveBeenCalled();
});

it('what the gRPC library logs: errors are told and nothing is on the console', async () => {
  const tell = vi.fn();
  await create(tell);
  say();
  expect(tell.mock.calls).toEqual([['error', 'bad 1']]);
  expect(written).not.toHaveBeenCalled();
});

it('what the gRPC library logs when it is asked for more: told with its level', async () => {
  const tell = vi.fn();
  await create(tell);
  setLogVerbosity(logVerbosity.DEBUG);
  say();
  expect(tell.mock.calls).toEqual([
    ['error', 'bad 1'],
    ['info', 'so so'],
    ['debug', 'fine'],
  ]);
  expect(written).not.toHaveBeenCalled();
});
