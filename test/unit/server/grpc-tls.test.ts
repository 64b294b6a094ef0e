import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGrpcServer, type GrpcServer, type TransportName } from '../../../src/server/grpc.ts';
import { TlsFileError, type TlsFiles } from '../../../src/server/tls-files.ts';
import { tlsPollMs } from '../../../src/server/tls-watch.ts';
import { TestClient } from './grpc-client.ts';
import { ManualClock } from './manual-clock.ts';
import { rejection, unexpected } from './unexpected.ts';

const support = new URL('../../support/', import.meta.url);
const cleanUps: (() => unknown)[] = [];
let transport: TransportName;
let folder: string;
let clock: ManualClock;

function fixture(name: string): Promise<Buffer> {
  return readFile(new URL(name, support));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grpc-tls-'));
  clock = new ManualClock();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
  await rm(folder, { recursive: true });
});

/** Puts a certificate and its key where the server reads them. */
async function put(to: string, from: 'tls/server' | 'tls-server/renewed'): Promise<void> {
  await copyFile(new URL(`${from}.pem`, support), join(to, 'tls.crt'));
  await copyFile(new URL(`${from}-key.pem`, support), join(to, 'tls.key'));
}

interface Served {
  readonly server: GrpcServer;
  readonly address: string;
  readonly problems: TlsFileError[];
  readonly reload: ReturnType<typeof vi.fn<() => void>>;
}

async function serve(tls: Partial<TlsFiles> = {}): Promise<Served> {
  const problems: TlsFileError[] = [];
  const reload = vi.fn<() => void>();
  const server = createGrpcServer({
    transport,
    addresses: ['127.0.0.1:0'],
    check: (bytes) => bytes,
    onFault: unexpected,
    tls: { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ...tls },
    onTlsProblem: (problem) => problems.push(problem),
    onTlsReload: reload,
    clock,
  });
  cleanUps.push(() => server.stop());
  const [address] = await server.start();
  return { server, address: address!, problems, reload };
}

/** Lets the server look at its files once. */
async function look(): Promise<void> {
  const done = clock.nextSchedule();
  clock.advance(tlsPollMs);
  await done;
}

function open(address: string, channel: ChannelCredentials): TestClient {
  const client = new TestClient(address, channel);
  cleanUps.push(() => {
    client.close();
  });
  return client;
}

async function channelFor(ca: string, client?: string): Promise<ChannelCredentials> {
  return client === undefined
    ? credentials.createSsl(await fixture(ca))
    : credentials.createSsl(await fixture(ca), await fixture(`${client}-key.pem`), await fixture(`${client}.pem`));
}

async function ask(client: TestClient): Promise<number> {
  return (await client.check(Uint8Array.of(1), { timeoutMs: 5000 })).code;
}

/** A new TLS connection, after its handshake. */
async function handshake(address: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2'], rejectUnauthorized: false, ...options });
  cleanUps.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Common name of the certificate that a new connection gets. */
async function servedName(address: string): Promise<unknown> {
  return (await handshake(address)).getPeerCertificate().subject.CN;
}

describe.each(['http2', 'grpc-js'] as const)('transport %s', (chosen) => {
  beforeEach(() => {
    transport = chosen;
  });

  it('TLS: a client that trusts our CA is answered, one that does not and one without TLS are not', async () => {
    await put(folder, 'tls/server');
    const { address } = await serve();
    expect(await ask(open(address, await channelFor('tls/ca.pem')))).toBe(0);
    expect(await ask(open(address, await channelFor('tls/other-ca.pem')))).toBe(status.UNAVAILABLE);
    expect(await ask(open(address, credentials.createInsecure()))).toBe(status.UNAVAILABLE);
  });

  it('TLS 1.1 client: refused for its version; TLS 1.2 client: served', async () => {
    await put(folder, 'tls/server');
    const { address } = await serve();
    const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(handshake(address, old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    expect((await handshake(address, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
  });

  it('TLS on a unix socket: answered', async () => {
    await put(folder, 'tls/server');
    const server = createGrpcServer({
      transport,
      addresses: [`unix:${join(folder, 'authz.sock')}`],
      check: (bytes) => bytes,
      onFault: unexpected,
      tls: { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') },
      clock,
    });
    cleanUps.push(() => server.stop());
    const [address] = await server.start();
    expect(await ask(open(address!, await channelFor('tls/ca.pem')))).toBe(0);
  });

  it('mutual TLS: only a client with a certificate of the configured CA is answered', async () => {
    await put(folder, 'tls/server');
    await copyFile(new URL('tls/client-ca.pem', support), join(folder, 'ca.crt'));
    const { address } = await serve({ clientCa: join(folder, 'ca.crt') });
    expect(await ask(open(address, await channelFor('tls/ca.pem', 'tls/client')))).toBe(0);
    expect(await ask(open(address, await channelFor('tls/ca.pem')))).toBe(status.UNAVAILABLE);
    expect(await ask(open(address, await channelFor('tls/ca.pem', 'tls/other-client')))).toBe(status.UNAVAILABLE);
  });

  const starts: Record<string, { prepare: () => Promise<unknown>; file: string; reason: RegExp }> = {
    'certificate file missing': {
      prepare: () => rm(join(folder, 'tls.crt')),
      file: 'tls.crt',
      reason: /^cannot be read \(ENOENT\)$/,
    },
    'key of another certificate': {
      prepare: () => copyFile(new URL('tls-server/renewed-key.pem', support), join(folder, 'tls.key')),
      file: 'tls.key',
      reason: /^does not belong to the certificate in .*tls\.crt$/,
    },
    'CA file that is not PEM': {
      prepare: () => writeFile(join(folder, 'ca.crt'), 'not PEM'),
      file: 'ca.crt',
      reason: /^holds no PEM certificate$/,
    },
  };

  it.each(Object.entries(starts))(
    'start, %s: typed error, nothing is bound',
    async (_name, { prepare, file, reason }) => {
      await put(folder, 'tls/server');
      await copyFile(new URL('tls/client-ca.pem', support), join(folder, 'ca.crt'));
      await prepare();
      const path = join(folder, 'authz.sock');
      const server = createGrpcServer({
        transport,
        addresses: [`unix:${path}`],
        check: (bytes) => bytes,
        onFault: unexpected,
        tls: { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), clientCa: join(folder, 'ca.crt') },
        clock,
      });
      const error = await rejection(server.start());
      expect(error).toBeInstanceOf(TlsFileError);
      expect(error).toMatchObject({ file: join(folder, file), reason: expect.stringMatching(reason) });
      expect(existsSync(path)).toBe(false);
      expect(clock.pending()).toBe(0);
    },
  );

  /** The ways in which files are replaced: [what is there at first, the replacing]. */
  const replacements: Record<string, { before: () => Promise<void>; replace: () => Promise<void> }> = {
    'written over': {
      before: () => put(folder, 'tls/server'),
      replace: () => put(folder, 'tls-server/renewed'),
    },
    'renamed over': {
      before: () => put(folder, 'tls/server'),
      replace: async () => {
        await mkdir(join(folder, 'new'));
        await put(join(folder, 'new'), 'tls-server/renewed');
        await rename(join(folder, 'new/tls.crt'), join(folder, 'tls.crt'));
        await rename(join(folder, 'new/tls.key'), join(folder, 'tls.key'));
      },
    },
    'swapped by the ..data link of a mounted Secret': {
      before: async () => {
        await mkdir(join(folder, '..1'));
        await put(join(folder, '..1'), 'tls/server');
        await symlink('..1', join(folder, '..data'));
        await symlink('..data/tls.crt', join(folder, 'tls.crt'));
        await symlink('..data/tls.key', join(folder, 'tls.key'));
      },
      replace: async () => {
        await mkdir(join(folder, '..2'));
        await put(join(folder, '..2'), 'tls-server/renewed');
        await symlink('..2', join(folder, '..data_tmp'));
        await rename(join(folder, '..data_tmp'), join(folder, '..data'));
        await rm(join(folder, '..1'), { recursive: true });
      },
    },
  };

  it.each(Object.entries(replacements))(
    'files %s: new connections get the new certificate, the old connection goes on',
    async (_name, { before, replace }) => {
      await before();
      const { address, reload, problems } = await serve();
      const old = open(address, await channelFor('tls/ca.pem'));
      expect(await ask(old)).toBe(0);
      expect(await servedName(address)).toBe('localhost');
      await replace();
      expect(await servedName(address)).toBe('localhost');
      await look();
      expect(reload).toHaveBeenCalledOnce();
      expect(await servedName(address)).toBe('renewed');
      // It does not trust the new certificate, so an answer can only have come over the connection it had.
      expect(await ask(old)).toBe(0);
      expect(await ask(open(address, await channelFor('tls-server/renewed.pem')))).toBe(0);
      await look();
      expect(reload).toHaveBeenCalledOnce();
      expect(problems).toEqual([]);
    },
  );

  it('TLS 1.1 client after a reload: still refused', async () => {
    await put(folder, 'tls/server');
    const { address } = await serve();
    await put(folder, 'tls-server/renewed');
    await look();
    const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(handshake(address, old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  it('new CA of clients: counts for new connections, also for a client that would resume an old session', async () => {
    await put(folder, 'tls/server');
    const ca = join(folder, 'ca.crt');
    await copyFile(new URL('tls/client-ca.pem', support), ca);
    const { address } = await serve({ clientCa: ca });
    const identity = { cert: await fixture('tls/client.pem'), key: await fixture('tls/client-key.pem') };
    const connection = await handshake(address, { ...identity, maxVersion: 'TLSv1.2' });
    const session = connection.getSession();
    // The server really resumes, so that its refusal below says something.
    const resumed = await handshake(address, { ...identity, maxVersion: 'TLSv1.2', session });
    expect(resumed.isSessionReused()).toBe(true);
    const old = open(address, await channelFor('tls/ca.pem', 'tls/client'));
    expect(await ask(old)).toBe(0);

    await copyFile(new URL('tls/other-ca.pem', support), ca);
    await look();
    expect(await ask(open(address, await channelFor('tls/ca.pem', 'tls/other-client')))).toBe(0);
    expect(await ask(open(address, await channelFor('tls/ca.pem', 'tls/client')))).toBe(status.UNAVAILABLE);
    expect(await ask(old)).toBe(0);
    await expect(handshake(address, { ...identity, maxVersion: 'TLSv1.2', session })).rejects.toThrow();
  });

  it('bad new files: the old ones stay in use, reported once for each bad content, and again after a good one', async () => {
    await put(folder, 'tls/server');
    const { address, problems, reload } = await serve();
    const key = join(folder, 'tls.key');
    await writeFile(key, 'junk');
    await look();
    await look();
    await look();
    expect(problems).toMatchObject([{ file: key, reason: 'holds no PEM private key' }]);
    expect(await servedName(address)).toBe('localhost');

    await rm(key);
    await look();
    await look();
    await look();
    expect(problems.slice(1)).toMatchObject([{ file: key, reason: 'cannot be read (ENOENT)' }]);
    expect(await servedName(address)).toBe('localhost');

    await put(folder, 'tls/server');
    await look();
    // The same files as are in use: nothing to reload.
    expect(reload).not.toHaveBeenCalled();
    await rm(key);
    await look();
    await look();
    expect(problems).toHaveLength(3);

    await put(folder, 'tls-server/renewed');
    await look();
    expect(reload).toHaveBeenCalledOnce();
    expect(await servedName(address)).toBe('renewed');
  });

  it('CA file emptied while running: the old CA stays, nobody else gets in', async () => {
    await put(folder, 'tls/server');
    const ca = join(folder, 'ca.crt');
    await copyFile(new URL('tls/client-ca.pem', support), ca);
    const { address, problems } = await serve({ clientCa: ca });
    await writeFile(ca, '');
    await look();
    await look();
    expect(problems).toMatchObject([{ file: ca, reason: 'holds no PEM certificate' }]);
    expect(await ask(open(address, await channelFor('tls/ca.pem', 'tls/client')))).toBe(0);
    expect(await ask(open(address, await channelFor('tls/ca.pem', 'tls/other-client')))).toBe(status.UNAVAILABLE);
  });

  it('certificate replaced a moment before its key: not reported', async () => {
    await put(folder, 'tls/server');
    const { address, problems } = await serve();
    await copyFile(new URL('tls-server/renewed.pem', support), join(folder, 'tls.crt'));
    await look();
    expect(await servedName(address)).toBe('localhost');
    await copyFile(new URL('tls-server/renewed-key.pem', support), join(folder, 'tls.key'));
    await look();
    expect(await servedName(address)).toBe('renewed');
    await look();
    expect(problems).toEqual([]);
  });

  it('stop: the files are looked at no more', async () => {
    await put(folder, 'tls/server');
    const { server } = await serve();
    expect(clock.pending()).toBe(1);
    await server.stop();
    expect(clock.pending()).toBe(0);
  });

  // Shorter than the time after which the handshake would be given up anyway.
  it('drain with a connection that never began its handshake: is not held back by it', async () => {
    await put(folder, 'tls/server');
    const { server, address } = await serve();
    const [host, port] = address.split(':') as [string, string];
    const silent = connectTcp(Number(port), host);
    cleanUps.push(() => silent.destroy());
    await once(silent, 'connect');
    // The server has accepted the silent connection once a later one has been answered.
    expect(await ask(open(address, await channelFor('tls/ca.pem')))).toBe(0);
    const drained = server.drain({ minMs: 2000, quietMs: 1000, maxMs: 20_000 });
    clock.advance(2000);
    expect(await drained).toBe('quiet');
  }, 5000);
});
