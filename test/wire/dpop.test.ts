/** DPoP at the process itself: what Envoy may ask twice, what is logged and counted, and what `explain` says of a copied request. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WireClient, wireAnswer } from '../support/doors-wire.ts';
import { DpopClient } from '../support/dpop-client.ts';
import { createSigner } from '../support/es256.ts';
import type { ClientRequest } from '../support/request-maker.ts';
import { mainFile, type Serve, startServe } from '../support/serve.ts';

const issuer = 'https://idp.example.com';
const host = 'orders.example.com';
const url = `https://${host}/orders/7`;
const dpop = new DpopClient();
let folder: string;
let policyFile: string;
let token: string;
let serve: Serve;
let client: WireClient;
/** Envoy's ids of requests; each is another one. */
let lastId = 1_000_000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-dpop-'));
  policyFile = join(folder, 'policy.json');
  const signer = await createSigner('k1');
  token = await signer.token(issuer, { cnf: { jkt: dpop.thumbprint } });
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'corp', issuer, audiences: ['api'], jwks: { inline: { keys: [signer.jwk] } } }],
    rules: [{ name: 'orders', hosts: [host], paths: ['/orders/**'], require: { scopes: ['read'] } }],
  };
  await writeFile(policyFile, JSON.stringify(document));
});

afterAll(async () => {
  client.close();
  await serve.child.stop();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  lastId += 1;
});

async function start(...args: string[]): Promise<void> {
  const common = ['--policy', policyFile, '--grpc', '127.0.0.1:0', '--decision-log', 'all'];
  serve = await startServe(...common, ...args);
  await serve.logged('ready');
  client = new WireClient(serve.grpc[0] ?? '');
}

async function ask(proof: string, id = String(lastId)): Promise<string> {
  const headers = [
    ['authorization', `DPoP ${token}`],
    ['dpop', proof],
  ] as const;
  const request: ClientRequest = { id, method: 'GET', host, path: '/orders/7', headers, token, certificate: '' };
  const { decision, reason } = wireAnswer(request, await client.ask(request, 'list'));
  return `${decision} ${reason}`;
}

describe('a process that has room for three proofs', () => {
  beforeAll(() => start('--dpop-replay-entries', '3'));

  it('EA-55 the same request asked again by Envoy: allowed; a replay: refused; no room: unavailable; all counted', async () => {
    const proof = dpop.proof(url, token);
    expect([await ask(proof), await ask(proof)]).toEqual(['allow allowed', 'allow allowed']);
    expect(await ask(proof, '7')).toBe('deny dpop_proof_invalid');
    expect([await ask(dpop.proof(url, token)), await ask(dpop.proof(url, token))]).toEqual(
      Array(2).fill('allow allowed'),
    );
    expect(await ask(dpop.proof(url, token))).toBe('deny proof_memory_unavailable');
    expect(await ask(proof, '8')).toBe('deny dpop_proof_invalid');
    const metrics = await (await fetch(`http://${serve.admin}/metrics`)).text();
    const counts = metrics.match(/^scopegate_proof_memory_total.*$/gm);
    expect(counts).toEqual([
      'scopegate_proof_memory_total{result="new"} 4',
      'scopegate_proof_memory_total{result="repeated"} 2',
      'scopegate_proof_memory_total{result="unknown"} 1',
    ]);
    expect(metrics).not.toContain('scopegate_proof_store_up');
  });

  it('BT-08 the decision log: a line for each, with nothing of the proof', async () => {
    const marked = dpop.proof(url, token, { jti: 'marked-jti', htu: `${url}/marked-htu`, nonce: 'marked-nonce' });
    await ask(marked);
    await serve.logged(
      'decision',
      ({ reason, requestId }) => reason === 'dpop_proof_invalid' && requestId !== undefined,
    );
    const log = JSON.stringify(serve.entries);
    const parts = [...marked.split('.'), dpop.thumbprint, 'marked-jti', 'marked-htu', 'marked-nonce'];
    expect(parts.filter((part) => log.includes(part))).toEqual([]);
    expect(serve.entries.filter(({ msg }) => msg === 'decision').length).toBeGreaterThanOrEqual(1);
  });
});

describe('explain of a request that was copied', () => {
  interface Explained {
    readonly decision: string;
    readonly reason: string;
    readonly status: number;
  }

  async function explain(tokenText: string, ...more: string[]): Promise<Explained> {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, tokenText);
    const request = ['--policy', policyFile, '--request', `GET ${url}`, '--token', `@${tokenFile}`, '--json'];
    const run = promisify(execFile)(process.execPath, [mainFile, 'explain', ...request, ...more]);
    // A refusal has an exit code of its own, with the same output.
    const { stdout } = await run.catch((error: unknown) => error as { stdout: string });
    return JSON.parse(stdout) as Explained;
  }

  it('with its proof: allowed, under the scheme that the proof is for', async () => {
    const explained = await explain(token, '--header', `DPoP: ${dpop.proof(url, token)}`);
    expect(explained).toMatchObject({ decision: 'allow', reason: 'allowed' });
  });

  it('with the proof of another path: why not', async () => {
    const explained = await explain(token, '--header', `dpop: ${dpop.proof(`${url}0`, token)}`);
    expect(explained).toMatchObject({ decision: 'deny', reason: 'dpop_proof_invalid' });
    expect(JSON.stringify(explained)).toContain('its htu is not the target of the request');
  });

  it('without it: a bound token under Bearer', async () => {
    expect(await explain(token)).toMatchObject({ decision: 'deny', reason: 'sender_constraint_failed' });
  });

  it('copied with its scheme: that one, whatever headers there are', async () => {
    const proof = ['--header', `dpop: ${dpop.proof(url, token)}`];
    expect(await explain(`Bearer ${token}\n`, ...proof)).toMatchObject({ reason: 'sender_constraint_failed' });
    expect(await explain(`DPoP ${token}\n`, ...proof)).toMatchObject({ reason: 'allowed' });
    expect(await explain(`DPoP ${token}`)).toMatchObject({ reason: 'dpop_proof_invalid' });
  });
});
