/** grpc-go as a client of both transports: what another language's library expects of a gRPC server. */
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from '../../src/server/grpc.ts';
import { buildPrograms, type GoResult, goClient, type Programs } from './programs.ts';

let programs: Programs;
let server: GrpcServer;
let address: string;
let drained: Promise<unknown> | undefined;

beforeAll(async () => {
  programs = await buildPrograms();
});

afterAll(() => rm(programs.folder, { recursive: true }));

afterEach(() => server.stop());

function file(name: string): string {
  return new URL(`../support/tls/${name}`, import.meta.url).pathname;
}

/** Answers with what it is asked, but `never` never. */
function echo(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return Buffer.from(bytes).toString('latin1') === 'never' ? new Promise(() => undefined) : bytes;
}

describe.each(['http2', 'grpc-js'] as const)('transport %s', (transport) => {
  async function serve(given: Partial<GrpcServerOptions> = {}): Promise<void> {
    drained = undefined;
    server = createGrpcServer({
      addresses: ['127.0.0.1:0'],
      transport,
      check: echo,
      onFault: (fault) => expect.fail(String(fault)),
      ...given,
    });
    [address = ''] = await server.start();
  }

  function ask(scenario: string, ...options: string[]): Promise<GoResult> {
    return goClient(programs.grpcClient, [...options, address, scenario]);
  }

  it('messages of every size: come back as they were', async () => {
    await serve();
    expect(await ask('sizes')).toMatchObject({ codes: { OK: 7 }, wrong: 0 });
  });

  it('60,000 checks, 3,000 at a time over one connection of 1,024 streams: all answered', async () => {
    await serve();
    expect(await ask('many')).toMatchObject({ codes: { OK: 60_000 }, wrong: 0 });
  });

  it('200 MB in and out, 200 at a time: windows open both ways', async () => {
    await serve();
    expect(await ask('large')).toMatchObject({ codes: { OK: 1000 }, wrong: 0 });
  });

  it('deadlines that pass: DEADLINE_EXCEEDED, and nothing stays active', async () => {
    await serve();
    expect((await ask('deadline')).codes).toEqual({ DeadlineExceeded: 20 });
    await vi.waitFor(() => expect(server.activeChecks()).toBe(0));
  });

  it('500 calls that are cancelled: nothing stays active', async () => {
    await serve();
    expect((await ask('cancel')).codes).toEqual({ Canceled: 500 });
    await vi.waitFor(() => expect(server.activeChecks()).toBe(0));
  });

  it('EA-45 message above the limit: RESOURCE_EXHAUSTED, and the next is answered', async () => {
    await serve();
    expect((await ask('too-large')).codes).toEqual({ ResourceExhausted: 1, OK: 1 });
  });

  it('health Check: as it is set', async () => {
    await serve();
    server.setServing(true);
    expect((await ask('health')).notes).toEqual([
      '"" SERVING OK',
      '"envoy.service.auth.v3.Authorization" SERVING OK',
      '"other" UNKNOWN NotFound',
    ]);
  });

  it('health Watch: tells each change, and ends with OK when the server drains', async () => {
    await serve();
    const { notes } = await goClient(programs.grpcClient, [address, 'watch'], (note) => {
      if (note === 'NOT_SERVING' && drained === undefined) {
        server.setServing(true);
      } else if (note === 'SERVING') {
        drained = server.drain({ minMs: 10, quietMs: 10, maxMs: 5000 });
      }
    });
    expect(notes).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING', 'EOF']);
    expect(await drained).toBe('quiet');
  });

  it('nothing to ask for 23 s: keepalive is answered, the connection stays', async () => {
    await serve();
    const { codes, notes } = await ask('idle');
    expect(notes).toEqual(['lost false']);
    expect(codes).toEqual({ OK: 2 });
  });

  it('drain of the only server under load: every check until then is answered, and then none is begun', async () => {
    await serve();
    const { codes, notes } = await goClient(programs.grpcClient, [address, 'until-gone'], (note) => {
      if (note === 'busy') drained = server.drain({ minMs: 0, quietMs: 10_000, maxMs: 300 });
    });
    expect(await drained).toBe('limit');
    // UNAVAILABLE because nobody listens any more, and not because a connection broke off.
    expect(Object.keys(codes).toSorted()).toEqual(['OK', 'Unavailable']);
    expect(notes.at(-1)).toMatch(/connection refused|no such host|error reading server preface: EOF/);
  });

  it('TLS and mutual TLS: answered; without a certificate, or without trust, or without TLS: UNAVAILABLE', async () => {
    await serve({ tls: { cert: file('server.pem'), key: file('server-key.pem'), clientCa: file('client-ca.pem') } });
    const trusted = [`-ca=${file('ca.pem')}`];
    const known = [`-cert=${file('client.pem')}`, `-key=${file('client-key.pem')}`];
    expect((await ask('sizes', ...trusted, ...known)).codes).toEqual({ OK: 7 });
    expect((await ask('sizes', ...trusted)).codes).toEqual({ Unavailable: 7 });
    expect((await ask('sizes', `-ca=${file('other-ca.pem')}`, ...known)).codes).toEqual({ Unavailable: 7 });
    expect((await ask('sizes')).codes).toEqual({ Unavailable: 7 });
  });
});
