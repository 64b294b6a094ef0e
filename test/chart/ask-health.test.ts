/** The program that the pod of `helm test` runs, against a Scopegate that serves, one that does not, and none. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../../deploy/envoy/child.ts';
import { type Serve, startServe } from '../support/serve.ts';
import { chartText } from './chart-files.ts';

const program = chartText('files/ask-health.mjs');
const tls = (file: string): string => fileURLToPath(new URL(`../support/tls/${file}`, import.meta.url));
const policy = `apiVersion: scopegate.dev/v1
kind: Policy
rules: [{ name: health, paths: [/healthz], access: public }]
`;

let folder: string;
const running: Serve[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-chart-'));
  writeFileSync(join(folder, 'policy.yaml'), policy);
  for (const [from, to] of Object.entries({
    'ca.pem': 'ca.crt',
    'client.pem': 'tls.crt',
    'client-key.pem': 'tls.key',
  })) {
    copyFileSync(tls(from), join(folder, to));
  }
});

afterAll(async () => {
  await Promise.all(running.map(({ child }) => child.stop()));
  rmSync(folder, { recursive: true });
});

async function serving(...args: readonly string[]): Promise<string> {
  const serve = await startServe('--grpc', '127.0.0.1:0', '--drain', '0s', ...args);
  running.push(serve);
  return serve.grpc[0] ?? '';
}

async function asked(environment: Readonly<Record<string, string>>): Promise<{ phrase: string; said: string }> {
  const lines: string[] = [];
  const hear = (line: string): void => void lines.push(line);
  const env = { PATH: process.env['PATH'], DEADLINE_SECONDS: '0', ...environment };
  const child = startChild(process.execPath, ['--eval', program], { env, onStdout: hear, onStderr: hear });
  return { phrase: await child.ended, said: lines.join('\n') };
}

describe('the program of `helm test`', () => {
  it('a good policy is active: says so and ends well', async () => {
    const target = await serving('--policy', join(folder, 'policy.yaml'));
    expect(await asked({ TARGET: target, DEADLINE_SECONDS: '10' })).toEqual({
      phrase: 'exited with code 0',
      said: `${target}: serving`,
    });
  });

  it('no policy: fails and asks for one', async () => {
    const target = await serving('--policy', join(folder, 'absent.yaml'));
    expect(await asked({ TARGET: target })).toEqual({
      phrase: 'exited with code 1',
      said: `${target}: it answers, and is not serving: is there a good policy?`,
    });
  });

  it('nobody listens: fails and names the address', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((done) => server.close(done));
    const { phrase, said } = await asked({ TARGET: target });
    expect(phrase).toBe('exited with code 1');
    expect(said).toContain(`${target}: connect ECONNREFUSED`);
  });

  it('mutual TLS: serves who shows a certificate, and fails without one', async () => {
    const target = await serving(
      '--policy',
      join(folder, 'policy.yaml'),
      '--grpc-tls-cert',
      tls('server.pem'),
      '--grpc-tls-key',
      tls('server-key.pem'),
      '--grpc-tls-client-ca',
      tls('client-ca.pem'),
    );
    const withTls = { TARGET: target.replace('127.0.0.1', 'localhost'), TLS_DIR: folder };
    expect(await asked({ ...withTls, TLS_CLIENT: 'true', DEADLINE_SECONDS: '10' })).toMatchObject({
      phrase: 'exited with code 0',
    });
    expect(await asked(withTls)).toMatchObject({ phrase: 'exited with code 1' });
  });
});
