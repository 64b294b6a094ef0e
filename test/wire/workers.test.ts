/** `serve --workers`: real processes behind one set of listeners, and what must be as if they were one. */
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChild } from '../../deploy/envoy/child.ts';
import { wireAnswer } from '../support/doors-wire.ts';
import { DpopClient } from '../support/dpop-client.ts';
import { createSigner } from '../support/es256.ts';
import { type JwksServer, startJwksServer } from '../support/jwks-server.ts';
import { encodeCheckRequest } from '../support/proto-types.ts';
import { type ClientRequest, checkRequest, type HeaderLine } from '../support/request-maker.ts';
import { mainFile, type Serve, startServe } from '../support/serve.ts';
import { Traffic } from '../support/traffic.ts';

const host = 'orders.example.com';

let folder: string;
const cleanUp: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-workers-'));
});

afterEach(async () => {
  for (const end of cleanUp.splice(0).toReversed()) await end();
  await rm(folder, { recursive: true });
});

type Rule = Readonly<Record<string, unknown>>;

const open: Rule = { name: 'open', paths: ['/open'], access: 'public' };

/** Replaces the file in one step. */
async function write(parts: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(join(folder, 'next'), JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', ...parts }));
  await rename(join(folder, 'next'), join(folder, 'policy.json'));
}

async function start(workers: number, ...args: string[]): Promise<Serve> {
  const listeners = args.includes('--grpc') ? [] : ['--grpc', '127.0.0.1:0'];
  const drain = args.includes('--drain') ? [] : ['--drain', '0s'];
  const count = ['--workers', `${workers}`, ...drain];
  const serve = await startServe('--policy', join(folder, 'policy.json'), ...listeners, ...count, ...args);
  cleanUp.push(() => serve.child.stop());
  await serve.logged('ready');
  return serve;
}

function pids({ entries }: Serve): readonly number[] {
  return entries.filter(({ msg }) => msg === 'worker started').map(({ pid }) => Number(pid));
}

interface Outcome {
  readonly status: number;
  readonly reason: string;
  readonly nonce?: string | undefined;
}

/** One connection, and so one worker. */
class Connection {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    cleanUp.push(() => this.#client.close());
  }

  /** Rejects when the call itself fails, which no check may. */
  async ask(path: string, headers: readonly HeaderLine[] = [], deadlineMs = 10_000): Promise<Outcome> {
    const request: ClientRequest = {
      id: String(randomBytes(8).readBigUInt64BE()),
      method: 'GET',
      host,
      path,
      headers,
      token: '',
      certificate: '',
    };
    const answer = wireAnswer(request, await this.#check(request, deadlineMs));
    if (answer.decision === 'allow') return { status: 200, reason: answer.reason ?? '' };
    const { status = 0, reason = '', headers: said } = answer;
    return { status, reason, nonce: said?.get('dpop-nonce')?.[0] };
  }

  #check(request: ClientRequest, deadlineMs: number): Promise<Buffer> {
    const path = '/envoy.service.auth.v3.Authorization/Check';
    const message = encodeCheckRequest(checkRequest(request, 'list'));
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadlineMs };
      this.#client.makeUnaryRequest(path, asIs, asIs, message, options, (error, bytes?: Buffer) => {
        if (error === null && bytes !== undefined) resolve(bytes);
        else reject(error ?? new Error('no answer'));
      });
    });
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** So many connections, each of which has been answered. */
async function connect({ grpc }: Serve, count: number): Promise<readonly Connection[]> {
  const connections: Connection[] = [];
  // One after the other: the next one goes where there are fewest.
  for (let number = 0; number < count; number += 1) {
    const connection = new Connection(grpc[0] ?? '');
    await connection.ask('/open');
    connections.push(connection);
  }
  return connections;
}

async function metric({ admin }: Serve, series: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const values = text.split('\n').filter((line) => line.startsWith(series));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Asks again and again until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it never was so');
    await sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const bearer = (token: string): readonly HeaderLine[] => [['authorization', `Bearer ${token}`]];

async function issuer(): Promise<JwksServer> {
  const server = await startJwksServer();
  cleanUp.push(() => server.close());
  return server;
}

function policyOf({ origin, jwksUri }: JwksServer, more: Readonly<Record<string, unknown>> = {}): Rule {
  const corp = { name: 'corp', issuer: origin, audiences: ['api'], insecure: { allowHttp: true } };
  return {
    issuers: [{ ...corp, jwks: { uri: jwksUri }, ...more }],
    rules: [open, { name: 'orders', hosts: [host], paths: ['/orders/**'], require: { scopes: ['read'] } }],
  };
}

describe('serve --workers', { timeout: 30_000 }, () => {
  it('connections are spread over all workers, and their metrics are one', async () => {
    await write({ rules: [open] });
    const serve = await start(2);
    const connections = await connect(serve, 4);
    expect(serve.entries.filter(({ msg }) => msg === 'listening' || msg === 'ready')).toHaveLength(2);
    expect(await metric(serve, 'scopegate_checks_total{decision="allow"')).toBe(4);
    expect(await metric(serve, 'scopegate_policy_info')).toBe(1);
    expect(await metric(serve, 'scopegate_workers_running')).toBe(2);
    expect(await serve.readyz()).toMatchObject({
      status: 200,
      body: { workers: { wanted: 2, running: 2, current: 2 } },
    });

    const [held = 0] = pids(serve);
    process.kill(held, 'SIGSTOP');
    cleanUp.push(() => process.kill(held, 'SIGCONT'));
    const outcomes = await Promise.allSettled(connections.map((connection) => connection.ask('/open', [], 1000)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  });

  it('a policy changes, or is refused: all of them answer by the same one', async () => {
    await write({ rules: [open] });
    const serve = await start(3);
    const connections = await connect(serve, 3);
    const askAll = () => Promise.all(connections.map((connection) => connection.ask('/open')));
    await write({ rules: [{ ...open, access: 'deny' }] });
    await until(async () => (await askAll()).every(({ reason }) => reason === 'rule_deny'));
    await write({ rules: [{ ...open, access: 'everyone' }] });
    await serve.logged('policy refused, its last good version stays');
    expect((await askAll()).map(({ reason }) => reason)).toEqual(['rule_deny', 'rule_deny', 'rule_deny']);
    expect(await metric(serve, 'scopegate_policy_info')).toBe(1);
    expect(await metric(serve, 'scopegate_policy_rejections_total')).toBe(1);
  });

  it('JWK-08: keys are fetched once for all, also for a new key, and the cool-down of one is that of all', async () => {
    const [keys, first, second, foreign] = await Promise.all([issuer(), ...['a', 'b', 'c'].map(createSigner)]);
    keys.publish([first?.jwk]);
    await write(policyOf(keys));
    const serve = await start(3);
    const connections = await connect(serve, 3);
    const askAll = async (token: string) => {
      const outcomes = await Promise.all(connections.map((one) => one.ask('/orders/7', bearer(token))));
      return outcomes.map(({ reason }) => reason);
    };
    const allowed = ['allowed', 'allowed', 'allowed'];
    expect(await askAll((await first?.token(keys.origin)) ?? '')).toEqual(allowed);
    expect(keys.count('/jwks')).toBe(1);

    keys.publish([first?.jwk, second?.jwk]);
    expect(await askAll((await second?.token(keys.origin)) ?? '')).toEqual(allowed);
    expect(keys.count('/jwks')).toBe(2);

    const unknown = ['key_unknown', 'key_unknown', 'key_unknown'];
    expect(await askAll((await foreign?.token(keys.origin)) ?? '')).toEqual(unknown);
    expect(keys.count('/jwks')).toBe(2);
    expect(await metric(serve, 'scopegate_jwks_fetches_total')).toBe(2);
  });

  it('DP-14: a proof is new at one worker only, and a nonce is good at each', async () => {
    const [keys, signer] = await Promise.all([issuer(), createSigner('a')]);
    keys.publish([signer.jwk]);
    await write(policyOf(keys, { senderConstraint: 'dpop', dpop: { nonce: true } }));
    const serve = await start(2);
    const [one, other] = await connect(serve, 2);
    const client = new DpopClient();
    const token = await signer.token(keys.origin, { cnf: { jkt: client.thumbprint } });
    const ask = (connection: Connection | undefined, proof: string) =>
      connection?.ask('/orders/7', [
        ['authorization', `DPoP ${token}`],
        ['dpop', proof],
      ]);
    const url = `https://${host}/orders/7`;
    const refused = await ask(one, client.proof(url, token));
    expect(refused).toMatchObject({ reason: 'dpop_nonce_required', nonce: expect.stringMatching(/./) as string });

    const proof = client.proof(url, token, { nonce: refused?.nonce });
    expect(await ask(other, proof)).toMatchObject({ reason: 'allowed' });
    expect(await ask(one, proof)).toMatchObject({ reason: 'dpop_proof_invalid' });
    expect(await ask(other, proof)).toMatchObject({ reason: 'dpop_proof_invalid' });
    expect(await metric(serve, 'scopegate_proof_memory_total{result="repeated"}')).toBe(2);
  });

  it('the token of a client is asked for once for all workers', async () => {
    const keys = await issuer();
    keys.publish([(await createSigner('a')).jwk]);
    keys.discover('', { token_endpoint: `${keys.origin}/token` });
    keys.serve('/token', { body: { access_token: 'ours', token_type: 'Bearer', expires_in: 3600 } });
    await writeFile(join(folder, 'secret'), 'of the client');
    const { issuers } = policyOf(keys);
    await write({
      issuers,
      clients: [{ name: 'billing', issuer: 'corp', clientId: 'orders', clientSecretFile: join(folder, 'secret') }],
      rules: [open, { name: 'out', hosts: [host], paths: ['/out'], access: 'public', inject: 'billing' }],
    });
    const serve = await start(2);
    const connections = await connect(serve, 2);
    const outcomes = await Promise.all(connections.map((connection) => connection.ask('/out')));
    expect(outcomes.map(({ status }) => status)).toEqual([200, 200]);
    expect(keys.count('/token')).toBe(1);
  });

  it('a worker dies under load: the others answer on, it is replaced, and nothing that was counted is lost', async () => {
    await write({ rules: [open] });
    const serve = await start(2);
    const [one, other] = await connect(serve, 2);
    const [victim = 0] = pids(serve);
    await metric(serve, 'scopegate_checks_total');
    const asked = new Map<Connection | undefined, { answered: number; failed: number }>();
    const loads = [one, other].map((connection) => {
      const counts = { answered: 0, failed: 0 };
      asked.set(connection, counts);
      return new Traffic(4, async () => {
        const outcome = await connection?.ask('/open').catch(() => undefined);
        counts[outcome === undefined ? 'failed' : 'answered'] += 1;
        return outcome?.status ?? 0;
      });
    });
    await Promise.all(loads.map((load) => load.atLeast(200)));
    const before = await metric(serve, 'scopegate_check_duration_seconds_count');
    process.kill(victim, 'SIGKILL');
    await serve.logged('worker started', ({ pid }) => pid !== pids(serve)[0] && pid !== pids(serve)[1]);
    await Promise.all(loads.map((load) => load.atLeast(200)));
    await Promise.all(loads.map((load) => load.stop()));

    const failed = [one, other].map((connection) => asked.get(connection)?.failed ?? 0);
    expect(Math.min(...failed)).toBe(0);
    expect(Math.max(...failed)).toBeGreaterThan(0);
    expect(await metric(serve, 'scopegate_worker_restarts_total')).toBe(1);
    expect(await metric(serve, 'scopegate_check_duration_seconds_count')).toBeGreaterThan(before);
    expect(await serve.logged('worker ended, it is started again')).toMatchObject({
      reason: expect.stringContaining('SIGKILL') as string,
    });
    await until(async () => (await metric(serve, 'scopegate_workers_running')) === 2);
    expect(await serve.readyz()).toMatchObject({ status: 200 });
  });

  it('all workers die: connections wait at the same address, and are answered', async () => {
    await write({ rules: [open] });
    const serve = await start(2);
    for (const pid of pids(serve)) process.kill(pid, 'SIGKILL');
    await until(async () => (await serve.readyz()).status === 503 || pids(serve).length === 4);
    const [connection] = await connect(serve, 1);
    expect(await connection?.ask('/open')).toMatchObject({ status: 200 });
  });

  it('SIGTERM under load: no check is lost, and it ends with 0', async () => {
    await write({ rules: [open] });
    const serve = await start(2, '--drain', '20s');
    const connections = await connect(serve, 4);
    const loads = connections.map((connection) => new Traffic(2, async () => (await connection.ask('/open')).status));
    await Promise.all(loads.map((load) => load.atLeast(100)));
    process.kill(serve.child.pid ?? 0, 'SIGTERM');
    await serve.logged('draining');
    expect(await serve.readyz()).toMatchObject({ status: 503, body: { status: 'draining' } });
    // Who comes late is answered too.
    const [late] = await connect(serve, 1);
    await Promise.all(loads.map((load) => load.atLeast(100)));
    for (const load of loads) expect([...(await load.stop()).keys()]).toEqual([200]);
    expect(await late?.ask('/open')).toMatchObject({ status: 200 });
    expect(await serve.logged('drained')).toMatchObject({ outcome: 'quiet' });
    expect(await serve.child.ended).toBe('exited with code 0');
    expect(pids(serve).filter(isAlive)).toEqual([]);
  });

  it('traffic does not go away: the drain ends at its limit, all the same with 0', async () => {
    await write({ rules: [open] });
    const serve = await start(2, '--drain', '3s');
    const connections = await connect(serve, 2);
    const loads = connections.map(
      (connection) => new Traffic(1, async () => (await connection.ask('/open').catch(() => ({ status: 0 }))).status),
    );
    const end = Date.now() + 4500;
    process.kill(serve.child.pid ?? 0, 'SIGTERM');
    expect(await serve.logged('drained')).toMatchObject({ outcome: 'limit' });
    expect(await serve.child.ended).toBe('exited with code 0');
    expect(Date.now()).toBeLessThan(end);
    for (const load of loads) await load.stop();
  });

  it('a second signal: ends at once, workers too', async () => {
    await write({ rules: [open] });
    const serve = await start(2, '--drain', '20s');
    process.kill(serve.child.pid ?? 0, 'SIGTERM');
    await serve.logged('draining');
    process.kill(serve.child.pid ?? 0, 'SIGTERM');
    expect(await serve.child.ended).toBe('exited with code 143');
    await until(async () => !pids(serve).some(isAlive));
  });

  it('the primary dies: its workers end', async () => {
    await write({ rules: [open] });
    const serve = await start(2);
    process.kill(serve.child.pid ?? 0, 'SIGKILL');
    await until(async () => !pids(serve).some(isAlive));
    expect(pids(serve)).toHaveLength(2);
  });

  it('a unix socket: one for all, with its mode, and gone at the end', async () => {
    await write({ rules: [open] });
    const path = join(folder, 'check.sock');
    const serve = await start(2, '--grpc', `unix:${path}`, '--grpc-socket-mode', '0600');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const connections = await connect(serve, 2);
    expect((await Promise.all(connections.map((one) => one.ask('/open')))).map(({ status }) => status)).toEqual([
      200, 200,
    ]);
    await serve.child.stop();
    expect(existsSync(path)).toBe(false);
  });

  const cannotStart: Record<string, { args: readonly string[]; line: RegExp }> = {
    'a worker has no TLS file: one line, exit 1': {
      args: ['--grpc-tls-cert', '/nowhere/cert.pem', '--grpc-tls-key', '/nowhere/key.pem'],
      line: /^scopegate serve: .*\/nowhere\/cert\.pem/,
    },
    'an address that is none of ours: one line, exit 1': {
      args: ['--grpc', '203.0.113.7:9001'],
      line: /^scopegate serve: cannot listen on 203\.0\.113\.7:9001: this machine has no such address$/,
    },
  };

  it.each(Object.entries(cannotStart))('%s', async (_name, { args, line }) => {
    await write({ rules: [open] });
    const errors: string[] = [];
    const settings = ['--policy', join(folder, 'policy.json'), '--admin', '127.0.0.1:0', '--workers', '2'];
    const child = startChild(
      process.execPath,
      [mainFile, 'serve', ...settings, ...(args.includes('--grpc') ? [] : ['--grpc', '127.0.0.1:0']), ...args],
      { onStderr: (text) => errors.push(text) },
    );
    cleanUp.push(() => child.stop());
    expect(await child.ended).toBe('exited with code 1');
    expect(errors).toEqual([expect.stringMatching(line)]);
  });

  it('`worker` typed by hand: one line, exit 2', async () => {
    const errors: string[] = [];
    const child = startChild(process.execPath, [mainFile, 'worker'], { onStderr: (text) => errors.push(text) });
    expect(await child.ended).toBe('exited with code 2');
    expect(errors).toEqual(['scopegate worker: it is started by scopegate serve --workers N alone']);
  });
});
