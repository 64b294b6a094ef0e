/**
 * Promises: cognito-local and the Auth0 simulator as processes of their own on 127.0.0.1, back when they answer, gone when `stop()` settles or
 * this process ends; what they write goes to a folder that is removed.
 * Leaves to others: where they come from (install.ts).
 */
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../deploy/envoy/child.ts';
import { SetupError } from '../../deploy/envoy/setup-error.ts';
import { interopPackages } from './install.ts';

export interface Emulator {
  readonly url: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;
const pollMs = 50;

/** Its discovery says this port whatever it listens on. */
const cognitoPort = 9229;

export async function startCognito(): Promise<Emulator> {
  await requireFree('cognito-local', cognitoPort);
  const packages = await interopPackages(() => {});
  const program = join(packages, 'node_modules', 'cognito-local', 'lib', 'bin', 'start.js');
  const url = `http://localhost:${cognitoPort}`;
  return startEmulator({
    name: 'cognito-local',
    url,
    args: () => [program],
    env: () => ({ HOST: 'localhost', PORT: String(cognitoPort) }),
    isReady: () => fetch(`${url}/health`).then(({ ok }) => ok),
  });
}

export async function startAuth0(audience: string): Promise<Emulator> {
  const packages = await interopPackages(() => {});
  const port = await freePort(4400, 4499);
  const script = fileURLToPath(new URL('auth0-simulator.ts', import.meta.url));
  let isUp = false;
  return startEmulator({
    name: 'the Auth0 simulator',
    url: `https://localhost:${port}`,
    prepare: async (home) => {
      const certificates = join(home, '.simulacrum', 'certs');
      await mkdir(certificates, { recursive: true });
      const tls = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
      await copyFile(tls('server.pem'), join(certificates, 'localhost.pem'));
      await copyFile(tls('server-key.pem'), join(certificates, 'localhost-key.pem'));
    },
    args: () => [script, packages, String(port), audience],
    env: (home) => ({ HOME: home }),
    onLine: (line) => {
      isUp ||= line === 'ready';
    },
    isReady: async () => isUp,
  });
}

interface EmulatorSpec {
  readonly name: string;
  readonly url: string;
  readonly prepare?: (folder: string) => Promise<void>;
  readonly args: (folder: string) => readonly string[];
  readonly env: (folder: string) => Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
  readonly isReady: () => Promise<boolean>;
}

/** A Node program with a folder of its own, in which it runs. */
async function startEmulator(spec: EmulatorSpec): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-interop-'));
  const log: string[] = [];
  const take = (line: string): void => {
    log.push(line);
    spec.onLine?.(line);
  };
  await spec.prepare?.(folder);
  const inFolder = ['-c', 'cd "$0" && exec "$@"', folder, process.execPath];
  const child = startChild('/bin/sh', [...inFolder, ...spec.args(folder)], {
    env: { ...process.env, ...spec.env(folder) },
    onStdout: take,
    onStderr: take,
  });
  async function stop(): Promise<void> {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const end = child.ended.then((phrase) => ({ phrase }));
  const deadline = performance.now() + startTimeoutMs;
  while (!(await spec.isReady().catch(() => false))) {
    const early = await Promise.race([end, delay(pollMs, undefined)]);
    const isLate = performance.now() > deadline;
    if (early === undefined && !isLate) continue;
    await stop();
    throw new SetupError(`${spec.name} ${early?.phrase ?? 'was not ready in time'}:\n${log.slice(-20).join('\n')}`);
  }
  return { url: spec.url, stop };
}

async function requireFree(name: string, port: number): Promise<void> {
  if (await isFree(port)) return;
  throw new SetupError(`port ${port} is taken, and ${name} can use no other`);
}

/** The simulator takes no port above 10,000, where the system has those that it gives away. */
async function freePort(first: number, last: number): Promise<number> {
  for (let port = first; port <= last; port += 1) {
    if (await isFree(port)) return port;
  }
  throw new SetupError(`every port from ${first} to ${last} is taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isListening) return false;
  server.close();
  await once(server, 'close');
  return true;
}
